"""`manage.py verify_ledger`: check that every unit that was given, taken back or counted adds up."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management import BaseCommand, CommandError

from antifraud.limits import counters
from rewards import ledger, repairs
from tenants import context
from tenants.clock import now
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Compare postings, balances, lots, rewards, redemptions and counters of every tenant. Prints each difference, "
        "and ends with exit code 1 if there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", nargs="+", default=[], help="these tenants only")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="first let lots follow what the release before has posted during an upgrade, as each night does",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        differences = 0
        tenants = _list_tenants(options["tenant"])
        for tenant in tenants:
            if options["repair"]:
                self.stdout.write(f"{tenant.slug}: lots of {_repair(tenant)} accounts repaired.")
            found = _differences_of(tenant)
            differences += len(found)
            for difference in found:
                self.stdout.write(f"{tenant.slug}: {difference}")
        if differences:
            raise CommandError(f"{differences} differences in {len(tenants)} tenants.")
        self.stdout.write(f"Everything adds up in {len(tenants)} tenants.")


def _list_tenants(slugs: Sequence[str]) -> list[Tenant]:
    with context.in_public():
        tenants = Tenant.objects.exclude(status=Tenant.Status.TEMPLATE).exclude(schema_name="public").order_by("id")
        found = list(tenants.filter(slug__in=slugs) if slugs else tenants)
    unknown = sorted(set(slugs) - {tenant.slug for tenant in found})
    if unknown:
        raise CommandError(f"There is no tenant {', '.join(unknown)}.")
    return found


def _differences_of(tenant: Tenant) -> list[str]:
    with context.in_tenant(tenant.schema_name):
        return [*map(str, ledger.verify()), *counters.verify(zone=tenant.time_zone)]


def _repair(tenant: Tenant) -> int:
    with context.in_tenant(tenant.schema_name):
        return repairs.repair_all(schema=tenant.schema_name, at=now())
