from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("post/<int:pk>/", views.post, name="post"),
    path("post/<int:pk>/reply/", views.reply, name="reply"),
    path("post/<int:pk>/upload/", views.upload, name="upload"),
    path("tag/<int:pk>/", views.tag, name="tag"),
    path("user/<int:pk>/", views.user, name="user"),
    path("gallery/", views.gallery, name="gallery"),
    path("files/<uuid:pk>/", views.download, name="download"),
    path("api/counts/", views.api_counts, name="api-counts"),
    path("api/posts/", views.api_posts, name="api-posts"),
]
