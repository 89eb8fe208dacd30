"""A rule may give anything that can be owed: each kind goes the same way from the event to the member."""

from datetime import timedelta

import pytest

from antifraud.models import Case
from antifraud.moderation import deciding
from antifraud.moderation.deciding import NotUndoable
from core.db import savepoint, transaction
from rewards import ledger, maturing
from rewards.models import Asset, Entitlement, Gift, Lot, Posting, Reward
from rewards.tests.gifts import gift
from rewards.tests.units import make_asset
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
FORTNIGHT = timedelta(days=14)


def holds(shop, name="anna"):
    return ledger.balances(member_id=shop.id_of(name))


def given(reward):
    return reward.kind, reward.what, reward.asset_id, reward.due, reward.given, reward.status


def flagged(shop):
    """Let zoe bring herself."""
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500", order="1001")


# What is counted


def test_a_rule_gives_of_a_second_currency(shop):
    stars = make_asset("stars")
    make_campaign(rule={**EACH_ORDER, "reward_what": "stars", "amount_points": 3}, budget_points=5)
    shop.pays("anna", "500")

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["granted"]
    assert [given(each) for each in Reward.objects.all()] == [("points", "stars", stars.pk, 3, 3, "granted")] * 2
    assert holds(shop) == {"stars": 6}
    assert trace_of(paid)[0].get("points") is None


@pytest.mark.parametrize(
    ("asset", "amount", "units"),
    [
        ({"scale": 2, "minor_per_unit": 100, "kind": "money", "currency": "RUB"}, "99.99", 499),
        ({"scale": 2, "minor_per_unit": 100, "kind": "money", "currency": "RUB", "rounding": "half_up"}, "99.90", 500),
        ({"scale": 0, "minor_per_unit": 10}, "99.99", 49),
        ({"scale": 1, "minor_per_unit": 100, "rounding": "half_up"}, "99.00", 50),
    ],
)
def test_a_percent_is_counted_by_the_assets_worth_scale_and_rounding(shop, asset, amount, units):
    kind = make_asset("back", **asset).kind
    rule = {"reward_kind": kind, "reward_what": "back", "amount_kind": "percent", "amount_points": None}
    make_campaign(rule={**EACH_ORDER, **rule, "rate_bps": 500})

    shop.pays("anna", amount)

    assert holds(shop) == {"back": units}


def test_points_expire_as_their_asset_says_counted_from_when_they_can_be_used(shop):
    Asset.objects.filter(code="points").update(expiry="days", expiry_count=30)
    make_campaign(rule=EACH_ORDER)
    make_campaign(rule={**EACH_ORDER, "hold_days": 14})

    shop.pays("anna", "500")
    maturing.release_due(schema="t_acme", limit=10, at=NOON + FORTNIGHT)

    # Midnight in Moscow, after the thirtieth day.
    first = NOON.replace(hour=21) + timedelta(days=30)
    assert [lot.expires_at for lot in Lot.objects.order_by("pk")] == [first, first + FORTNIGHT]


@pytest.mark.parametrize("missing", ["unknown", "inactive"])
@pytest.mark.parametrize(("kind", "what"), [("spin", "wheel"), ("product", "mug")])
def test_what_is_not_there_is_not_given(shop, missing, kind, what):
    row = make_asset("wheel", kind="spin") if kind == "spin" else gift("product", code="mug")
    make_campaign(rule={**EACH_ORDER, "reward_kind": kind, "reward_what": what, "amount_points": 1})
    changed = {"is_active": False} if missing == "inactive" else {"code": "renamed"}
    type(row).objects.filter(pk=row.pk).update(**changed)

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["not_available"]
    assert trace_of(paid)[0]["params"] == {"kind": kind, "what": what}
    assert not Reward.objects.exists()


def test_a_gift_of_another_kind_is_not_given(shop):
    gift("product", code="mug")
    make_campaign(rule={**EACH_ORDER, "reward_kind": "product", "reward_what": "mug", "amount_points": 1})
    Gift.objects.update(kind="privilege")

    assert codes_of(shop.pays("anna", "500")) == ["not_available"]


# Gifts


@pytest.mark.parametrize(
    ("kind", "status"), [("discount", "issued"), ("privilege", "issued"), ("product", "placed"), ("content", "issued")]
)
def test_a_gift_is_given_and_nothing_is_posted_for_it(shop, kind, status):
    gift(kind, code="it")
    make_campaign(
        rule={**EACH_ORDER, "reward_kind": kind, "reward_what": "it", "amount_points": 1},
        budget_points=1,
        limits=[{"per": "member", "period": "month", "max_points": 1}],
    )

    first, second = shop.pays("anna", "500"), shop.pays("anna", "500")

    assert codes_of(first) + codes_of(second) == ["granted", "granted"]
    rewards = list(Reward.objects.order_by("pk"))
    assert given(rewards[0]) == (kind, "it", None, 1, 1, "granted")
    entitlements = list(Entitlement.objects.order_by("pk"))
    assert [(each.key, each.status, each.reward_id) for each in entitlements] == [
        (f"reward:{each.pk}:1", status, each.pk) for each in rewards
    ]
    assert not Posting.objects.exists()


