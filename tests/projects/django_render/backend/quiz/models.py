from django.db import models


class Lesson(models.Model):
    title = models.CharField(max_length=200)
    video = models.FileField(upload_to="videos/", blank=True)
    notes = models.FileField(upload_to="pdfs/", blank=True)

    def __str__(self):
        return self.title


class Question(models.Model):
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="questions")
    text = models.TextField()
    image = models.ImageField(upload_to="questions/", blank=True)
    answer = models.PositiveSmallIntegerField(default=0)
