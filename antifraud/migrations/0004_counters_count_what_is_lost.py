from django.db import migrations


class Migration(migrations.Migration):
    """What a refund could not take back goes on counting: counters start again, from the rewards there are."""

    dependencies = [("antifraud", "0003_one_policy_and_a_stop_rule"), ("rewards", "0005_accounts_and_lots")]

    operations = [migrations.RunSQL("DELETE FROM antifraud_counter WHERE period <> 'minute'", migrations.RunSQL.noop)]
