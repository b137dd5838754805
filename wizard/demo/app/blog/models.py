import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Category(models.Model):
    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name_plural = "categories"

    def __str__(self):
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.name


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    bio = models.TextField(blank=True)
    website = models.URLField(blank=True)
    birthday = models.DateField(null=True, blank=True)
    newsletter = models.BooleanField(default=False)
    avatar = models.ImageField(upload_to="avatars", blank=True)

    def __str__(self):
        return str(self.user)


class Post(models.Model):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="posts")
    category = models.ForeignKey(Category, models.SET_NULL, null=True, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="posts")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True, allow_unicode=True)
    body = models.TextField()
    cover = models.ImageField(upload_to="covers/%Y/%m", blank=True)
    published = models.DateTimeField(default=timezone.now)
    is_public = models.BooleanField(default=True)
    pinned = models.BooleanField(default=False)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    rating = models.FloatField(null=True, blank=True)
    reading_time = models.DurationField(default=timedelta)
    event_date = models.DateField(null=True, blank=True)
    event_time = models.TimeField(null=True, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    views = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-published", "-pk"]
        indexes = [
            models.Index(fields=["-published"], name="post_newest"),
            models.Index(fields=["category", "-published"], name="post_public", condition=Q(is_public=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["author", "title"], name="one_title_per_author"),
            models.UniqueConstraint(fields=["author"], condition=Q(pinned=True), name="one_pinned_per_author"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gte=0), name="price_not_negative"),
        ]

    def __str__(self):
        return self.title


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="replies")
    name = models.CharField(max_length=80, blank=True)
    body = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    approved = models.BooleanField(default=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.body[:40]


class Attachment(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    post = models.ForeignKey(Post, models.CASCADE, related_name="attachments")
    title = models.CharField(max_length=200)
    file = models.FileField(upload_to="attachments", max_length=255)
    size = models.BigIntegerField(default=0)
    sha256 = models.BinaryField(max_length=32)
    uploaded = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return self.title
