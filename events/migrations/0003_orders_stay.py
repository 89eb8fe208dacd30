from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("events", "0002_the_fact_never_changes")]

    operations = [
        AppendOnly("Order", protects=("number", "member", "event", "amount_minor", "currency", "paid_at")),
    ]
