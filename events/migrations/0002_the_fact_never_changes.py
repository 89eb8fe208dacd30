from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        AppendOnly(
            "Event",
            protects=(
                "source",
                "key",
                "kind",
                "fingerprint",
                "identities",
                "business_key",
                "occurred_at",
                "received_at",
                "data",
                "is_history",
                "cause",
                "depth",
            ),
        ),
    ]
