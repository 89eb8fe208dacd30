"""What a version says, and that its JSON says the same."""

import json
from datetime import timedelta
from typing import Any

import pytest

from campaigns.definitions import Condition, LimitLine, Miss, Tier, as_json, from_json
from campaigns.tests.offers import NOON, offer, rule

FULL = offer(
    ends_at=NOON + timedelta(days=30),
    budget_points=10_000,
    when_short="cap",
    priority=5,
    exclusive_group="spring",
    rules=(
        rule(
            match="any",
            conditions=(
                Condition(field="amount_minor", operator="at_least", value=50_000),
                Condition(field="channel", operator="one_of", value=("shop", "bot")),
                Condition(field="member.invited", operator="is", value=True),
            ),
        ),
        rule(id=2, position=1, amount_kind="tiers", amount_points=None),
    ),
    limits=(LimitLine(id=7, per="member", period="month", max_count=10),),
    tiers=(Tier(from_count=1, amount_points=100), Tier(from_count=5, amount_points=150)),
)
COLUMNS: dict[str, Any] = {"campaign_id": 1, "version_id": 11, "number": 1, "valid_from": NOON}


def test_reads_back_what_it_wrote():
    stored = json.loads(json.dumps(as_json(FULL)))

    assert from_json(stored, **COLUMNS) == FULL


def test_writes_what_json_gives_back_so_that_an_unchanged_campaign_equals_its_version():
    assert json.loads(json.dumps(as_json(FULL))) == as_json(FULL)


def test_reads_a_definition_that_is_older_than_a_field():
    assert from_json({"name": "Old", "status": "active"}, **COLUMNS) == offer(name="Old", starts_at=None, rules=())


@pytest.mark.parametrize(
    ("told", "minutes", "miss"),
    [
        ({}, 0, None),
        ({}, -1, Miss("campaign_not_started", {"starts_at": NOON.isoformat()})),
        ({"starts_at": NOON - timedelta(hours=1)}, -1, None),
        ({"starts_at": None}, -1, Miss("campaign_not_started", {"starts_at": NOON.isoformat()})),
        ({"ends_at": NOON + timedelta(minutes=1)}, 0, None),
        (
            {"ends_at": NOON + timedelta(minutes=1)},
            1,
            Miss("campaign_over", {"ends_at": (NOON + timedelta(minutes=1)).isoformat()}),
        ),
        ({"status": "paused"}, 0, Miss("campaign_paused")),
        ({"status": "stopped"}, 0, Miss("campaign_stopped")),
        ({"status": "ended"}, 0, Miss("campaign_ended")),
    ],
)
def test_a_campaign_rewards_from_its_start_up_to_its_end_while_it_is_active(told, minutes, miss):
    assert offer(**told).miss_at(NOON + timedelta(minutes=minutes)) == miss
