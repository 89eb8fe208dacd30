"""What a program hears of its own key."""

from datetime import UTC, datetime, timedelta

import pytest

from core.db import transaction
from tenants import keys
from tenants.models import Tenant
from tests.programs import Program

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
ADDRESS = "/api/v1/key"


def issue(tenant, **changed):
    wish = {"environment": "live", "name": "Till", "scopes": ["members:read", "events:write"]}
    return keys.issue(tenant=tenant, **{**wish, **changed}, at=NOW)


def test_a_key_is_told_all_about_itself_but_its_secret(acme, settings):
    settings.API_REQUESTS_A_SECOND, settings.API_REQUESTS_A_DAY, settings.API_EVENTS_A_DAY = 100, 1000, 500
    key, full = issue(acme, requests_a_second_max=7, expires_at=NOW + timedelta(days=30))

    answer = Program(full, host="acme.localhost").get(ADDRESS)

    assert answer.status_code == 200
    told = answer.json()
    assert datetime.fromisoformat(told.pop("expires_at")) == NOW + timedelta(days=30)
    assert told == {
        "id": key.id,
        "name": "Till",
        "kind": "secret",
        "start": f"sk_live_{key.prefix}_",
        "environment": "live",
        "tenant": {
            "slug": "acme",
            "name": acme.name,
            "time_zone": "Europe/Moscow",
            "currency": "RUB",
            "language": "ru",
        },
        "scopes": ["events:write", "members:read"],
        "limits": {"requests_a_second": 7, "requests_a_day": 1000, "events_a_day": 500},
        "replaced_by": None,
    }
    assert full.split("_", 3)[3] not in answer.content.decode()


@pytest.mark.parametrize("scope", keys.ALL_SCOPES)
def test_any_key_may_ask(acme, scope):
    __, full = issue(acme, scopes=[scope])

    assert Program(full, host="localhost").get(ADDRESS).json()["scopes"] == [scope]


def test_a_test_key_is_the_sandboxs(acme):
    __, full = issue(acme, environment="sandbox")

    told = Program(full, host="acme.localhost").get(ADDRESS).json()

    assert (told["environment"], told["tenant"]["slug"]) == ("sandbox", "acme-sandbox")


def test_a_key_that_is_being_replaced_hears_by_which(acme):
    Tenant.objects.filter(id=acme.id).update(requests_a_day_max=9)
    old, full = issue(acme)
    with transaction():
        new, __ = keys.rotate(key=old, overlap=timedelta(hours=1), at=NOW)
    keys.forget()

    told = Program(full, host="acme.localhost").get(ADDRESS).json()

    assert told["replaced_by"] == f"sk_live_{new.prefix}_"
    assert datetime.fromisoformat(told["expires_at"]) == NOW + timedelta(hours=1)
    assert told["limits"]["requests_a_day"] == 9


def test_asking_takes_one_statement(acme, django_assert_num_queries):
    __, full = issue(acme)
    program = Program(full, host="acme.localhost")
    program.get(ADDRESS)

    with django_assert_num_queries(1):
        program.get(ADDRESS)


def test_another_tenants_host_knows_nothing_of_a_key(acme, bolt):
    __, full = issue(bolt)

    assert Program(full, host="acme.localhost").get(ADDRESS).status_code == 401
