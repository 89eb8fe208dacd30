"""How much may be given: limits by the tenant's calendar, budgets, and what they do when less is left than is due."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from antifraud.limits import counters, overall
from antifraud.models import Case
from antifraud.moderation import deciding
from campaigns.models import Limit
from core.db import transaction
from rewards.models import Asset, Reward
from rewards.tests.gifts import gift
from scoring import why
from tenants import context
from tenants.models import Tenant
from tests.cast import NOON, codes_of, edit, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
TWO_A_MONTH = {"per": "member", "period": "month", "max_count": 2}
# Acme lives in Moscow, three hours ahead.
APRIL = datetime(2026, 3, 31, 21, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def given(shop, name="anna"):
    return [reward.given for reward in shop.rewards_of(name)]


def test_the_third_in_a_month_is_one_too_many(shop):
    make_campaign(rule=EACH_ORDER, limits=[TWO_A_MONTH])
    shop.pays("anna", "500")
    shop.pays("anna", "500")

    third = shop.pays("anna", "500")

    assert codes_of(third) == ["limit_count"]
    assert trace_of(third)[0]["params"] == {"per": "member", "period": "month", "max": 2}
    assert shop.balance_of("anna") == 200


def test_the_month_ends_at_the_tenants_midnight(shop):
    make_campaign(rule=EACH_ORDER, limits=[{**TWO_A_MONTH, "max_count": 1}])
    shop.at = APRIL
    shop.pays("anna", "500", occurred_at=NOON)

    in_march = shop.pays("anna", "500", occurred_at=APRIL - MOMENT)
    in_april = shop.pays("anna", "500", occurred_at=APRIL)

    assert (codes_of(in_march), codes_of(in_april)) == (["limit_count"], ["granted"])


@pytest.mark.parametrize(("period", "ends_after_days"), [("day", 1), ("week", 6)])
def test_other_periods_end_at_the_tenants_midnight_too(shop, period, ends_after_days):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": period, "max_count": 1}])
    end = datetime(2026, 3, 16, 21, tzinfo=UTC) + timedelta(days=ends_after_days)
    shop.at = end
    shop.pays("anna", "500", occurred_at=NOON)

    before = shop.pays("anna", "500", occurred_at=end - MOMENT)
    after = shop.pays("anna", "500", occurred_at=end)

    assert (codes_of(before), codes_of(after)) == (["limit_count"], ["granted"])


def test_for_ever_never_ends(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "ever", "max_count": 1}])
    shop.pays("anna", "500")
    shop.at += timedelta(days=3650)

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]


def test_a_member_has_a_limit_of_their_own_and_the_campaign_one_for_all(shop):
    make_campaign(
        rule=EACH_ORDER, limits=[{**TWO_A_MONTH, "max_count": 1}, {**TWO_A_MONTH, "per": "campaign", "max_count": 2}]
    )
    told = [codes_of(shop.pays(name, "500")) for name in ("anna", "anna", "boris", "clara")]

    assert told == [["granted"], ["limit_count"], ["granted"], ["limit_count"]]


def test_a_limit_of_one_batch_is_kept_within_the_batch(shop):
    make_campaign(rule=EACH_ORDER, limits=[TWO_A_MONTH])
    for number in range(4):
        shop.report("order.paid", "anna", order_id=f"o{number}", amount_minor=100, currency="RUB")

    shop.handle()

    assert given(shop) == [100, 100]


def test_a_limit_of_points_gives_what_is_left(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "ever", "max_points": 150}], when_short="cap")

    paid = [shop.pays("anna", "500") for _ in range(3)]

    assert [codes_of(each) for each in paid] == [["granted"], ["granted"], ["limit_points"]]
    assert [(reward.due, reward.given) for reward in shop.rewards_of("anna")] == [(100, 100), (100, 50)]
    assert shop.balance_of("anna") == 150


def test_a_limit_of_points_gives_nothing_when_it_would_not_be_all(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "ever", "max_points": 150}])

    paid = [shop.pays("anna", "500") for _ in range(2)]

    assert [codes_of(each) for each in paid] == [["granted"], ["limit_points"]]
    assert given(shop) == [100]


def test_a_budget_gives_what_is_left(shop):
    make_campaign(rule=EACH_ORDER, budget_points=130, when_short="cap")

    paid = [shop.pays(name, "500") for name in ("anna", "boris", "clara")]

    assert [codes_of(each) for each in paid] == [["granted"], ["granted"], ["budget"]]
    assert [(entry["due"], entry["points"]) for entry in trace_of(paid[1])] == [(100, 30)]
    with translation.override("en"):
        assert [entry["sentence"] for entry in why.rendered(paid[1].trace)] == ["Granted: 30 points of 100 due."]
    assert trace_of(paid[2])[0]["params"] == {"budget": 130, "left": 0}
    assert shop.balance_of("boris") == 30


def test_a_budget_gives_nothing_when_it_would_not_be_all(shop):
    make_campaign(rule=EACH_ORDER, budget_points=130)

    paid = [shop.pays(name, "500") for name in ("anna", "boris")]

    assert [codes_of(each) for each in paid] == [["granted"], ["budget"]]
    assert trace_of(paid[1])[0]["params"] == {"budget": 130, "left": 30}


def test_both_sides_share_a_budget(shop):
    make_campaign(rule={"recipient": "both"}, budget_points=150, when_short="cap")
    shop.joins("boris", invited_by="anna")

    shop.pays("boris", "500")

    assert (given(shop), given(shop, "boris")) == ([100], [50])


def test_what_is_pending_or_flagged_counts(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 14}, budget_points=100)
    shop.pays("anna", "500")

    assert codes_of(shop.pays("anna", "500")) == ["budget"]


def test_a_limit_added_in_the_middle_of_the_month_counts_what_was_given_in_it(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - timedelta(days=30))
    shop.at = NOON
    shop.pays("anna", "500", occurred_at=NOON - timedelta(days=20))
    shop.pays("anna", "500")
    Limit.objects.create(campaign=campaign, **TWO_A_MONTH)
    edit(campaign, at=NOON)

    told = [codes_of(shop.pays("anna", "500")) for _ in range(2)]

    assert told == [["granted"], ["limit_count"]]


def test_what_happened_before_a_limit_is_not_bound_by_it_but_counts(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - timedelta(days=1))
    Limit.objects.create(campaign=campaign, **TWO_A_MONTH)
    edit(campaign, at=NOON)
    shop.pays("anna", "500")

    late = [shop.pays("anna", "500", occurred_at=NOON - timedelta(hours=1)) for _ in range(2)]

    assert [codes_of(each) for each in late] == [["granted"], ["granted"]]
    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]


def test_what_happened_before_a_limit_can_be_refunded(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - timedelta(days=1))
    Limit.objects.create(campaign=campaign, **TWO_A_MONTH)
    edit(campaign, at=NOON)
    shop.pays("anna", "500", order="new")
    shop.cancels("anna", order="new")
    shop.pays("anna", "500", order="old", occurred_at=NOON - timedelta(hours=1))

    shop.cancels("anna", order="old")

    assert shop.balance_of("anna") == 0


def test_a_limit_that_was_of_another_period_for_a_while_counts_that_time(shop):
    campaign = make_campaign(rule=EACH_ORDER, limits=[TWO_A_MONTH])
    shop.pays("anna", "500")
    for period in ("day", "month"):
        Limit.objects.update(period=period)
        edit(campaign, at=NOON)
        shop.pays("anna", "500")

    assert given(shop) == [100, 100]


def test_a_lower_limit_does_not_reach_back(shop):
    campaign = make_campaign(rule=EACH_ORDER, limits=[TWO_A_MONTH])
    shop.pays("anna", "500")
    shop.pays("anna", "500")
    Limit.objects.update(max_count=1)
    edit(campaign, at=NOON)

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    assert given(shop) == [100, 100]


def test_a_deleted_limit_binds_nobody_any_more(shop):
    campaign = make_campaign(rule=EACH_ORDER, limits=[{**TWO_A_MONTH, "max_count": 1}])
    shop.pays("anna", "500", order="1")
    Limit.objects.all().delete()
    edit(campaign, at=NOON)

    shop.pays("anna", "500", order="2")
    shop.cancels("anna", order="1")
    shop.cancels("anna", order="2")

    assert [reward.status for reward in shop.rewards_of("anna")] == ["reversed", "reversed"]


def test_a_cancelled_order_frees_its_limit(shop):
    make_campaign(rule=EACH_ORDER, limits=[{**TWO_A_MONTH, "max_count": 1}], budget_points=100)
    shop.pays("anna", "500", order="1")
    shop.cancels("anna", order="1")

    assert codes_of(shop.pays("anna", "500")) == ["granted"]


def test_a_partial_refund_frees_points_and_no_reward(shop):
    make_campaign(rule=EACH_ORDER, limits=[TWO_A_MONTH], budget_points=150)
    shop.pays("anna", "500", order="1")
    shop.refunds("anna", "250", order="1")

    told = [codes_of(shop.pays("anna", "500")) for _ in range(2)]

    assert told == [["granted"], ["limit_count"]]


def test_a_refund_does_not_make_a_limit_forget_its_maximum(shop, max_):
    """An undone rejection asks for the limit again: what the database knows of it must still stand."""
    make_campaign(rule={"order_number": "any"}, limits=[{**TWO_A_MONTH, "max_count": 1}])
    shop.joins({"external_id": "anna", "email": "anna@example.com"})
    shop.joins({"external_id": "anna2", "email": "anna@example.com"}, invited_by="anna")
    shop.pays("anna2", "500")
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, at=NOON)
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="1")
    shop.refunds("boris", "100", order="1")

    with pytest.raises(deciding.counters.LimitReached):
        transaction(deciding.undo)(case=case, by=max_, at=NOON)

    assert [reward.status for reward in shop.rewards_of("anna")] == ["rejected", "granted"]


def test_a_refused_reward_uses_nothing(shop, max_):
    make_campaign(limits=[{**TWO_A_MONTH, "max_count": 1}])
    shop.joins({"external_id": "anna", "email": "a@example.com", "device": "phone-1"})
    shop.joins({"external_id": "anna2", "email": "a@example.com", "device": "phone-1"}, invited_by="anna")
    assert codes_of(shop.pays("anna2", "500")) == ["refused"]

    shop.joins("boris", invited_by="anna")

    assert codes_of(shop.pays("boris", "500")) == ["granted"]


def test_two_campaigns_do_not_share_their_limits(shop):
    for name in ("Spring", "Summer"):
        make_campaign(rule=EACH_ORDER, name=name, limits=[{**TWO_A_MONTH, "max_count": 1}])

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["granted", "granted"]
    assert Reward.objects.count() == 2


def test_rewards_of_an_earlier_version_count_towards_the_budget_of_the_next(shop):
    campaign = make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    edit(campaign, at=NOON, budget_points=150)

    assert codes_of(shop.pays("anna", "500")) == ["budget"]


@pytest.mark.parametrize(
    "lowered", [{"max_points": 150}, {"max_cost_minor": 15_000}, {"budget_points": 150}, {"budget_minor": 15_000}]
)
def test_what_has_no_points_and_costs_nothing_is_given_when_a_maximum_is_below_what_is_used(shop, lowered):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    gift("privilege", code="queue")
    campaign = make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    shop.pays("anna", "500")
    if "max_points" in lowered or "max_cost_minor" in lowered:
        Limit.objects.create(campaign=campaign, per="member", period="month", **lowered)
        lowered = {}
    rule = {"reward_kind": "privilege", "reward_what": "queue", "amount_points": None}
    edit(campaign, at=NOON, rule=rule, **lowered)

    paid = shop.pays("anna", "500")

    assert (paid.status, codes_of(paid)) == ("handled", ["granted"])
    edit(campaign, at=NOON, rule={"reward_kind": "points", "reward_what": "", "amount_points": 100})
    assert codes_of(shop.pays("anna", "500"))[0] in {"limit_points", "limit_cost", "budget", "budget_cost"}
    assert counters.verify(zone="Europe/Moscow") == []


def settle_in(tenant, name):
    Tenant.objects.filter(pk=tenant.pk).update(time_zone=name)
    context.forget()
    context._set(Tenant.objects.get(pk=tenant.pk))


def test_who_moves_to_another_zone_and_back_has_no_more_room(shop, acme):
    make_campaign(rule=EACH_ORDER, limits=[TWO_A_MONTH])
    shop.pays("anna", "500")
    settle_in(acme, "Asia/Tokyo")
    shop.pays("anna", "500")
    overall.night(schema=acme.schema_name, day=NOON.date(), at=NOON)
    assert counters.verify(zone="Asia/Tokyo") == []
    settle_in(acme, "Europe/Moscow")

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    overall.night(schema=acme.schema_name, day=NOON.date(), at=NOON)
    assert counters.verify(zone="Europe/Moscow") == []
