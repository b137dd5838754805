from django import forms

from .models import Comment


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ["name", "body"]


class UploadForm(forms.Form):
    title = forms.CharField(max_length=200)
    file = forms.FileField(allow_empty_file=True)
