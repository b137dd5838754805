from django.contrib import admin

from .models import Lesson, Question

admin.site.register([Lesson, Question])
