from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("rewards", "0001_initial")]

    operations = [AppendOnly("Posting")]
