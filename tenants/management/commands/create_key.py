"""`manage.py create_key`: one more key for a tenant, shown once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import Failure
from tenants import audit, context, keys
from tenants.models import ApiKey, Tenant

ENVIRONMENTS = {"live": Tenant.Environment.LIVE, "test": Tenant.Environment.SANDBOX}


class Command(BaseCommand):
    """For somebody at the machine; others use the admin's page of keys."""

    help = "Issues an API key, and prints it. It cannot be had again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of the tenant, such as demo")
        parser.add_argument("--environment", choices=ENVIRONMENTS, default="live")
        parser.add_argument("--name", default="From the command line")
        parser.add_argument(
            "--scope", action="append", choices=ApiKey.Scope.values, help="may be given again; all of them if never"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        tenant = Tenant.objects.exclude(status=Tenant.Status.TEMPLATE).filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']}.")
        try:
            key, full = keys.issue(
                tenant=tenant,
                environment=ENVIRONMENTS[options["environment"]],
                name=options["name"],
                scopes=options["scope"] or keys.ALL_SCOPES,
                at=at,
            )
        except Failure as failure:
            raise CommandError(str(failure)) from failure
        with context.in_tenant(tenant.schema_name):
            audit.record(
                actor_kind="system",
                actor="create_key",
                action="apikey.added",
                target=f"apikey:{key.pk} {key}",
                changes={"scopes": key.scopes},
                at=at,
            )
        self.stdout.write(full)
