"""`manage.py create_tenant`: a tenant that works, in about a second."""

import time
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import Failure
from tenants import audit, context, hosts, provisioning
from tenants.provisioning import Created

# What is asked for where a flag is missing: the flag's name, the question, and the answer to an empty line.
QUESTIONS = (
    ("name", "Name of the business", None),
    ("slug", "Short name, for its address", None),
    ("time_zone", "Time zone", "UTC"),
    ("currency", "Currency", "USD"),
    ("language", "Language", "en"),
    ("admin_username", "First admin's user name", "admin"),
)


class Command(BaseCommand):
    """Asks for what no flag says, if somebody is there to answer."""

    help = (
        "Creates a tenant with its sandbox, its first admin and its first keys. Prints the secrets, which are not kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, question, default in QUESTIONS:
            parser.add_argument(f"--{name.replace('_', '-')}", help=question + (f" ({default})" if default else ""))
        parser.add_argument("--admin-password", help="made up if not given")
        parser.add_argument("--no-input", action="store_true", help="ask nothing: take the defaults")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] or self._ask(question, default, options) for name, question, default in QUESTIONS}
        password = options["admin_password"]
        if password is None and not options["no_input"]:
            password = getpass("First admin's password (empty: make one up): ") or None
        at = timezone.now()
        started_at = time.perf_counter()
        try:
            created = provisioning.create(**given, admin_password=password, at=at)
        except Failure as failure:
            raise CommandError(_sentences(failure)) from failure
        took_seconds = time.perf_counter() - started_at
        with context.in_public():
            audit.record(
                actor_kind="system",
                actor="create_tenant",
                action="tenant.added",
                target=f"tenant:{created.tenant.pk} {created.tenant}",
                changes=given,
                at=at,
            )
        self._show(created, took_seconds)

    def _ask(self, question: str, default: str | None, options: dict[str, Any]) -> str:
        if options["no_input"]:
            return default or ""
        return input(f"{question} [{default}]: " if default else f"{question}: ").strip() or default or ""

    def _show(self, created: Created, took_seconds: float) -> None:
        address = hosts.url_of(hosts.name_for(created.tenant.slug))
        for line in (
            f"{created.tenant.name} is ready ({took_seconds:.1f} s). What follows is shown once.",
            f"  Admin     {address}/admin/",
            f"  User      {created.admin_username}",
            f"  Password  {created.admin_password}",
            f"  Live key  {created.live_key}",
            f"  Test key  {created.test_key}",
        ):
            self.stdout.write(line)


def _sentences(failure: Failure) -> str:
    faults = [f"{fault['pointer'].removeprefix('/')}: {fault['detail']}" for fault in failure.errors]
    return " ".join([str(failure), *faults])
