"""A level multiplies the points that its member earns."""

import pytest

from rewards.models import Level, Standing
from rewards.tests.gifts import gift
from rewards.tests.units import make_asset
from tests.cast import NOON, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}


def stands(shop, name, multiplier_bps):
    level, _made = Level.objects.get_or_create(
        code=f"x{multiplier_bps}",
        defaults={"name": "Gold", "threshold": 10**6 + multiplier_bps, "multiplier_bps": multiplier_bps},
    )
    Standing.objects.create(member_id=shop.id_of(name), level=level, since=NOON, is_manual=True)


@pytest.mark.parametrize(
    ("amount", "bps", "points"),
    [(100, 12_500, 125), (3, 12_500, 3), (101, 15_000, 151), (10, 1_000, 1), (100, 10_000, 100)],
)
def test_points_are_multiplied_and_rounded_down(shop, amount, bps, points):
    stands(shop, "anna", bps)
    make_campaign(rule={**EACH_ORDER, "amount_points": amount})

    paid = shop.pays("anna", "500")

    assert shop.balance_of("anna") == points
    expected = {} if bps == 10_000 else {"multiplier_bps": bps}
    assert (trace_of(paid)[0]["due"], trace_of(paid)[0]["params"]) == (points, expected)


def test_it_is_the_recipients_level_that_counts(shop):
    shop.joins("boris", invited_by="anna")
    stands(shop, "anna", 20_000)
    make_campaign(rule={"recipient": "both"})

    shop.pays("boris", "500")

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (200, 100)


def test_a_percent_is_rounded_before_it_is_multiplied(shop):
    stands(shop, "anna", 15_000)
    make_campaign(rule={**EACH_ORDER, "amount_kind": "percent", "amount_points": None, "rate_bps": 500})

    shop.pays("anna", "99.99")

    assert shop.balance_of("anna") == 6  # 4 × 1.5


def test_nothing_but_points_is_multiplied(shop):
    stands(shop, "anna", 20_000)
    make_asset("stars")
    gift("product", code="mug")
    extras = [{"kind": "points", "what": "stars", "amount": 2}, {"kind": "product", "what": "mug", "amount": 1}]
    make_campaign(rule={**EACH_ORDER, "extras": [*extras, {"kind": "points", "what": "", "amount": 7}]})

    shop.pays("anna", "500")

    assert [each.given for each in shop.rewards_of("anna")] == [200, 2, 1, 14]


def test_what_is_earned_raises_a_level_at_once(shop):
    Level.objects.create(code="silver", name="Silver", threshold=150, multiplier_bps=20_000)
    make_campaign(rule=EACH_ORDER)

    for _ in range(3):
        shop.pays("anna", "500")

    assert [each.given for each in shop.rewards_of("anna")] == [100, 100, 200]
    assert Standing.objects.get().level.code == "silver"
