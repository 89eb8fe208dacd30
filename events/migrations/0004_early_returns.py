from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform


class Migration(migrations.Migration):
    """The log may be long, and events are written meanwhile."""

    atomic = False

    dependencies = [("events", "0003_orders_stay")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                KeyTextTransform("order_id", "data"),
                condition=(models.Q(kind="order.refunded") | models.Q(kind="order.cancelled"))
                & ~models.Q(status="handled"),
                name="event_early_return",
            ),
        ),
    ]
