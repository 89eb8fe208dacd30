"""Clients at the stage's hosts."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from tenants import standing


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
