"""The same names and numbers in two tenants are different people and different orders."""

import pytest

from events.models import Event, Order
from members.models import Member
from referrals.models import Referral
from rewards.models import Reward
from tenants import context
from tests.cast import Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(acme, bolt):
    """Return, for each tenant, a run of the same story under the same names."""

    def play(amount_points):
        make_campaign(rule={"amount_points": amount_points}, limits=[{"per": "campaign", "max_count": 1}])
        shop = Shop()
        shop.joins("anna", key="k1")
        shop.joins("boris", invited_by="anna", key="k2")
        shop.pays("boris", "500", order="1001", key="k3")
        return shop

    shops = {}
    for tenant, points in ((acme, 100), (bolt, 7)):
        with context.in_tenant(tenant.schema_name):
            shops[tenant.slug] = play(points)
    return shops


def test_each_tenant_pays_its_own_member(both, acme, bolt):
    for tenant, points in ((acme, 100), (bolt, 7)):
        with context.in_tenant(tenant.schema_name):
            assert both[tenant.slug].balance_of("anna") == points
            assert (Member.objects.count(), Order.objects.count(), Reward.objects.count()) == (2, 1, 1)


def test_a_refund_in_one_tenant_leaves_the_others_order_alone(both, acme, bolt):
    with context.in_tenant(bolt.schema_name):
        both["bolt"].cancels("boris", order="1001")

    assert both["acme"].balance_of("anna") == 100
    assert Order.objects.get().cancelled_at is None


def test_a_code_of_one_tenant_is_unknown_in_the_other(both, acme, bolt):
    code = both["acme"].code_of("anna")

    with context.in_tenant(bolt.schema_name):
        joined = both["bolt"].joins("clara", code=code)
        assert codes_of(joined)[0] == "unknown_code"
        assert Referral.objects.count() == 1


def test_handling_one_tenant_leaves_what_waits_in_the_other(both, acme, bolt):
    for tenant in (acme, bolt):
        with context.in_tenant(tenant.schema_name):
            both[tenant.slug].report("check_in", "anna")

    both["acme"].handle()

    assert not Event.objects.filter(status="waiting").exists()
    with context.in_tenant(bolt.schema_name):
        assert Event.objects.filter(status="waiting").count() == 1
