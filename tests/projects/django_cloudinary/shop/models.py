from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=100)
    image = models.ImageField(upload_to="products/", blank=True)
    image_url = models.CharField(max_length=500, blank=True)
