from django.http import JsonResponse

from .models import Lesson, Question


def lessons(request):
    return JsonResponse(
        [
            {
                "id": lesson.id,
                "title": lesson.title,
                "video": lesson.video.url if lesson.video else None,
                "notes": lesson.notes.url if lesson.notes else None,
            }
            for lesson in Lesson.objects.order_by("id")
        ],
        safe=False,
    )


def questions(request):
    return JsonResponse(
        [
            {"id": q.id, "text": q.text, "image": q.image.url if q.image else None}
            for q in Question.objects.order_by("id")
        ],
        safe=False,
    )
