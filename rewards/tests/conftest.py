"""Who is on the stage: Anna and Boris, members of acme."""

from zoneinfo import ZoneInfo

import pytest

from rewards.models import Account, Asset
from rewards.tests.stage import Stage
from tenants import context
from tenants.models import Tenant


@pytest.fixture
def scene(acme):
    return Stage()


@pytest.fixture
def anna(scene):
    return scene.member("anna")


@pytest.fixture
def boris(scene):
    return scene.member("boris")


@pytest.fixture
def stars(acme):
    """Give a second asset, with the tenant's accounts of it."""
    asset = Asset.objects.create(code="stars", name="Stars")
    for kind in ("issue", "escrow", "spend", "expiry", "writeoff"):
        Account.objects.create(kind=kind, asset=asset)
    return asset


@pytest.fixture
def settle_in(acme):
    """Move the tenant to another time zone."""

    def move(name):
        Tenant.objects.filter(pk=acme.pk).update(time_zone=name)
        context.forget()
        context._set(Tenant.objects.get(pk=acme.pk))
        return ZoneInfo(name)

    yield move
    context.forget()
