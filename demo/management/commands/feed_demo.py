"""`manage.py feed_demo`: what happened at the demo's businesses until now, told through the API, and a site."""

import logging
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from demo import access, developers, feeding, window
from demo.businesses import BUSINESSES, RECORD_SHOP, Business
from demo.client import Refused
from demo.feeding import NotSetUp
from demo.storefront import site
from tenants.hosts import LOOPBACK, name_for

logger = logging.getLogger(__name__)

ADDRESS = f"http://{LOOPBACK}:{settings.PORT}"


class Command(BaseCommand):
    """It goes on where it was ended, and where nothing is missing it has nothing to do."""

    help = "Feeds the demo's tenants with real orders and with what is simulated around them. The site must be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stay",
            action="store_true",
            help="keep the site of the shop open, and do not end when all is done, or fails: "
            "among the processes of `make run` the first to end ends all",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["stay"]:
            self._feed()
            return
        with ExitStack() as stack:
            do = self._feed_and_set_up if self._open_site(stack) else self._feed
            try:
                do()
            except Exception:
                # The platform is worth more than its demo, and shall not end because of it.
                logger.exception("The demo could not be fed. It goes on where it was at the next start.")
            connection.close()
            signal.pause()

    def _open_site(self, stack: ExitStack) -> bool:
        if not settings.DEMO_ENABLED:
            return False
        try:
            stack.enter_context(site.opened(port=settings.DEMO_SHOP_PORT, notes=access.FILE))
        except OSError as reason:
            logger.warning("The demo's shop has no site: port %d, %s", settings.DEMO_SHOP_PORT, reason.strerror)
            return False
        return True

    def _feed_and_set_up(self) -> None:
        self._feed()
        developers.set_up(path=access.FILE, address=ADDRESS, await_handled=feeding.await_handled)
        # What was told at the start is far up by now.
        admin = access.address_of(name_for(RECORD_SHOP.slug))
        self.stdout.write(f"To log in: {admin}/admin/, with what stands in var/demo.json.")
        self.stdout.write(f"The site of the demo's shop: {window.origin()}/")

    def _feed(self) -> None:
        if not settings.DEMO_ENABLED:
            self.stdout.write("DEMO_ENABLED is off: nothing is fed.")
            return
        started_at = time.perf_counter()
        try:
            count = sum(self._feed_business(business) for business in BUSINESSES)
        except (Refused, NotSetUp) as reason:
            raise CommandError(str(reason)) from reason
        took_seconds = time.perf_counter() - started_at
        self.stdout.write(
            f"Fed {count:,} events in {took_seconds:.0f} s." if count else "The demo has been fed before."
        )

    def _feed_business(self, business: Business) -> int:
        count = feeding.feed_business(
            business=business,
            address=ADDRESS,
            await_handled=feeding.await_handled,
            at=timezone.now(),
        )
        if count and business == RECORD_SHOP:
            feeding.look_after(business=business, at=timezone.now())
        return count
