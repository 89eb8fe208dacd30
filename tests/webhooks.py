"""Webhooks in words: add one, let what is due go out, read what came as its receiver would."""

import json
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

import time_machine
from standardwebhooks.webhooks import Webhook

from core.db import transaction
from events import facts
from events.facts import Fact
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints, lanes
from integrations.webhooks.endpoints import Wanted
from rewards.actors import Actor
from tests.cast import NOON
from tests.stand_ins.receivers import Came, Receiver

MARTA = Actor("staff", "marta")
# Dice that fall in the middle: no jitter.
STRAIGHT = type("Straight", (Random,), {"uniform": lambda _self, low, high: (low + high) / 2})(0)


@transaction
def add(url: str, *, kinds: Sequence[str] | None = None, at: datetime = NOON) -> tuple[Endpoint, str]:
    """Add a webhook, and return it with its secret."""
    return endpoints.add(wanted=Wanted(url=url, kinds=kinds), by=MARTA, at=at)


@transaction
def happen(*numbers: int, at: datetime = NOON, member_id: int | None = None) -> None:
    """Let rewards of these numbers be granted."""
    about = [(each, {"reward_id": each, "kind": "points", "what": ""}) for each in numbers]
    told_of = [Fact("reward.granted", f"reward:{each}:granted", data, member_id) for each, data in about]
    facts.record(facts=told_of, at=at)


def act(verb: Any, endpoint: Endpoint, *, at: datetime = NOON, **told: Any) -> Any:
    """Let Marta do something about a webhook."""
    with transaction():
        return verb(endpoint=endpoint, by=MARTA, at=at, **told)


def send_due(*, at: datetime, rng: Random = STRAIGHT) -> int:
    """Deliver all that is due in the current tenant, one after the other, and return how many attempts that took."""
    count = 0
    while due := lanes.find_due(at=at):
        for each in due:
            while lanes.deliver_one(endpoint_id=each.endpoint_id, rng=rng, at=at):
                count += 1
    return count


def read(came: Came, secret: str, *, at: datetime) -> dict[str, Any]:
    """Read a message as the independent library of Standard Webhooks does, at that time; it raises if it is forged."""
    with time_machine.travel(at, tick=False):
        found: dict[str, Any] = Webhook(secret).verify(came.body, came.headers)
    return found


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """Return what a receiver was told, in the order in which it came."""
    return [json.loads(came.body) for came in receiver.came]


def ids_of(receiver: Receiver) -> set[str]:
    """Return the ids of the messages that came, each once."""
    return {came.message_id for came in receiver.came}


def statuses(endpoint: Endpoint) -> list[tuple[str, str, int]]:
    """Return of each delivery to a webhook its kind, its status and how often it was tried, the oldest first."""
    rows = Delivery.objects.filter(endpoint=endpoint).order_by("pk")
    return list(rows.values_list("kind", "status", "attempts"))
