"""`manage.py rotate_key`: a new key in place of an old one, which stays valid for a while."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.db import transaction
from core.errors import Failure
from tenants import audit, context, keys
from tenants.models import ApiKey


class Command(BaseCommand):
    """For somebody at the machine; others use the admin's page of keys."""

    help = "Issues an API key in place of another, and prints it. It cannot be had again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="of the key: the eight characters after sk_live_")
        parser.add_argument("--hours", type=int, default=24, help="for which the old key is valid yet, 0 to 168")

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        old = ApiKey.objects.select_related("tenant").filter(prefix=options["prefix"]).first()
        if old is None:
            raise CommandError(f"There is no key {options['prefix']}.")
        try:
            with context.in_tenant(old.tenant.schema_name), transaction():
                made, full = keys.rotate(key=old, overlap=timedelta(hours=options["hours"]), at=at)
                audit.record(
                    actor_kind="system",
                    actor="rotate_key",
                    action="apikey.rotated",
                    target=f"apikey:{old.pk} {old}",
                    changes={"replaced_by": str(made), "overlap_hours": options["hours"]},
                    at=at,
                )
        except Failure as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write(full)
