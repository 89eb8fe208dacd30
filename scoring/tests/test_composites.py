"""A rule may give several things at once: whole, or not at all."""

from datetime import timedelta

import pytest

from antifraud.models import Case, Counter
from antifraud.moderation import deciding
from rewards import ledger, maturing
from rewards.models import Asset, Entitlement, Gift, Posting, Reward
from rewards.tests.gifts import gift
from rewards.tests.units import make_asset
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

FORTNIGHT = timedelta(days=14)
STICKERS = {"kind": "product", "what": "stickers", "amount": 1}
STARS = {"kind": "points", "what": "stars", "amount": 2}
EACH_ORDER = {"recipient": "actor", "order_number": "any", "amount_points": 50}


@pytest.fixture
def shelf(shop):
    make_asset("stars")
    gift("product", code="stickers")


def give(*extras, rule=None, **columns):
    return make_campaign(rule={**EACH_ORDER, "extras": list(extras or (STICKERS, STARS)), **(rule or {})}, **columns)


def rewards():
    return [(each.part, each.occurrence, each.kind, each.given, each.status) for each in Reward.objects.order_by("pk")]


def parts_are(*statuses):
    return [each[4] for each in rewards()] == list(statuses)


def test_all_parts_are_given_for_one_occurrence(shop, shelf):
    give()

    paid = shop.pays("anna", "500", order="1001")

    assert codes_of(paid) == ["granted", "granted", "granted"]
    assert rewards() == [
        (0, "order:1001", "points", 50, "granted"),
        (1, "1#order:1001", "product", 1, "granted"),
        (2, "2#order:1001", "points", 2, "granted"),
    ]
    assert ledger.balances(member_id=shop.id_of("anna")) == {"points": 50, "stars": 2}
    assert [each.status for each in Entitlement.objects.all()] == ["placed"]


def test_they_count_once_and_only_points_are_points(shop, shelf):
    give(limits=[{"per": "member", "period": "month", "max_count": 2, "max_points": 120}], budget_points=120)

    codes = [codes_of(shop.pays("anna", "500"))[0] for _ in range(3)]

    assert codes == ["granted", "granted", "limit_count"]
    assert set(Counter.objects.exclude(period="minute").values_list("count", "points")) == {(2, 100)}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"budget_points": 49, "when_short": "cap"}, "budget"),
        ({"limits": [{"per": "member", "period": "month", "max_points": 49}], "when_short": "cap"}, "limit_points"),
    ],
)
def test_nothing_is_given_where_one_part_would_be_cut(shop, shelf, told, why):
    give(**told)

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["incomplete"]
    params = trace_of(paid)[0]["params"]
    assert (params["kind"], params["what"], params["why"]) == ("points", "", why)
    assert not Reward.objects.exists()
    assert not Posting.objects.exists()


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ({"kind": "product", "what": "mug", "amount": 1}, "not_available"),
        ({"kind": "points", "what": "moons", "amount": 1}, "not_available"),
        ({"kind": "points", "what": "stars", "amount": 3}, "balance_max"),
    ],
)
def test_nothing_is_given_where_one_part_cannot_be(shop, extra, why):
    make_asset("stars", balance_max=2)
    make_asset("moons")
    gift("product", code="mug")
    give(extra, when_short="cap")
    Asset.objects.filter(code="moons").update(is_active=False)
    Gift.objects.update(is_active=False)

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["incomplete"]
    assert trace_of(paid)[0]["params"]["what"] == extra["what"]
    assert trace_of(paid)[0]["params"]["why"] == why
    assert not Reward.objects.exists()


def test_two_parts_of_one_asset_share_its_largest_balance(shop):
    make_asset("stars", balance_max=3)
    give(STARS, STARS)

    assert codes_of(shop.pays("anna", "500")) == ["incomplete"]
    assert not Reward.objects.exists()


def test_they_mature_together_whatever_fits_into_a_batch(shop, shelf):
    give(rule={"hold_days": 14})
    shop.pays("anna", "500", order="1001")
    shop.pays("anna", "500", order="1002")

    assert maturing.release_due(schema="t_acme", limit=1, at=NOON + FORTNIGHT) == 3
    assert parts_are(*["granted"] * 3, *["pending"] * 3)
    assert maturing.release_due(schema="t_acme", limit=1, at=NOON + FORTNIGHT) == 3
    assert parts_are(*["granted"] * 6)


def test_they_are_flagged_rejected_and_reopened_together(shop, shelf, max_):
    give(rule={"recipient": "both"})
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    paid = shop.pays("zoe2", "500", order="1001")
    case = Case.objects.get()

    assert codes_of(paid) == ["flagged"] * 6
    deciding.reject(case=case, by=max_, seen=6, at=NOON)
    assert parts_are(*["rejected"] * 6)
    deciding.undo(case=case, by=max_, at=NOON)
    assert parts_are(*["flagged"] * 6)
    deciding.approve(case=case, by=max_, seen=6, at=NOON)
    assert parts_are(*["granted"] * 6)
    assert shop.balance_of("zoe") == shop.balance_of("zoe2") == 50


def test_a_cancelled_order_takes_all_of_it_back(shop, shelf):
    give(budget_points=50)
    shop.pays("anna", "500", order="1001")

    cancelled = shop.cancels("anna", order="1001")

    assert codes_of(cancelled) == ["refunded"] * 3
    assert parts_are(*["reversed"] * 3)
    assert ledger.balances(member_id=shop.id_of("anna")) == {"points": 0, "stars": 0}
    assert [each.status for each in Entitlement.objects.all()] == ["cancelled"]
    assert codes_of(shop.pays("anna", "500"))[0] == "granted"


def test_a_part_of_the_money_takes_a_part_of_what_is_counted_and_no_gift(shop, shelf):
    give()
    shop.pays("anna", "500", order="1001")

    shop.refunds("anna", "250", order="1001")

    assert [each.reversed for each in Reward.objects.order_by("pk")] == [25, 0, 1]
    assert ledger.balances(member_id=shop.id_of("anna")) == {"points": 25, "stars": 1}
    assert [each.status for each in Entitlement.objects.all()] == ["placed"]


def test_an_order_whose_number_looks_like_a_part_breaks_nothing(shop, shelf):
    give(STICKERS)
    shop.pays("anna", "500", order="1001#1")

    shop.pays("anna", "500", order="1001")

    assert [each[1] for each in rewards()] == ["order:1001#1", "1#order:1001#1", "order:1001", "1#order:1001"]
