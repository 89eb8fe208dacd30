from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("antifraud", "FraudPolicy").objects.get_or_create(singleton=True)
    # For every campaign by itself, until the tenant sets figures of its own.
    apps.get_model("antifraud", "StopRule").objects.get_or_create(
        campaign=None, metric="rewards", threshold=500, window_minutes=60
    )


def unmake(apps, schema_editor):
    apps.get_model("antifraud", "FraudPolicy").objects.all().delete()
    # Rules that have fired are referred to, and others are the tenant's own.
    fired = apps.get_model("antifraud", "Trip").objects.values("stop_rule_id")
    default = apps.get_model("antifraud", "StopRule").objects.filter(
        campaign=None, metric="rewards", threshold=500, window_minutes=60
    )
    default.exclude(pk__in=fired).delete()


class Migration(migrations.Migration):
    dependencies = [("antifraud", "0002_what_was_seen_and_decided_stays")]

    operations = [migrations.RunPython(make, unmake)]
