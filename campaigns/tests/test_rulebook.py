"""Which rules were valid when an event occurred."""

from contextlib import suppress
from datetime import timedelta

import pytest

from campaigns import lifecycle, rulebook
from campaigns.definitions import Miss
from campaigns.models import Campaign
from campaigns.tests.making import act, make_campaign, make_rule
from campaigns.tests.offers import NOON
from core import db
from tenants import context

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class Undone(Exception):
    """What makes a block fall back to its savepoint."""


def amounts(kind="order.paid", *, at=NOON):
    return [rule.line.amount_points for _offer, rule in rulebook.current().offers(kind, at)]


def test_an_edit_applies_to_the_next_event_only():
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)
    campaign.rules.update(amount_points=250)
    act(lifecycle.publish, campaign, at=NOON + MINUTE)

    assert amounts(at=NOON) == [100]
    assert amounts(at=NOON + MINUTE - timedelta(microseconds=1)) == [100]
    assert amounts(at=NOON + MINUTE) == [250]
    assert amounts(at=NOON + 60 * MINUTE) == [250]


def test_an_edit_that_is_not_published_applies_to_nothing():
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)
    campaign.rules.update(amount_points=250)

    assert amounts(at=NOON + MINUTE) == [100]


def test_a_draft_is_in_nobody_s_rulebook():
    make_campaign()

    assert amounts() == []
    assert rulebook.current().kinds == frozenset()


def test_the_first_version_counts_from_the_campaign_s_own_start_if_that_is_earlier():
    act(lifecycle.activate, make_campaign(starts_at=NOON - 60 * MINUTE), at=NOON)

    [(offer, _rule)] = rulebook.current().offers("order.paid", NOON - MINUTE)
    assert offer.miss_at(NOON - MINUTE) is None
    [(offer, _rule)] = rulebook.current().offers("order.paid", NOON - 61 * MINUTE)
    starts_at = (NOON - 60 * MINUTE).isoformat()
    assert offer.miss_at(NOON - 61 * MINUTE) == Miss("campaign_not_started", {"starts_at": starts_at})


def test_the_first_version_is_there_before_its_time_to_say_that_it_had_not_begun():
    act(lifecycle.activate, make_campaign(), at=NOON)

    [(offer, _rule)] = rulebook.current().offers("order.paid", NOON - MINUTE)

    assert offer.miss_at(NOON - MINUTE) == Miss("campaign_not_started", {"starts_at": NOON.isoformat()})


def test_what_was_paused_then_says_so_and_what_is_stopped_now_does_too():
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)
    act(lifecycle.pause, campaign, at=NOON + MINUTE)
    act(lifecycle.resume, campaign, at=NOON + 2 * MINUTE)
    act(lifecycle.stop, campaign, at=NOON + 3 * MINUTE)
    book = rulebook.current()

    misses = []
    for minutes in range(4):
        at = NOON + minutes * MINUTE
        [(offer, _rule)] = book.offers("order.paid", at)
        misses.append(offer.miss_at(at))

    assert misses == [None, Miss("campaign_paused"), None, Miss("campaign_stopped")]
    last = book.now(campaign.pk)
    assert last
    assert (last.status, last.number) == ("stopped", 4)
    assert book.now(campaign.pk + 1) is None


def test_rules_stand_by_priority_then_age_then_place():
    low, high, other = (
        make_campaign(name=name, priority=priority) for name, priority in [("a", 0), ("b", 9), ("c", 0)]
    )
    make_rule(high, position=5, amount_points=3)
    make_rule(high, position=2, amount_points=2)
    for campaign in (other, high, low):
        act(lifecycle.activate, campaign, at=NOON)

    found = [
        (offer.campaign_id, rule.line.amount_points) for offer, rule in rulebook.current().offers("order.paid", NOON)
    ]

    assert found == [(high.pk, 100), (high.pk, 2), (high.pk, 3), (low.pk, 100), (other.pk, 100)]


def test_only_rules_on_the_kind_are_found():
    act(lifecycle.activate, make_campaign({"trigger": "custom.quiz", "amount_points": 5}, {}), at=NOON)

    assert amounts("custom.quiz") == [5]
    assert amounts("custom.other") == []
    assert rulebook.current().kinds == {"custom.quiz", "order.paid"}


def test_a_rule_says_why_it_does_not_hold():
    asked = {"field": "amount_minor", "operator": "at_least", "value": 50_000}
    act(lifecycle.activate, make_campaign({"conditions": [asked]}), at=NOON)

    [(_offer, rule)] = rulebook.current().offers("order.paid", NOON)

    assert rule.miss({"member.orders": 0, "amount_minor": 50_000}) is None
    assert rule.miss({"member.orders": 0, "amount_minor": 100}) == Miss(
        "condition", {"index": 0, **asked, "found": 100}
    )


def test_an_unchanged_rulebook_costs_one_statement(django_assert_num_queries):
    act(lifecycle.activate, make_campaign(), at=NOON)
    with django_assert_num_queries(2):
        first = rulebook.current()

    with django_assert_num_queries(1):
        assert rulebook.current() is first

    make_rule(Campaign.objects.get(), amount_points=7)
    act(lifecycle.publish, Campaign.objects.get(), at=NOON + MINUTE)
    with django_assert_num_queries(2):
        assert rulebook.current() is not first


def test_a_version_that_was_rolled_back_is_forgotten():
    act(lifecycle.activate, make_campaign(), at=NOON)

    with suppress(Undone), db.savepoint():
        lifecycle.activate(campaign=make_campaign({"amount_points": 7}), author="mia", at=NOON)
        assert amounts() == [100, 7]
        raise Undone

    assert amounts() == [100]


def test_each_tenant_has_its_own(acme, bolt):
    act(lifecycle.activate, make_campaign(), at=NOON)
    with context.in_tenant(bolt.schema_name):
        assert amounts() == []
        act(lifecycle.activate, make_campaign({"amount_points": 7}), at=NOON)
        assert amounts() == [7]

    assert amounts() == [100]


def test_few_tenants_are_remembered_at_once(acme, bolt, monkeypatch):
    monkeypatch.setattr(rulebook, "TENANTS_MAX", 1)
    rulebook.current()
    with context.in_tenant(bolt.schema_name):
        rulebook.current()

        assert list(rulebook._kept) == [bolt.schema_name]