def test_a_certificate_is_worth_its_denomination(shop):
    gift("certificate", code="coffee", terms={"denominations": [50_000], "providers": []})
    make_campaign(rule={**EACH_ORDER, "reward_kind": "certificate", "reward_what": "coffee", "amount_points": 50_000})

    shop.pays("anna", "500")

    assert given(Reward.objects.get()) == ("certificate", "coffee", None, 50_000, 50_000, "granted")
    found = Entitlement.objects.get()
    assert (found.kind, found.value_minor, found.currency, found.status) == (
        "certificate",
        50_000,
        "RUB",
        "waiting",
    )


def test_of_a_pool_the_member_is_to_choose(shop):
    gift("certificate", code="coffee", terms={"denominations": [50_000]})
    gift("pool", code="any", terms={"brands": ["coffee"]})
    make_campaign(rule={**EACH_ORDER, "reward_kind": "certificate", "reward_what": "any", "amount_points": 50_000})

    shop.pays("anna", "500")

    assert [(each.kind, each.status) for each in Entitlement.objects.all()] == [("pool", "choosing")]


def test_a_limit_of_rewards_counts_gifts(shop):
    gift("privilege", code="vip")
    make_campaign(
        rule={**EACH_ORDER, "reward_kind": "privilege", "reward_what": "vip", "amount_points": 1},
        limits=[{"per": "member", "period": "month", "max_count": 1}],
    )

    assert codes_of(shop.pays("anna", "500")) + codes_of(shop.pays("anna", "500")) == ["granted", "limit_count"]
    assert Entitlement.objects.count() == 1


def test_a_held_gift_is_given_when_it_is_mature(shop):
    gift("privilege", code="vip")
    rule = {**EACH_ORDER, "reward_kind": "privilege", "reward_what": "vip", "amount_points": 1, "hold_days": 14}
    make_campaign(rule=rule)

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["pending"]
    assert not Entitlement.objects.exists()
    assert maturing.release_due(schema="t_acme", limit=10, at=NOON + FORTNIGHT) == 1
    assert [each.status for each in Entitlement.objects.all()] == ["issued"]
    assert not Posting.objects.exists()


def test_a_promised_gift_that_has_left_the_shelf_is_given_nevertheless(shop):
    gift("privilege", code="vip")
    rule = {**EACH_ORDER, "reward_kind": "privilege", "reward_what": "vip", "amount_points": 1, "hold_days": 14}
    make_campaign(rule=rule)
    shop.pays("anna", "500")
    Gift.objects.update(is_active=False)

    maturing.release_due(schema="t_acme", limit=10, at=NOON + FORTNIGHT)

    assert [each.status for each in Entitlement.objects.all()] == ["issued"]


# Moderation


def test_a_flagged_gift_waits_for_its_moderator_and_can_be_taken_back(shop, max_):
    gift("privilege", code="vip")
    make_campaign(rule={"reward_kind": "privilege", "reward_what": "vip", "amount_points": 1})
    flagged(shop)
    case = Case.objects.get()
    assert not Entitlement.objects.exists()

    deciding.approve(case=case, by=max_, at=NOON)
    deciding.undo(case=case, by=max_, at=NOON)
    deciding.approve(case=case, by=max_, at=NOON)

    reward = Reward.objects.get()
    assert reward.status == "granted"
    assert list(Entitlement.objects.order_by("pk").values_list("key", "status")) == [
        (f"reward:{reward.pk}:1", "cancelled"),
        (f"reward:{reward.pk}:2", "issued"),
    ]


def test_a_decision_about_what_was_seen_is_not_undone(shop, max_):
    gift("content", code="notes")
    make_campaign(rule={"reward_kind": "content", "reward_what": "notes", "amount_points": 1})
    flagged(shop)
    case = Case.objects.get()
    deciding.approve(case=case, by=max_, at=NOON)
    Entitlement.objects.update(shown_at=NOON)

    with transaction(), pytest.raises(NotUndoable, match="zoe has already seen “Notes”"), savepoint():
        deciding.undo.__wrapped__(case=case, by=max_, at=NOON)

    assert (Reward.objects.get().status, Entitlement.objects.get().status) == ("granted", "issued")
