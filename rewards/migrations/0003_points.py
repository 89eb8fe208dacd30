from django.db import migrations


def make(apps, schema_editor):
    points, _ = apps.get_model("rewards", "Asset").objects.get_or_create(
        code="points", defaults={"name": "Points", "minor_per_unit": 100}
    )
    apps.get_model("rewards", "Account").objects.get_or_create(kind="issue", member=None, asset=points)


def unmake(apps, schema_editor):
    # Where something was posted, the foreign keys refuse: what was paid cannot be forgotten.
    apps.get_model("rewards", "Account").objects.filter(asset__code="points").delete()
    apps.get_model("rewards", "Asset").objects.filter(code="points").delete()


class Migration(migrations.Migration):
    dependencies = [("rewards", "0002_postings_stay")]

    operations = [migrations.RunPython(make, unmake)]
