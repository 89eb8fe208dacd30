"""Limits of inviters, devices, cards and all campaigns, in rewards, points and money, in hours and so many days."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from antifraud.limits import counters
from antifraud.models import Case, Counter
from antifraud.moderation import deciding
from campaigns.models import Limit
from core.db import transaction
from events.models import Event
from rewards import issuing
from rewards.actors import Actor
from rewards.models import Asset, Entitlement, Reward
from rewards.tests.gifts import gift
from scoring import why
from tests.cast import NOON, codes_of, edit, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


def limit(**told):
    return {"per": "member", "period": "ever", **told}


def sentences_of(event):
    with translation.override("en"):
        return [entry["sentence"] for entry in why.rendered(event.trace)]


# Whose


def test_an_inviter_has_a_limit_for_both_sides_of_all_their_referrals(shop):
    make_campaign(rule={"recipient": "both", "order_number": "any"}, limits=[limit(per="inviter", max_count=3)])
    for name in ("boris", "clara"):
        shop.joins(name, invited_by="anna")

    told = [codes_of(shop.pays(name, "500")) for name in ("boris", "clara", "clara")]

    assert told == [["granted", "granted"], ["granted", "limit_count"], ["limit_count", "limit_count"]]
    assert Counter.objects.get(scope="inviter").subject_id == shop.id_of("anna")


def test_what_an_invited_friend_earns_alone_is_not_the_inviters(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(per="inviter", max_count=1)])
    shop.joins("boris", invited_by="anna")

    assert [codes_of(shop.pays("boris", "500")) for _ in range(2)] == [["granted"]] * 2


@pytest.mark.parametrize("kind", ["device", "card"])
def test_those_who_share_a_device_or_card_share_its_limit(shop, kind):
    make_campaign(rule=EACH_ORDER, limits=[limit(per=kind, max_count=2)])
    people = [{"external_id": name, kind: "4111-shared-1"} for name in ("boris", "clara", "dora")]

    told = [codes_of(shop.pays(who, "500")) for who in people]

    assert told == [["granted"], ["granted"], ["limit_count"]]
    assert codes_of(shop.pays({"external_id": "emil", kind: "4222-own-2"}, "500")) == ["granted"]


def test_a_device_is_known_by_any_event_before(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(per="device", max_count=1)])
    for name in ("boris", "clara"):
        shop.joins({"external_id": name, "device": "tablet-1"})

    assert [codes_of(shop.pays(name, "500")) for name in ("boris", "clara")] == [["granted"], ["limit_count"]]


def test_the_device_of_a_referral_is_the_friends(shop):
    make_campaign(rule={"recipient": "both", "order_number": "any"}, limits=[limit(per="device", max_count=2)])
    shop.joins({"external_id": "anna", "device": "annas-phone"})
    for name in ("boris", "clara"):
        shop.joins({"external_id": name, "device": f"{name}s-phone"}, invited_by="anna")

    told = [codes_of(shop.pays(name, "500")) for name in ("boris", "clara", "clara")]

    assert told == [["granted", "granted"], ["granted", "granted"], ["limit_count", "limit_count"]]


def test_somebody_with_two_devices_needs_room_on_both(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(per="device", max_count=1)])
    shop.pays({"external_id": "boris", "device": "phone-1"}, "500")
    shop.joins({"external_id": "clara", "device": "phone-2"})
    shop.joins({"external_id": "clara", "device": "phone-1"})

    refused = shop.pays("clara", "500")

    assert codes_of(refused) == ["limit_count"]
    assert trace_of(refused)[0]["params"] == {"per": "device", "period": "ever", "max": 1}


def test_a_device_that_somebody_comes_to_use_brings_no_rewards_along(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(per="device", max_count=2)])
    shop.pays({"external_id": "boris", "device": "tablet-1"}, "500", order="1")
    shop.pays("clara", "500", order="2")
    shop.at += HOUR
    shop.joins({"external_id": "clara", "device": "tablet-1"})

    told = [codes_of(shop.pays("clara", "500")) for _ in range(2)]
    shop.cancels("clara", order="2")

    assert told == [["granted"], ["limit_count"]]


def test_one_and_the_same_moment_counts_for_the_device(shop):
    """Of two things of one instant neither is later, whatever the order in which they were told."""
    make_campaign(rule=EACH_ORDER, limits=[limit(per="device", max_count=2)])
    shop.pays({"external_id": "boris", "device": "tablet-1"}, "500")
    shop.pays("clara", "500", order="2")
    shop.joins({"external_id": "clara", "device": "tablet-1"})

    assert codes_of(shop.pays("dora", "500")) == ["granted"]
    assert codes_of(shop.pays({"external_id": "emil", "device": "tablet-1"}, "500")) == ["limit_count"]
    shop.cancels("clara", order="2")
    assert codes_of(shop.pays("emil", "500")) == ["granted"]


def test_of_whom_no_device_is_known_the_limit_of_devices_does_not_ask(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(per="device", max_count=1)])

    assert [codes_of(shop.pays("boris", "500")) for _ in range(2)] == [["granted"]] * 2


def test_whoever_is_known_by_several_names_is_one_member(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(max_count=2)])
    boris = {"external_id": "boris", "email": "boris@example.com", "telegram": "77", "phone": "+79161234567"}
    shop.joins(boris)

    told = [codes_of(shop.pays({kind: boris[kind]}, "500")) for kind in ("email", "telegram", "phone", "external_id")]

    assert told == [["granted"], ["granted"], ["limit_count"], ["limit_count"]]


# Over all campaigns


def test_a_limit_over_all_campaigns_is_shared_by_them(shop):
    for name in ("Spring", "Summer"):
        make_campaign(rule=EACH_ORDER, name=name)
    Limit.objects.create(campaign=None, **limit(max_count=3))

    told = [codes_of(shop.pays("anna", "500")) for _ in range(2)]

    assert told == [["granted", "granted"], ["granted", "limit_count"]]
    assert codes_of(shop.pays("boris", "500")) == ["granted", "granted"]


def test_it_starts_from_what_all_campaigns_gave_before_and_says_so(shop):
    for name in ("Spring", "Summer"):
        make_campaign(rule=EACH_ORDER, name=name)
    shop.pays("anna", "500", order="1")
    Limit.objects.create(campaign=None, **limit(per="campaign", period="month", max_points=300))

    told = shop.pays("boris", "500")

    assert codes_of(told) == ["granted", "limit_points"]
    assert sentences_of(told)[1] == (
        "The limit is reached: 300 points a calendar month, All together, over all campaigns."
    )
    shop.cancels("anna", order="1")
    assert codes_of(shop.pays("clara", "500")) == ["granted", "granted"]


def test_what_was_issued_by_hand_counts_towards_no_limit(shop):
    make_campaign(rule=EACH_ORDER)
    Limit.objects.create(campaign=None, **limit(max_count=1))
    Limit.objects.create(campaign=None, **limit(per="campaign", max_points=100))
    wanted = issuing.Wanted("1", shop.id_of("anna"), "points", "", 5_000, "A birthday")
    with transaction():
        issued = issuing.issue(wanted=wanted, actor=Actor("key", "shop"), at=NOON)

    assert issued.cost_minor == 5_000 * Asset.objects.get(code="points").minor_per_unit
    assert codes_of(shop.pays("anna", "500")) == ["granted"]


# In money


def test_what_a_reward_costs_is_written_down(shop):
    Asset.objects.filter(code="points").update(minor_per_unit=150)
    gift("product", code="mug", cost_minor=30_000)
    gift("content", code="book")
    extras = [{"kind": "product", "what": "mug", "amount": 1}, {"kind": "content", "what": "book", "amount": 1}]
    make_campaign(rule={**EACH_ORDER, "extras": extras})

    shop.pays("anna", "500")

    assert [(each.kind, each.cost_minor) for each in shop.rewards_of("anna")] == [
        ("points", 15_000),
        ("product", 30_000),
        ("content", 0),
    ]


def test_a_certificate_costs_its_value(shop):
    gift("certificate", code="cafe", cost_minor=1, terms={"denominations": [50_000]})
    make_campaign(
        rule={**EACH_ORDER, "reward_kind": "certificate", "reward_what": "cafe", "amount_points": 50_000},
        limits=[limit(max_cost_minor=99_999)],
    )

    paid = [shop.pays("anna", "500") for _ in range(2)]

    assert [codes_of(each) for each in paid] == [["granted"], ["limit_cost"]]
    assert Reward.objects.get().cost_minor == 50_000
    assert sentences_of(paid[1])[0].startswith("The limit is reached: RUB")


def test_a_budget_in_money_gives_what_is_left(shop):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    make_campaign(rule=EACH_ORDER, budget_minor=13_050, when_short="cap")

    paid = [shop.pays(name, "500") for name in ("anna", "boris", "clara")]

    assert [codes_of(each) for each in paid] == [["granted"], ["granted"], ["budget_cost"]]
    assert [(each.given, each.cost_minor) for each in Reward.objects.order_by("pk")] == [(100, 10_000), (30, 3_000)]
    assert trace_of(paid[2])[0]["params"] == {"budget_minor": 13_050, "left_minor": 50}


def test_several_things_at_once_are_counted_with_all_they_cost_or_not_given(shop):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    gift("product", code="mug", cost_minor=30_000)
    extras = [{"kind": "product", "what": "mug", "amount": 1}]
    make_campaign(rule={**EACH_ORDER, "extras": extras}, budget_minor=79_999, when_short="cap")

    paid = [shop.pays(name, "500") for name in ("anna", "boris")]

    assert codes_of(paid[1]) == ["incomplete"]
    assert trace_of(paid[1])[0]["params"]["what"] == "mug"
    assert Counter.objects.values_list("count", "cost_minor").get(scope="campaign") == (1, 40_000)


def test_a_refund_frees_its_share_of_the_cost(shop):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    make_campaign(rule=EACH_ORDER, budget_minor=15_000)
    shop.pays("anna", "500", order="1")
    shop.refunds("anna", "250", order="1")

    assert [codes_of(shop.pays("anna", "500")) for _ in range(2)] == [["granted"], ["budget_cost"]]


def test_what_was_seen_and_cannot_be_taken_back_goes_on_costing(shop):
    gift("content", code="book", cost_minor=700)
    make_campaign(
        rule={**EACH_ORDER, "reward_kind": "content", "reward_what": "book", "amount_points": 1}, budget_minor=1_000
    )
    shop.pays("anna", "500", order="1")
    Entitlement.objects.update(shown_at=NOON)
    shop.cancels("anna", order="1")

    assert codes_of(shop.pays("boris", "500")) == ["budget_cost"]
    assert Reward.objects.values_list("lost", "lost_why").get() == (1, "shown")


def test_a_limit_says_for_itself_that_what_is_left_is_given(shop):
    make_campaign(
        rule=EACH_ORDER,
        when_short="refuse",
        budget_points=1_000,
        limits=[limit(max_points=150, when_short="cap")],
    )

    assert [codes_of(shop.pays("anna", "500")) for _ in range(3)] == [["granted"], ["granted"], ["limit_points"]]
    assert [each.given for each in shop.rewards_of("anna")] == [100, 50]


# When


def test_an_hour_is_one_of_the_tenants_clock(shop):
    make_campaign(rule=EACH_ORDER, limits=[limit(period="hour", max_count=1)])
    shop.at = NOON + 2 * HOUR
    instants = [NOON, NOON + HOUR - MOMENT, NOON + HOUR]

    told = [codes_of(shop.pays("anna", "500", occurred_at=each)) for each in instants]

    assert told == [["granted"], ["limit_count"], ["granted"]]


def test_so_many_days_are_the_tenants_own_and_today_is_one_of_them(shop):
    make_campaign(rule=EACH_ORDER, at=NOON - 30 * DAY, limits=[limit(period="rolling", days=3, max_count=1)])
    # In Moscow it is Thursday the 19th from nine in the evening on, by Greenwich.
    thursday = datetime(2026, 3, 18, 21, tzinfo=UTC)
    shop.at = NOON + 10 * DAY
    shop.pays("anna", "500", occurred_at=thursday)

    told = [
        codes_of(shop.pays("anna", "500", occurred_at=each))
        for each in (thursday - 2 * DAY, thursday + 3 * DAY - MOMENT, thursday - 2 * DAY - MOMENT, thursday + 3 * DAY)
    ]

    assert told == [["limit_count"], ["limit_count"], ["granted"], ["granted"]]
    params = Event.objects.get(occurred_at=thursday - 2 * DAY).trace[0]["params"]
    assert params == {"per": "member", "period": "rolling", "max": 1, "days": 3}


def test_a_late_event_overfills_no_window_of_days_that_has_passed(shop):
    make_campaign(rule=EACH_ORDER, at=NOON - 30 * DAY, limits=[limit(period="rolling", days=7, max_count=2)])
    for ago in (10, 4):
        shop.pays("anna", "500", occurred_at=NOON - ago * DAY)

    late = [codes_of(shop.pays("anna", "500", occurred_at=NOON - ago * DAY)) for ago in (7, 6, 11)]

    # From the 10th to the 4th day ago there are two.
    assert late == [["limit_count"], ["limit_count"], ["granted"]]


def test_rolling_days_that_become_more_know_what_was_given_before(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - 30 * DAY, limits=[limit(period="rolling", days=2, max_count=2)])
    for ago in (5, 4):
        shop.pays("anna", "500", occurred_at=NOON - ago * DAY)
    Limit.objects.update(days=7)
    edit(campaign, at=NOON)

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    shop.at += 2 * DAY
    assert codes_of(shop.pays("anna", "500")) == ["granted"]


# Given back, taken again


@pytest.mark.parametrize(
    "bound",
    [
        {"per": "inviter", "max_count": 1},
        {"per": "device", "max_count": 1},
        {"per": "card", "max_count": 1},
        {"per": "inviter", "max_cost_minor": 10_000},
        {"per": "inviter", "period": "rolling", "days": 30, "max_points": 100},
        {"per": "device", "period": "rolling", "days": 2, "max_count": 1},
        {"per": "campaign", "period": "hour", "max_count": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_everywhere", [False, True])
def test_a_rejection_gives_back_and_an_undone_one_asks_again(shop, max_, bound, is_everywhere):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    limits = [limit(**bound)]
    campaign = make_campaign(rule={"order_number": "any"}, limits=[] if is_everywhere else limits)
    if is_everywhere:
        Limit.objects.create(campaign=None, **limits[0])
    thing = {"device": "tablet-1", "card": "tok_4111_1"}
    shop.joins({"external_id": "anna", "email": "anna@example.com"})
    shop.joins({"external_id": "anna2", "email": "anna@example.com", **thing}, invited_by="anna")
    shop.pays("anna2", "500")
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, at=NOON)
    assert counters.verify(zone="Europe/Moscow") == []
    shop.joins({"external_id": "boris", **thing}, invited_by="anna")
    shop.pays("boris", "500", order="1")

    with pytest.raises(counters.LimitReached):
        transaction(deciding.undo)(case=case, by=max_, at=NOON)

    assert Reward.objects.filter(campaign=campaign).count() == 2
    shop.cancels("boris", order="1")
    deciding.undo(case=case, by=max_, at=NOON)
    assert counters.verify(zone="Europe/Moscow") == []


# Alarms


def test_alarms_are_facts_once_for_a_maximum_and_a_period(shop):
    campaign = make_campaign(rule=EACH_ORDER, budget_points=500)
    told = []
    for _ in range(6):
        shop.pays("anna", "500")
        told.append(Event.objects.filter(kind__startswith="limit.").count())

    assert told == [0, 0, 0, 1, 2, 2]
    nearly = Event.objects.get(kind="limit.nearly_used")
    assert nearly.data == {
        "campaign_id": campaign.pk,
        "measure": "points",
        "used": 400,
        "max": 500,
        "period": "ever",
        "period_start": "1970-01-01T00:00:00+00:00",
    }
    edit(campaign, at=NOON, budget_points=600)
    shop.pays("anna", "500")
    assert Event.objects.filter(kind="limit.used_up").count() == 2


def test_a_limit_over_all_campaigns_alarms_without_one(shop):
    make_campaign(rule=EACH_ORDER)
    everywhere = Limit.objects.create(campaign=None, **limit(per="campaign", period="day", max_count=1))

    shop.pays("anna", "500")

    found = {event.kind: event.data for event in Event.objects.filter(kind__startswith="limit.")}
    assert set(found) == {"limit.nearly_used", "limit.used_up"}
    assert (found["limit.used_up"]["limit_id"], "campaign_id" in found["limit.used_up"]) == (everywhere.pk, False)
