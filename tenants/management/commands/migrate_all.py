"""`manage.py migrate_all`: every schema up to the code."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from tenants import upgrades


class Command(BaseCommand):
    """Run it after each update, before the new code serves. Where nothing is unapplied it ends at once."""

    help = "Applies what is unapplied: to the public schema, to the template of new tenants, and to every tenant."

    def handle(self, *args: Any, **options: Any) -> None:
        upgraded = upgrades.upgrade(at=timezone.now())
        if upgraded:
            self.stdout.write(self.style.SUCCESS(f"Upgraded: {', '.join(upgraded)}."))
        else:
            self.stdout.write("Every schema is up to date.")
