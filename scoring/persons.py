"""Whom a batch is about, as they were known before it: one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from antifraud.judging import observing
from antifraud.judging.observed import Nearby, Pace, Ranges
from antifraud.judging.ties import type_of_identity
from campaigns.conditions import ORDERS
from campaigns.definitions import RuleLine
from core import db, sealing
from members.normalise import InvalidIdentity, normalise_one
from referrals.touch import Miss, Touch, Touches
from rewards import assets
from scoring import questions
from scoring.situation import Incoming, Person, Promise
from scoring.surroundings import Surroundings
from tenants import context

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JOINED = "member.joined"
THINGS = frozenset({"device", "card"})


class Known(NamedTuple):
    """Everybody by their numbers, and what is known around all of them."""

    people: dict[int, Person]
    nearby: Nearby


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who of a batch's people is asked for what."""

    actors: frozenset[int]
    joiners: frozenset[int]
    inviters: frozenset[int]
    invitees: frozenset[int]
    ids: frozenset[int]

    @property
    def related(self) -> frozenset[int]:
        """Everybody who invites or is invited, or would like to be."""
        return self.inviters | self.invitees | self.joiners


def read(
    *,
    incoming: Sequence[Incoming],
    touches: Touches,
    others: Collection[int],
    around: Surroundings,
    ranges: Ranges,
    at: datetime,
) -> Known:
    """Return everybody: whom the events are about, whom touches lead to, and `others`; in one statement."""
    concerned = _concerned(incoming, touches, others)
    named = _named(incoming)
    params = _params(incoming, concerned, named, around, at=at)
    rows = db.fetch(questions.statement(params, around), params)
    people = {row.id: _person(row, around, ranges) for row in rows}
    nearby = observing.nearby_of(rows, own={each: people[each].identities for each in concerned.related})
    if any(kind == "telegram" for each in concerned.invitees for kind, _lookup in people[each].identities):
        nearby = replace(nearby, telegram_newest=observing.telegram_newest(at=at))
    return Known(people, nearby)


def _concerned(incoming: Sequence[Incoming], touches: Touches, others: Collection[int]) -> Concerned:
    actors = frozenset(each.member_id for each in incoming)
    joiners = frozenset(each.member_id for each in incoming if each.kind == JOINED)
    inviters = {touch.inviter_id for each in incoming for touch in touches_of(each, touches=touches)}
    inviters |= {each.inviter_id for each in touches.referrals.values()}
    invitees = joiners | set(touches.referrals)
    ids = actors | inviters | invitees | set(others)
    return Concerned(actors, joiners, frozenset(inviters), frozenset(invitees), frozenset(ids))


def _named(incoming: Sequence[Incoming]) -> list[type_of_identity]:
    """Return the devices and cards that events name which may earn their own member something."""
    return sorted(
        {
            pair
            for each in incoming
            if each.named and any(line.missed is None and line.rule.line.recipient == "actor" for line in each.lines)
            for pair in each.named
        }
    )


def _params(
    incoming: Sequence[Incoming],
    concerned: Concerned,
    named: Sequence[type_of_identity],
    around: Surroundings,
    *,
    at: datetime,
) -> dict[str, Any]:
    instants = [each.occurred_at for each in incoming]
    lines = (line for each in incoming if each.member_id in concerned.invitees for line in each.lines)
    # When they rewarded friends: of a campaign that rewards nobody else that is not asked.
    of_friends = (line for line in lines if line.missed is None and line.rule.line.recipient != "actor")
    return {
        "ids": sorted(concerned.ids),
        "first": min(concerned.ids),
        "actors": sorted(concerned.actors),
        "joiners": sorted(concerned.joiners),
        "counted": sorted(concerned.joiners | _counted(incoming)),
        "inviters": sorted(concerned.inviters),
        "invitees": sorted(concerned.invitees),
        "related": sorted(concerned.related),
        "since": min(instants) - HOUR,
        "signups_since": min(instants) - DAY,
        "until": max(instants),
        "kinds": sorted({each.kind for each in incoming}),
        "capped": [each.id for each in around.lines.values() if each.balance_max is not None],
        "campaigns": sorted({line.offer.campaign_id for line in of_friends}),
        "named_kinds": [kind for kind, _lookup in named],
        "named_lookups": [lookup for _kind, lookup in named],
        "staff": [each for email in around.staff if (each := _staff_lookup(context.current().schema_name, email))],
        "at": at,
    }


def _counted(incoming: Sequence[Incoming]) -> set[int]:
    """Return the members of whom a rule asks how many orders they have."""
    lines = [(each.member_id, line.rule.line) for each in incoming for line in each.lines if line.missed is None]
    rules = {rule.id: rule for _member_id, rule in lines}
    asking = {rule.id for rule in rules.values() if _asks_for_orders(rule)}
    return {member_id for member_id, rule in lines if rule.id in asking}


def _asks_for_orders(rule: RuleLine) -> bool:
    return rule.order_number != "any" or any(each.field == ORDERS for each in rule.conditions)


def _person(row: Any, around: Surroundings, ranges: Ranges) -> Person:
    return Person(
        id=row.id,
        is_blocked=row.is_blocked,
        first_seen_at=row.first_seen_at,
        joined_at=row.joined_at,
        orders=row.orders or [],
        orders_count=row.orders_count or 0,
        identities=frozenset(map(observing.pair_of, row.identities or ())),
        signups=row.signups or [],
        has_invited=bool(row.has_invited),
        signups_around=Pace(*(row.signups_around or (0, 0))),
        traits=observing.traits_of(row, ranges=ranges),
        doubles={member_id: datetime.fromisoformat(instant) for member_id, instant in row.doubles or ()},
        multiplier_bps=row.multiplier_bps,
        holdings={int(asset_id): int(units) for asset_id, units in (row.holdings or {}).items()},
        promises=tuple([_promise(each, around) for each in row.promises or ()]),
        fresh=row.fresh or {},
    )


@lru_cache(maxsize=5_000)
def _staff_lookup(schema: str, email: str) -> str | None:
    try:
        mailbox = normalise_one(kind="email", value=email, region=None).lookup
    except InvalidIdentity:
        return None
    return sealing.index(schema=schema, kind="email", lookup=mailbox)


def _promise(row: Mapping[str, Any], around: Surroundings) -> Promise:
    return Promise(
        member_id=row["member_id"],
        rule_id=row["rule_id"],
        version_id=row["version_id"],
        side=row["side"],
        kind=row["kind"],
        what=row["what"],
        is_points=row["asset_id"] is not None and around.lines[row["asset_id"]].code == assets.POINTS,
        status=row["status"],
        left=row["given"] - row["reversed"] - row["lost"],
        awaits=row["awaits"],
        awaits_until=row["awaits_until"] and datetime.fromisoformat(row["awaits_until"]),
        occurred_at=datetime.fromisoformat(row["occurred_at"]),
        matures_at=datetime.fromisoformat(row["matures_at"]),
        asset_id=row["asset_id"],
        reward_id=row["id"],
    )


def touches_of(incoming: Incoming, *, touches: Touches) -> Sequence[Touch]:
    """Return the touches that a sign-up gives: none for any other event, or where they are none of ours."""
    if incoming.kind != JOINED:
        return ()
    given = touches.given(code=str(incoming.fields.get("code", "")), click_key=str(incoming.fields.get("click_id", "")))
    return () if isinstance(given, Miss) else given
