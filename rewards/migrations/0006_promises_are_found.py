from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("rewards", "0005_accounts_and_lots")]

    operations = [
        AddIndexConcurrently(
            model_name="reward",
            index=models.Index(
                condition=models.Q(("awaits", ""), _negated=True), fields=["member"], name="reward_promised"
            ),
        ),
        # What is promised for ever is not looked at every minute.
        AddIndexConcurrently(
            model_name="reward",
            index=models.Index(
                condition=models.Q(("awaits", ""), ("status", "pending")), fields=["matures_at"], name="reward_due"
            ),
        ),
        RemoveIndexConcurrently(model_name="reward", name="reward_maturing"),
    ]
