from django.db import migrations

DEFAULTS = ["News", "Boats", "Weather", "Recipes", "Letters"]


def add(apps, schema_editor):
    category = apps.get_model("blog", "Category")
    for position, name in enumerate(DEFAULTS):
        category.objects.create(name=name, position=position)


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
