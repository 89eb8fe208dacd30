"""The stage of most stories: Anna is a member of acme. After each, no batch has failed, and the books balance."""

from collections.abc import Iterator

import pytest

from antifraud import counters
from rewards import ledger
from tenants import context
from tenants.models import Tenant
from tenants.staff.models import Staff
from tests.cast import Shop


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
