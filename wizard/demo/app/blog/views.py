import hashlib

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.http import FileResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from .forms import CommentForm, UploadForm
from .models import Attachment, Category, Comment, Post, Profile, Tag


def page_of(request, rows, size):
    return Paginator(rows, size).get_page(request.GET.get("page"))


def index(request):
    posts = Post.objects.filter(is_public=True).select_related("author", "category")
    return render(
        request,
        "blog/index.html",
        {
            "page": page_of(request, posts, 20),
            "categories": Category.objects.all(),
            "posts": Post.objects.count(),
            "comments": Comment.objects.count(),
        },
    )


def post(request, pk):
    shown = get_object_or_404(Post.objects.select_related("author", "category"), pk=pk)
    return render(
        request,
        "blog/post.html",
        {"post": shown, "comments": shown.comments.select_related("author").filter(approved=True)},
    )


def reply(request, pk):
    shown = get_object_or_404(Post, pk=pk)
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.post = shown
        form.save()
        return redirect("post", pk=pk)
    return render(request, "blog/form.html", {"post": shown, "form": form})


def upload(request, pk):
    shown = get_object_or_404(Post, pk=pk)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        digest = hashlib.sha256()
        for piece in sent.chunks():
            digest.update(piece)
        Attachment.objects.create(
            post=shown,
            title=form.cleaned_data["title"],
            file=sent,
            size=sent.size,
            sha256=digest.digest(),
        )
        return redirect("post", pk=pk)
    return render(request, "blog/form.html", {"post": shown, "form": form})


def tag(request, pk):
    shown = get_object_or_404(Tag, pk=pk)
    return render(request, "blog/tag.html", {"tag": shown, "page": page_of(request, shown.posts.all(), 50)})


def user(request, pk):
    shown = get_object_or_404(get_user_model(), pk=pk)
    return render(
        request,
        "blog/user.html",
        {
            "person": shown,
            "profile": Profile.objects.filter(user=shown).first(),
            "posts": shown.posts.all(),
        },
    )


def gallery(request):
    return render(
        request,
        "blog/gallery.html",
        {
            "attachments": page_of(request, Attachment.objects.all(), 60),
            "covers": page_of(request, Post.objects.exclude(cover="").order_by("pk"), 60),
            "avatars": page_of(request, Profile.objects.exclude(avatar="").order_by("pk"), 60),
        },
    )


def download(request, pk):
    wanted = get_object_or_404(Attachment, pk=pk)
    try:
        content = wanted.file.open("rb")
    except FileNotFoundError:
        return render(request, "blog/missing.html", {"attachment": wanted}, status=404)
    return FileResponse(content, as_attachment=True, filename=wanted.title)


def api_counts(request):
    return JsonResponse(
        {
            "users": get_user_model().objects.count(),
            "posts": Post.objects.count(),
            "comments": Comment.objects.count(),
            "tags": Tag.objects.count(),
            "attachments": Attachment.objects.count(),
            "covers": Post.objects.exclude(cover="").count(),
        }
    )


def api_posts(request):
    rows = page_of(request, Post.objects.order_by("pk").prefetch_related("tags", "attachments"), 50)
    return JsonResponse(
        {
            "posts": [
                {
                    "id": row.pk,
                    "author": row.author_id,
                    "category": row.category_id,
                    "tags": [t.pk for t in row.tags.all()],
                    "title": row.title,
                    "slug": row.slug,
                    "body": row.body,
                    "cover": row.cover.name,
                    "published": row.published.isoformat(),
                    "is_public": row.is_public,
                    "pinned": row.pinned,
                    "price": None if row.price is None else str(row.price),
                    "rating": row.rating,
                    "reading_time": str(row.reading_time),
                    "event_date": row.event_date and row.event_date.isoformat(),
                    "event_time": row.event_time and row.event_time.isoformat(),
                    "extra": row.extra,
                    "views": row.views,
                    "attachments": [
                        {
                            "id": str(a.pk),
                            "title": a.title,
                            "file": a.file.name,
                            "size": a.size,
                            "sha256": bytes(a.sha256).hex(),
                            "uploaded": a.uploaded.isoformat(),
                        }
                        for a in row.attachments.all()
                    ],
                }
                for row in rows
            ],
            "more": rows.has_next(),
        },
        json_dumps_params={"sort_keys": True, "ensure_ascii": False},
    )
