"""A marketer, and what she finds: a campaign that runs, and one that is built in."""

import pytest

from campaigns.tests.making import make_campaign
from campaigns.tests.pages import browser_of
from tests import cast


@pytest.fixture
def mia(acme):
    """Give a marketer's browser."""
    return browser_of("marketer")


@pytest.fixture
def running(acme):
    """Give a campaign that runs since noon of the cast's day."""
    return cast.make_campaign(landing_url="https://acme.example/", budget_points=10_000)


@pytest.fixture
def builtin(acme):
    """Give the campaign that keeps what was issued by hand."""
    return make_campaign({"is_active": False}, name="By hand", status="active", is_builtin=True)
