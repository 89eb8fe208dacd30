from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [AppendOnly("Member", protects=("id",))]
