"""What many do at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from core.db import transaction
from tenants import audit, context, keys, provisioning
from tenants.models import ApiKey, Tenant
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """Run `act` in as many threads, each with a connection of its own, and return what came of it."""

    def alone(number: int) -> object:
        try:
            return act(number)
        except Exception as error:
            return type(error).__name__
        finally:
            context.connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(alone, range(count)))


def test_of_two_who_want_the_same_name_one_gets_it():
    def create(number: int) -> str:
        wish = {"slug": "corner", "time_zone": "UTC", "currency": "USD", "language": "en"}
        provisioning.create(name=f"Corner {number}", **wish, at=NOON)
        return "created"

    assert sorted(map(str, at_once(2, create))) == ["InvalidTenant", "created"]
    assert sorted(Tenant.objects.filter(slug__startswith="corner").values_list("slug", flat=True)) == [
        "corner",
        "corner-sandbox",
    ]


def test_a_key_that_two_revoke_is_revoked_once(stage):
    key, __ = keys.issue(tenant=stage["acme"].tenant, environment="live", name="X", scopes=["events:write"], at=NOON)

    def revoke(_number: int) -> str:
        keys.revoke(key=key, at=NOON)
        return "revoked"

    assert sorted(map(str, at_once(2, revoke))) == ["AlreadyRevoked", "revoked"]


def test_a_key_that_two_rotate_has_one_successor(stage):
    key, __ = keys.issue(tenant=stage["acme"].tenant, environment="live", name="X", scopes=["events:write"], at=NOON)

    def rotate(_number: int) -> str:
        with transaction():
            keys.rotate(key=key, at=NOON)
        return "rotated"

    assert sorted(map(str, at_once(5, rotate))) == ["AlreadyRotated"] * 4 + ["rotated"]
    assert ApiKey.objects.filter(replaces=key).count() == 1


def test_entries_that_are_written_at_once_still_form_one_chain():
    def record(number: int) -> None:
        with context.in_tenant("t_acme"):
            audit.record(actor_kind="system", actor=str(number), action="a.b", target="c", changes={}, at=NOON)

    assert at_once(8, record) == [None] * 8
    assert AuditEntry.objects.count() == 8
    assert audit.verify() == []
