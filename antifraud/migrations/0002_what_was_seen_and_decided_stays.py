from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("antifraud", "0001_initial")]

    operations = [AppendOnly("Signal"), AppendOnly("Decision")]
