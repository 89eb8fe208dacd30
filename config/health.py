"""
`/healthz` and `/readyz`, which any host answers and no tenant need exist for.

`/healthz` says that this process answers. `/readyz` says whether it can work: 200 or 503, and what is amiss.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from kombu.exceptions import OperationalError

from config.celery import app
from tenants import context, rates, upgrades
from tenants.models import Tenant
from tenants.spaces import TEMPLATE

Checks = dict[str, Any]

REMEMBER_SECONDS: Final = 3.0
BROKER_WITHIN_SECONDS: Final = 1
# How many schemas one statement asks.
SCHEMAS_AT_ONCE: Final = 100


class HealthMiddleware:
    """Answers above the tenant middleware, which turns unknown hosts away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path_info == "/readyz":
            checks = self.readiness.find()
            ready = checks["database"] and checks["broker"] and checks["migrations"]
            return JsonResponse({"status": "ok" if ready else "unready", **checks}, status=200 if ready else 503)
        return self.get_response(request)


class Readiness:
    """The checks of the last few seconds: a probe in a loop must cost nothing."""

    def __init__(self) -> None:
        self._checks: Checks = {}
        self._found_at = float("-inf")

    def find(self) -> Checks:
        if time.monotonic() - self._found_at > REMEMBER_SECONDS:
            self._checks = check()
            self._found_at = time.monotonic()
        return self._checks


def check() -> Checks:
    """
    Return what is there as yes or no, and `oldest_waiting_seconds` or null where unknown.

    `limits` says whether requests are counted: if not, everybody passes, so that is no reason to be unready.
    """
    checks: Checks = {"database": False, "broker": _has_broker(), "migrations": False, "limits": rates.is_working()}
    checks["oldest_waiting_seconds"] = None
    try:
        with context.in_public():
            connection.ensure_connection()
            checks["database"] = True
            checks["migrations"] = _is_migrated()
            if checks["migrations"]:
                checks["oldest_waiting_seconds"] = _oldest_waiting_seconds()
    except DatabaseError:
        # The next probe shall look for the database anew.
        connection.close()
    return checks


def _has_broker() -> bool:
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=0, timeout=BROKER_WITHIN_SECONDS)
    except OperationalError:
        return False
    return True


def _is_migrated() -> bool:
    """Say so of the public schema and of the template, which new tenants are copied from."""
    return not any(upgrades.list_unapplied(schema_name=schema) for schema in ("public", TEMPLATE))


def _oldest_waiting_seconds() -> int:
    schemas = list(Tenant.objects.serving().order_by("id").values_list("schema_name", flat=True))
    parts = [schemas[first : first + SCHEMAS_AT_ONCE] for first in range(0, len(schemas), SCHEMAS_AT_ONCE)]
    return max((_oldest_waiting_among(part) for part in parts), default=0)


def _oldest_waiting_among(schemas: list[str]) -> int:
    asked = " UNION ALL ".join(
        f"SELECT min(received_at) AS at FROM {connection.ops.quote_name(schema)}.events_event WHERE status = 'waiting'"
        for schema in schemas
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(extract(epoch FROM now() - min(at)), 0)::int FROM ({asked}) AS oldest")
        return int(cursor.fetchone()[0])
