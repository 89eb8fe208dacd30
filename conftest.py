"""
What every test has: real servers, and the stage with two tenants.

A test that uses the database finds `acme` current. What it does is rolled back, or, where it is marked
`django_db(transaction=True)` because it races, swept away.
"""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from antifraud.lists import ranges
from config.servers.use import using
from tenants import context, standing
from tenants.models import Tenant
from tests import catalogue
from tests.stage import Stage, build, strike, sweep

# How busy the machine is says nothing about what is tested.
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")


@pytest.fixture(scope="session", autouse=True)
def servers() -> Iterator[None]:
    with using(settings.PLACE):
        yield


@pytest.fixture(scope="session")
def stage(servers: None, django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """Give both tenants as they were made: with the keys and passwords that are shown once."""
    with django_db_blocker.unblock():
        made = build()
    yield made
    with django_db_blocker.unblock():
        strike()


@pytest.fixture(scope="session")
def django_db_setup(stage: Stage) -> None:
    """Take the place of pytest-django's own, which knows one schema only."""


@pytest.fixture
def acme(db: None, stage: Stage) -> Tenant:
    """Give the tenant that is current: a shop in Moscow, which counts in roubles."""
    return stage["acme"].tenant


@pytest.fixture
def bolt(db: None, stage: Stage) -> Tenant:
    """Give the other tenant, in New York, which must never see anything of the first."""
    return stage["bolt"].tenant


@pytest.fixture(autouse=True)
def _acme_is_current(request: pytest.FixtureRequest) -> Iterator[None]:
    if not _uses_database(request):
        yield
        return
    # Within the test's transaction, so after whatever opens it.
    request.getfixturevalue("_django_db_helper")
    context._set(request.getfixturevalue("stage")["acme"].tenant)
    yield
    context.leave()
    standing.forget()
    ranges.forget()
    cache.clear()


@pytest.fixture(autouse=True)
def _facts_are_in_the_catalogue(request: pytest.FixtureRequest, _acme_is_current: None) -> Iterator[None]:
    with connection.execute_wrapper(catalogue.check) if _uses_database(request) else nullcontext():
        yield


def _uses_database(request: pytest.FixtureRequest) -> bool:
    marked = request.node.get_closest_marker("django_db") is not None
    return marked or not {"db", "transactional_db"}.isdisjoint(request.fixturenames)


# Django's own way empties the tables of one schema: it would take the tenants away, and the append-only tables refuse.
TransactionTestCase._fixture_teardown = lambda _: sweep()  # type: ignore[attr-defined]
