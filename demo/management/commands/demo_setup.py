"""`manage.py demo_setup`: two businesses to look at, in some seconds."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo import access, setup


class Command(BaseCommand):
    """`make run` calls it at each start: it then finds all as it left it, and rewrites the file if the port is new."""

    help = "Makes the demo's two tenants, their staff and their campaigns, and writes var/demo.json."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_ENABLED:
            raise CommandError("DEMO_ENABLED is off: everybody knows the demo's passwords.")
        started_at = time.perf_counter()
        made = setup.ensure(path=access.FILE, at=timezone.now())
        if made:
            took_seconds = time.perf_counter() - started_at
            self.stdout.write(f"Made the demo: {' and '.join(made)} ({took_seconds:.1f} s).")
