"""Two members who are one share one count of every limit: merging gives nobody a second share, nor takes one back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from antifraud.limits import counters, filling
from antifraud.models import Counter, StopRule, Tally, Trip
from antifraud.moderation import deciding
from campaigns.models import Limit
from core.db import transaction
from members import merging, people
from rewards import ledger
from tenants import context
from tests.cast import NOON, Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
EACH_ORDER = {"recipient": "actor", "order_number": "any"}
BOTH = {"recipient": "both", "order_number": "any"}
PERIODS = [
    {"period": "day"},
    {"period": "week"},
    {"period": "month"},
    {"period": "ever"},
    {"period": "rolling", "days": 7},
]


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    yield Shop()
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


@transaction
def merge(shop: Shop, away: str, *, into: str) -> None:
    merging.merge(
        into=people.get_by_external_id(into),
        away=people.get_by_external_id(away),
        actor_kind="staff",
        actor="marta",
        at=shop.at,
    )


@pytest.mark.parametrize("period", PERIODS, ids=str)
@pytest.mark.parametrize("most", [{"max_count": 3}, {"max_points": 300}], ids=str)
def test_what_both_have_used_is_used(shop, period, most):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", **period, **most}])
    shop.pays("anna", "500")
    shop.pays("anya", "500")
    merge(shop, "anya", into="anna")

    told = [codes_of(shop.pays(name, "500")) for name in ("anya", "anna")]

    assert told[0] == ["granted"]
    assert told[1][0].startswith("limit_")
    assert shop.balance_of("anna") == 300


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_two_who_have_used_it_up_are_over_it_and_get_nothing_until_it_is_free(shop, period):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "max_count": 2, **period}])
    for name in ("anna", "anya"):
        for nth in range(2):
            shop.pays(name, "500", order=f"{name}-{nth}")
    merge(shop, "anya", into="anna")
    assert set(Counter.objects.filter(scope="limit").values_list("count", "subject_id")) == {(4, shop.id_of("anna"))}

    told = [codes_of(shop.pays("anna", "500"))]
    for order in ("anya-0", "anna-0"):
        shop.refunds("anna", "500", order=order)
        told.append(codes_of(shop.pays("anna", "500")))
    shop.refunds("anna", "500", order="anya-1")
    told.append(codes_of(shop.pays("anna", "500")))

    assert told == [["limit_count"]] * 3 + [["granted"]]


def test_of_two_counters_in_different_periods_each_goes_over(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "day", "max_count": 1}])
    shop.pays("anya", "500")
    shop.at += DAY
    shop.pays("anna", "500")

    merge(shop, "anya", into="anna")

    assert codes_of(shop.pays("anna", "500", occurred_at=NOON)) == ["limit_count"]
    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]


def test_a_limit_over_all_campaigns_counts_both(shop):
    Limit.objects.create(campaign=None, per="member", period="ever", max_count=2)
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    shop.pays("anya", "500")

    merge(shop, "anya", into="anna")

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    (use,) = filling.of_member.__wrapped__(member_id=shop.id_of("anna"), zone=context.zone(), at=NOON)
    assert [(share.used, share.maximum) for share in use.shares] == [(2, 2)]


def test_an_inviters_limit_counts_the_friends_of_both_and_both_sides(shop):
    make_campaign(rule=BOTH, limits=[{"per": "inviter", "period": "month", "max_count": 5}])
    for inviter, friend in (("anna", "boris"), ("anya", "clara")):
        shop.joins(inviter)
        shop.joins(friend, invited_by=inviter)
        shop.pays(friend, "500")
    merge(shop, "anya", into="anna")

    told = [codes_of(shop.pays("clara", "500")), codes_of(shop.pays("boris", "500"))]

    assert told == [["granted", "limit_count"], ["limit_count", "limit_count"]]


def test_an_inviters_limit_counts_a_friend_who_was_merged_as_before(shop):
    make_campaign(rule=BOTH, limits=[{"per": "inviter", "period": "month", "max_count": 3}])
    shop.joins("boris")
    shop.joins("anya", invited_by="boris")
    shop.pays("anya", "500", order="1001")
    shop.joins("anna")
    merge(shop, "anya", into="anna")

    told = [codes_of(shop.pays("anna", "500"))]
    shop.refunds("anna", "500", order="1001")
    told.append(codes_of(shop.pays("anya", "500")))

    assert told == [["granted", "limit_count"], ["granted", "granted"]]


@pytest.mark.parametrize("kind", ["device", "card"])
def test_a_device_or_card_of_one_is_the_one_persons(shop, kind):
    make_campaign(rule=EACH_ORDER, limits=[{"per": kind, "period": "ever", "max_count": 2}])
    shop.pays({"external_id": "anna", kind: "annas-own-1"}, "500")
    shop.pays({"external_id": "anya", kind: "anyas-own-1"}, "500")
    shop.joins({"external_id": "boris", kind: "anyas-own-1"})
    merge(shop, "anya", into="anna")

    told = [codes_of(shop.pays(name, "500")) for name in ("anna", "boris")]

    assert told == [["limit_count"], ["limit_count"]]


@pytest.mark.parametrize("kind", ["device", "card"])
def test_a_device_that_both_had_is_counted_once(shop, kind):
    make_campaign(rule=EACH_ORDER, limits=[{"per": kind, "period": "ever", "max_count": 3}])
    for name in ("anna", "anya"):
        shop.pays({"external_id": name, kind: "shared-one-1"}, "500")
    merge(shop, "anya", into="anna")

    assert [codes_of(shop.pays("anna", "500")) for _ in range(2)] == [["granted"], ["limit_count"]]


def test_a_device_limit_of_a_friends_inviter_follows_the_friend(shop):
    make_campaign(rule=BOTH, limits=[{"per": "device", "period": "ever", "max_count": 4}])
    shop.joins("boris")
    shop.joins({"external_id": "anya", "device": "anyas-phone"}, invited_by="boris")
    shop.pays("anya", "500")
    shop.joins("anna")
    merge(shop, "anya", into="anna")

    told = [codes_of(shop.pays("anna", "500")) for _ in range(2)]

    assert told == [["granted", "granted"], ["limit_count", "limit_count"]]


def test_the_ladder_goes_on_from_the_friends_of_both(shop):
    make_campaign(rule={"order_number": "any", "amount_kind": "tiers"}, tiers=((1, 100), (3, 1_000)))
    for inviter, friend in (("anna", "boris"), ("anya", "clara"), ("anya", "dora")):
        shop.joins(friend, invited_by=inviter) if people.find_by_external_id(inviter) else shop.joins(inviter)
        if not people.find_by_external_id(friend):
            shop.joins(friend, invited_by=inviter)
    for friend in ("boris", "clara"):
        shop.pays(friend, "500")
    merge(shop, "anya", into="anna")

    shop.pays("dora", "500")

    assert [each.given for each in shop.rewards_of("anna")] == [100, 100, 1_000]


def test_a_rejection_is_undone_within_what_is_left_for_both(shop, django_user_model):
    make_campaign(rule={"order_number": "any"}, limits=[{"per": "member", "period": "ever", "max_count": 2}])
    max_ = django_user_model.objects.create_user("max")
    shop.joins({"external_id": "anya", "email": "anna@example.com"})
    shop.joins({"external_id": "twin", "email": "anna@example.com"}, invited_by="anya")
    shop.pays("twin", "500")
    case = deciding.Case.objects.get()
    with transaction():
        deciding.reject(case=case, by=max_, at=NOON)
    for inviter in ("anya", "anna"):
        shop.joins(inviter)
        shop.joins(f"friend-of-{inviter}", invited_by=inviter)
        shop.pays(f"friend-of-{inviter}", "500")
    merge(shop, "anya", into="anna")

    with pytest.raises(counters.LimitReached), transaction():
        deciding.undo(case=case, by=max_, at=NOON)

    assert shop.balance_of("anna") == 200


def test_stop_rules_see_both_inviters_as_one(shop):
    for name in ("anna", "anya"):
        shop.joins(name)
    anna, anya = str(shop.id_of("anna")), str(shop.id_of("anya"))
    for subject, minute, rewards in ((anna, NOON, 2), (anya, NOON, 3), (anya, NOON + DAY, 4)):
        Tally.objects.create(scope="inviter", subject=subject, minute=minute, rewards=rewards)
    rules = [StopRule.objects.create(scope="inviter", action="flag", threshold=9) for _nth in range(2)]
    for stop_rule, subject in ((rules[0], anya), (rules[1], anna), (rules[1], anya)):
        Trip.objects.create(
            stop_rule=stop_rule,
            scope="inviter",
            subject=subject,
            metric="rewards",
            action="flag",
            figure=10,
            threshold=9,
            window_minutes=60,
            tripped_at=NOON,
        )

    merge(shop, "anya", into="anna")

    tallies = Tally.objects.filter(scope="inviter").order_by("minute")
    assert list(tallies.values_list("subject", "minute", "rewards")) == [(anna, NOON, 5), (anna, NOON + DAY, 4)]
    held = Trip.objects.filter(subject=anna, resumed_at=None).order_by("stop_rule")
    assert [each.stop_rule for each in held] == rules
