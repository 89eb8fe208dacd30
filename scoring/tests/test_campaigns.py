"""Which campaigns an event is scored by: their dates, their versions, their conditions, and each other."""

from datetime import timedelta

import pytest

from campaigns import lifecycle
from campaigns.models import Rule
from rewards.models import Reward
from tests.cast import NOON, act, codes_of, edit, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


def at_least(amount_minor):
    return [{"field": "amount_minor", "operator": "at_least", "value": amount_minor}]


def test_a_kind_that_no_campaign_rewards_says_so(shop):
    make_campaign(rule=EACH_ORDER)

    checked_in = shop.tells("check_in", "anna")

    assert checked_in.trace == [{"outcome": "missed", "code": "no_rule", "params": {"kind": "check_in"}}]
    assert checked_in.status == "handled"


@pytest.mark.parametrize(("verb", "code"), [(lifecycle.pause, "campaign_paused"), (lifecycle.end, "campaign_ended")])
def test_a_paused_or_ended_campaign_gives_nothing_from_then_on(shop, verb, code):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - HOUR)
    act(verb, campaign, at=NOON)

    after = shop.pays("anna", "500", occurred_at=NOON)
    before = shop.pays("anna", "500", occurred_at=NOON - timedelta(microseconds=1))

    assert (codes_of(after), codes_of(before)) == ([code], ["granted"])
    assert shop.balance_of("anna") == 100


def test_what_happens_during_a_pause_stays_unrewarded(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - 3 * HOUR)
    act(lifecycle.pause, campaign, at=NOON - 2 * HOUR)
    act(lifecycle.resume, campaign, at=NOON - HOUR)

    told = [codes_of(shop.pays("anna", "500", occurred_at=NOON - ago * HOUR / 2)) for ago in (5, 3, 1)]

    assert told == [["granted"], ["campaign_paused"], ["granted"]]


def test_the_first_moment_belongs_to_a_campaign_and_the_last_does_not(shop):
    make_campaign(rule=EACH_ORDER, at=NOON - 2 * HOUR, starts_at=NOON - HOUR, ends_at=NOON)
    moment = timedelta(microseconds=1)

    instants = [NOON - HOUR - moment, NOON - HOUR, NOON - moment, NOON]
    told = [codes_of(shop.pays("anna", "500", occurred_at=each)) for each in instants]

    assert told == [["campaign_not_started"], ["granted"], ["granted"], ["campaign_over"]]


def test_a_change_applies_from_the_next_event_on(shop):
    campaign = make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    shop.at = NOON + HOUR
    edit(campaign, at=shop.at, rule={"amount_points": 7})

    shop.pays("anna", "500")

    assert [reward.given for reward in shop.rewards_of("anna")] == [100, 7]
    assert list(Reward.objects.order_by("pk").values_list("version__number", flat=True)) == [1, 2]


def test_what_occurred_before_a_change_is_scored_by_what_was_valid_then(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - HOUR)
    waiting = shop.report("order.paid", "anna", order_id="1", amount_minor=100, currency="RUB")
    shop.at = NOON + HOUR
    edit(campaign, at=shop.at, rule={"amount_points": 7})

    shop.handle()
    late = shop.pays("anna", "500", occurred_at=NOON + HOUR - timedelta(microseconds=1))

    waiting.refresh_from_db()
    assert [entry["points"] for entry in trace_of(waiting) + trace_of(late)] == [100, 100]


def test_history_is_scored_by_what_was_valid_then(shop):
    shop.may_backfill = True
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - 2 * YEAR, starts_at=NOON - 3 * YEAR)
    edit(campaign, at=NOON - YEAR, rule={"amount_points": 7})

    events = [shop.pays("anna", "500", occurred_at=NOON - years * YEAR - HOUR) for years in (3, 2, 1, 0)]

    assert [codes_of(each) for each in events] == [["campaign_not_started"], ["granted"], ["granted"], ["granted"]]
    assert [reward.given for reward in shop.rewards_of("anna")] == [100, 100, 7]


def test_a_rule_says_which_of_its_conditions_did_not_hold(shop):
    conditions = [*at_least(50_000), {"field": "channel", "operator": "equals", "value": "telegram"}]
    make_campaign(rule={**EACH_ORDER, "conditions": conditions})

    orders = [
        shop.pays("anna", "499.99", channel="telegram"),
        shop.pays("anna", "500.00"),
        shop.pays("anna", "500.00", channel="site"),
        shop.pays("anna", "500.00", channel="Telegram"),
    ]

    assert [codes_of(each) for each in orders] == [["condition"], ["field_missing"], ["condition"], ["granted"]]


