from django.http import JsonResponse

from .models import Product


def products(request):
    return JsonResponse(
        [
            {
                "name": product.name,
                "image": f"https://res.cloudinary.com/shop-sample/image/upload/{product.image.url}",
            }
            for product in Product.objects.all()
        ],
        safe=False,
    )
