from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("referrals", "AttributionPolicy").objects.get_or_create(singleton=True)


def unmake(apps, schema_editor):
    apps.get_model("referrals", "AttributionPolicy").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("referrals", "0002_never_repointed")]

    operations = [migrations.RunPython(make, unmake)]
