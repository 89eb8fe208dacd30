"""Clients at the stage's hosts, and those who have logged in there."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from tenants import context, standing
from tenants.models import Tenant
from tenants.staff.models import Staff
from tenants.tests.browsers import PASSWORD, browser
from tests.people import AXES


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    """Forget what a test has changed and then rolled back."""
    standing.forget()
    yield
    standing.forget()


@pytest.fixture
def client_of(settings) -> Callable[..., Client]:
    """Return a client that talks to a host, with a key if one is given, at the addresses of `tenants.tests.urls`."""
    settings.ROOT_URLCONF = "tenants.tests.urls"
    settings.PUBLIC_SCHEMA_URLCONF = "tenants.tests.urls_public"

    def make(host: str, key: str | None = None) -> Client:
        return Client(headers={"host": host} | ({"authorization": f"Bearer {key}"} if key else {}))

    return make


@pytest.fixture
def platform(client_of: Callable[..., Client]) -> Client:
    """Log Petra in, who runs the platform."""
    client = client_of("localhost")
    with context.in_public():
        client.force_login(Staff.objects.create_superuser("petra", password=PASSWORD), AXES)
    return client


@pytest.fixture
def admin(client_of: Callable[..., Client], acme: Tenant) -> Client:
    """Log Acme's admin in."""
    return browser(client_of, "acme", "admin")
