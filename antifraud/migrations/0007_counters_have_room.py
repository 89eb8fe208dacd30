from django.db import migrations


class Migration(migrations.Migration):
    """Counters and tallies are rewritten with every batch: a row finds room on its page, and its index is not told."""

    dependencies = [("antifraud", "0006_careful_from_the_start")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET (fillfactor = 50)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in ("antifraud_counter", "antifraud_tally")
    ]