def test_one_condition_of_any_is_enough(shop):
    conditions = [*at_least(50_000), {"field": "channel", "operator": "equals", "value": "telegram"}]
    make_campaign(rule={**EACH_ORDER, "match": "any", "conditions": conditions})

    told = [codes_of(shop.pays("anna", amount, channel="telegram")) for amount in ("1", "500")]

    assert told == [["granted"], ["granted"]]
    assert codes_of(shop.pays("anna", "1", channel="site")) == ["no_condition"]


def test_a_rule_can_ask_about_the_member(shop):
    make_campaign(
        rule={
            "trigger": "check_in",
            "recipient": "actor",
            "order_number": "any",
            "conditions": [
                {"field": "member.days", "operator": "at_least", "value": 2},
                {"field": "member.orders", "operator": "at_least", "value": 1},
                {"field": "member.invited", "operator": "is", "value": True},
            ],
        }
    )
    shop.joins("boris", invited_by="anna")
    shop.at = NOON + timedelta(days=2)
    before = shop.tells("check_in", "boris")
    shop.pays("boris", "1")

    after = shop.tells("check_in", "boris", occurred_at=shop.at)

    assert (codes_of(before), codes_of(after)) == (["condition"], ["granted"])


def test_later_orders_have_rules_of_their_own(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "repeat"})

    told = [codes_of(shop.pays("anna", "500")) for _ in range(2)]

    assert told == [["not_repeat_order"], ["granted"]]


def test_of_two_orders_told_in_the_wrong_order_one_is_the_first(shop):
    make_campaign(at=NOON - 3 * HOUR)
    shop.joins("boris", invited_by="anna", occurred_at=NOON - 2 * HOUR)

    newest = shop.pays("boris", "500", occurred_at=NOON)
    older = shop.pays("boris", "500", occurred_at=NOON - HOUR)

    assert (codes_of(newest), codes_of(older)) == (["granted"], ["not_first_order"])
    assert shop.balance_of("anna") == 100


def test_campaigns_add_up(shop):
    make_campaign(name="Spring", rule=EACH_ORDER)
    make_campaign(name="Summer", rule={**EACH_ORDER, "amount_points": 7})

    shop.pays("anna", "500")

    assert shop.balance_of("anna") == 107


def test_of_an_exclusive_group_the_highest_priority_rewards_and_the_others_say_so(shop):
    make_campaign(name="Spring", rule=EACH_ORDER, exclusive_group="season")
    make_campaign(name="Summer", rule={**EACH_ORDER, "amount_points": 7}, exclusive_group="season", priority=1)
    make_campaign(name="Always", rule={**EACH_ORDER, "amount_points": 1})

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["granted", "exclusive_group", "granted"]
    assert shop.balance_of("anna") == 8


def test_of_an_exclusive_group_the_next_one_rewards_what_the_first_does_not(shop):
    make_campaign(name="Spring", rule=EACH_ORDER, exclusive_group="season")
    demanding = {**EACH_ORDER, "conditions": at_least(50_000)}
    make_campaign(name="Summer", rule=demanding, exclusive_group="season", priority=1)

    paid = shop.pays("anna", "1")

    assert codes_of(paid) == ["condition", "granted"]


def test_several_rules_of_one_campaign_reward_together_even_in_an_exclusive_group(shop):
    campaign = make_campaign(rule=EACH_ORDER, exclusive_group="season")
    Rule.objects.create(campaign=campaign, **{"trigger": "order.paid", **EACH_ORDER, "amount_points": 7, "position": 1})
    edit(campaign, at=NOON)

    shop.pays("anna", "500")

    assert shop.balance_of("anna") == 107


def test_a_campaign_after_sixty_old_ones_still_rewards(shop):
    for number in range(60):
        act(lifecycle.end, make_campaign(name=f"Old {number}", rule=EACH_ORDER, at=NOON - HOUR), at=NOON - HOUR)
    make_campaign(name="New", rule=EACH_ORDER)

    paid = shop.pays("anna", "500")

    assert shop.balance_of("anna") == 100
    assert codes_of(paid)[-1] == "granted"
    assert len(trace_of(paid)) == 51
