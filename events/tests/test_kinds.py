import re

import pytest

from events.kinds import ALL, CUSTOM, FACTS, KINDS, find_kind, find_reported, label_of
from events.models import Event
from events.shapes import compile_schema

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@EVERY_KIND
def test_the_example_of_a_kind_is_valid(kind):
    problems = []

    assert compile_schema(kind.schema)(dict(kind.example), "/data", problems) == kind.example
    assert problems == []


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_a_kind_says_what_it_means_in_one_line(kind):
    assert re.fullmatch(r"[A-Z].+\.", str(kind.meaning))
    assert str(kind.label)


@EVERY_KIND
def test_a_kind_offers_each_field_once(kind):
    names = [field.name for field in kind.fields]

    assert len(names) == len(set(names))
    assert {"channel", "member.orders", "member.days", "member.invited"} <= set(names)


def test_a_field_is_called_the_same_in_every_kind():
    labels = {(field.name, str(field.label)) for kind in ALL.values() for field in kind.fields}

    assert len(labels) == len({name for name, _label in labels})


def test_all_custom_events_are_one_kind():
    assert find_kind("custom.quiz_done") is KINDS[CUSTOM]
    assert label_of("custom.quiz_done") == "custom.quiz_done"
    # From no rule does it start: webhooks are told of it.
    assert label_of("reward.granted") == "A reward was granted"
    assert label_of("nothing.of_ours") == "nothing.of_ours"


@pytest.mark.parametrize(
    "name",
    ["", "order", "ORDER.PAID", CUSTOM, "custom.", "custom.Quiz", "custom.a b", f"custom.{'a' * 51}", "custom.a\n"],
)
def test_there_is_no_kind_of_another_name(name):
    assert find_kind(name) is None


def test_every_name_fits_its_column():
    longest = max(*map(len, ALL), len("custom.") + 50)

    assert longest <= Event._meta.get_field("kind").max_length


def test_an_order_is_paid_once_and_a_refund_is_of_its_order():
    paid, refunded = KINDS["order.paid"], KINDS["order.refunded"]

    assert paid.business_key({"order_id": "1001"}) == "order.paid:1001"
    assert refunded.business_key({"order_id": "1:2", "refund_id": "3"}) != refunded.business_key(
        {"order_id": "1", "refund_id": "2:3"}
    )
    assert KINDS["order.cancelled"].business_key({"order_id": "1001"}) is None


def test_business_keys_fit_their_column():
    ids = {"order_id": "x" * 100, "refund_id": "x" * 80}
    longest = max(len(kind.business_key(ids) or "") for kind in KINDS.values())

    assert longest <= Event._meta.get_field("business_key").max_length


def test_no_rule_starts_from_what_takes_rewards_back():
    assert {name for name, kind in KINDS.items() if not kind.is_trigger} == {"order.refunded", "order.cancelled"}


# Facts of our own


@pytest.mark.parametrize("kind", FACTS.values(), ids=FACTS)
def test_a_fact_can_start_a_rule_and_nobody_can_report_it(kind):
    assert find_kind(kind.name) is kind
    assert find_reported(kind.name) is None
    assert kind.is_trigger
    assert {"member.orders", "member.days", "member.invited"} <= {field.name for field in kind.fields}


def test_no_reward_starts_a_rule():
    assert [name for name in FACTS if name.startswith(("reward.", "entitlement.", "balance.", "campaign."))] == []
