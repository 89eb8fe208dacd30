"""The stage of most stories: Anna is a member of acme. After each, no batch has failed, and the books balance."""

from collections.abc import Iterator

import pytest

from antifraud.limits import counters
from rewards import ledger
from rewards.models import Level
from rewards.tests.gifts import gift
from scoring.tests.promos import CODE, EARN, ON_LEVEL, asks_for
from tenants import context
from tenants.models import Tenant
from tenants.staff.models import Staff
from tests.cast import Shop, make_campaign


@pytest.fixture
def shop(acme: Tenant, caplog: pytest.LogCaptureFixture) -> Iterator[Shop]:
    shop = Shop()
    shop.joins("anna")
    yield shop
    assert [record.getMessage() for record in caplog.get_records("call")] == []
    assert ledger.verify() == []
    assert counters.verify(zone=context.current().time_zone) == []


@pytest.fixture
def max_(acme: Tenant) -> Staff:
    """Max moderates."""
    return Staff.objects.create_user("max")


@pytest.fixture
def ladder(acme):
    for code, threshold in (("silver", 100), ("gold", 1_000), ("platinum", 2_000)):
        Level.objects.create(code=code, name=code.title(), threshold=threshold)
    gift("discount", code="thousand")


@pytest.fixture
def promo(shop, ladder):
    """Return the campaign: a point for each rouble, and for a thousand of them a code. It is all Anna asks for."""
    make_campaign(name="Points", goal="sell", rule=EARN)
    return make_campaign(name="A thousand", goal="sell", rule={**ON_LEVEL, **CODE, **asks_for("gold")})
