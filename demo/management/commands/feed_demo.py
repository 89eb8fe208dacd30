"""`manage.py feed_demo`: what happened at the demo's businesses until now, told through the API."""

import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from demo import feeding
from demo.businesses import BUSINESSES
from demo.client import Refused
from demo.feeding import NotSetUp
from tenants.hosts import LOOPBACK


class Command(BaseCommand):
    """It goes on where it was ended, and where nothing is missing it has nothing to do."""

    help = "Feeds the demo's tenants with real orders and with what is simulated around them. The site must be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stay",
            action="store_true",
            help="do not end when it is done, or fails: among the processes of `make run` the first to end ends all",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._feed()
        except (Refused, NotSetUp, CommandError) as reason:
            if not options["stay"]:
                raise CommandError(str(reason)) from reason
            self.stderr.write(f"The demo could not be fed. {reason}")
        if options["stay"]:
            connection.close()
            signal.pause()

    def _feed(self) -> None:
        if not settings.DEMO_ENABLED:
            self.stdout.write("DEMO_ENABLED is off: nothing is fed.")
            return
        started_at = time.perf_counter()
        count = sum(
            feeding.feed_business(
                business=business,
                address=f"http://{LOOPBACK}:{settings.PORT}",
                await_handled=feeding.await_handled,
                at=timezone.now(),
            )
            for business in BUSINESSES
        )
        took_seconds = time.perf_counter() - started_at
        self.stdout.write(
            f"Fed {count:,} events in {took_seconds:.0f} s." if count else "The demo has been fed before."
        )
