from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("rewards", "0006_promises_are_found")]

    operations = [
        AddIndexConcurrently(
            model_name="posting",
            index=models.Index(
                condition=models.Q(("redemption__isnull", False)), fields=["redemption"], name="posting_by_redemption"
            ),
        )
    ]
