"""The audit log only grows: no entry is changed or deleted."""

from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_initial")]

    operations = [AppendOnly("AuditEntry")]
