from django.db import migrations, models


class Migration(migrations.Migration):
    """Whoever owes something is found without going through all that they were ever given."""

    dependencies = [("rewards", "0009_accounts_have_room")]

    operations = [
        migrations.AddIndex(
            model_name="reward",
            index=models.Index(condition=models.Q(("lost__gt", 0)), fields=["member"], name="reward_lost"),
        ),
    ]
