from django.contrib import admin

from .models import Attachment, Category, Comment, Post, Profile, Tag

admin.site.register([Attachment, Category, Comment, Post, Profile, Tag])
