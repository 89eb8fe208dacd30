"""`manage.py verify_audit`: whether anybody tampered with the audit logs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import audit, context
from tenants.models import Tenant


class Command(BaseCommand):
    """Its output, kept somewhere else, also shows later whether a log's end was cut off."""

    help = "Follows the chain of every schema's audit log, and prints its head. Fails if a chain is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        schema_names = Tenant.objects.order_by("id").values_list("schema_name", flat=True)
        broken = [name for name in ("public", *schema_names) if not self._is_whole(name)]
        if broken:
            raise CommandError(f"Tampered with: {', '.join(broken)}.")

    def _is_whole(self, schema_name: str) -> bool:
        with context.in_public() if schema_name == "public" else context.in_tenant(schema_name):
            gaps = audit.verify()
            self.stdout.write(f"{schema_name}: {audit.head()}")
        for gap in gaps:
            self.stderr.write(self.style.ERROR(f"{schema_name}: entry {gap.entry_id}: {gap.what}"))
        return not gaps
