"""Read all that deciding a batch needs: a fixed number of statements, however many events there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from antifraud import counters, guard
from antifraud.guard import Place, StopLine
from antifraud.observed import Policy
from antifraud.usage import Key, Window
from campaigns import rulebook
from campaigns.rulebook import Rulebook
from core import db
from core.codes import normalise_code
from events import kinds
from events.claims import Claimed
from events.fields import Field, values_of
from members import people
from members.identities import SealedIdentity
from referrals import attribution
from referrals.touch import Miss, Touches
from rewards import grants
from rewards.grants import Occurrence
from scoring import earning, ordering, screening
from scoring.decide import RETURNS
from scoring.situation import Incoming, KnownOrder, Person, Situation
from tenants import context

HOUR = timedelta(hours=1)
# Of these the same occurrence can be reported by several events; an order is one event, whoever reports it.
JOINED = "member.joined"
REPEATABLE = frozenset({JOINED, "check_in"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the tenant has chosen, and the orders that the batch tells of."""

    policy: Policy
    stop_rules: tuple[StopLine, ...]
    asset_id: int
    minor_per_point: int
    orders: dict[str, dict[str, Any]]


def gather(*, claimed: Sequence[Claimed], zone: tzinfo, at: datetime) -> Situation:
    """Return the situation of the claimed events. The caller holds the tenant's lock."""
    book = rulebook.current()
    around = _surroundings(claimed)
    incoming = _incoming(claimed, book, at=at)
    touches = attribution.gather(
        codes={str(each.fields["code"]) for each in incoming if each.fields.get("code")},
        click_keys={str(each.fields["click_id"]) for each in incoming if each.fields.get("click_id")},
        members={each.member_id for each in incoming},
        newcomers={each.member_id for each in incoming if each.kind == JOINED},
    )
    inviters = _inviters(incoming, touches)
    candidates = [candidate for each in incoming for candidate in _candidates(each, inviters, zone)]
    existing = grants.existing(
        occurrences={
            Occurrence(each.place.rule_id, each.place.member_id, each.occurrence)
            for each in candidates
            if each.occurrence
        },
        order_ids=[order["id"] for order in around.orders.values()],
    )
    orders = _orders(around, existing.of_orders)
    keys = _keys(candidates, orders, book, zone=zone, at=at)
    return Situation(
        incoming=tuple(incoming),
        people=_people(incoming, touches, orders, candidates),
        touches=touches,
        orders=orders,
        existing=frozenset((each.rule_id, each.member_id, each.occurrence) for each in existing.occurrences),
        usage=counters.gather(keys=keys, windows=_windows(around, candidates, at=at), zone=zone),
        offer_now=book.now,
        limits=book.limits,
        policy=around.policy,
        stop_rules=around.stop_rules,
        asset_id=around.asset_id,
        minor_per_point=around.minor_per_point,
        zone=zone,
        at=at,
    )


class Candidate(NamedTuple):
    """Where a reward that may come of an event would stand, and what it would be for, where that can be repeated."""

    place: Place
    is_ladder: bool
    occurrence: str | None


# --- What the tenant has chosen -------------------------------------------------------------------------------------

SURROUNDINGS = """
SELECT policy.flag_from, policy.refuse_from, policy.signups_per_hour, asset.id AS asset_id, asset.minor_per_unit,
    (SELECT COALESCE(jsonb_agg(jsonb_build_array(s.id, s.campaign_id, s.metric, s.threshold, s.window_minutes)
        ORDER BY s.id), '[]') FROM antifraud_stoprule s WHERE s.is_active) AS stop_rules,
    (SELECT COALESCE(jsonb_agg(to_jsonb(o)), '[]') FROM events_order o
        WHERE o.number = ANY(%(numbers)s::text[])) AS orders
FROM antifraud_fraudpolicy policy CROSS JOIN rewards_asset asset WHERE asset.code = 'points'
"""


def _surroundings(claimed: Sequence[Claimed]) -> Surroundings:
    numbers = sorted({str(each.data["order_id"]) for each in claimed if each.kind in RETURNS})
    row = db.fetch(SURROUNDINGS, {"numbers": numbers})[0]
    return Surroundings(
        policy=Policy(row.flag_from, row.refuse_from, row.signups_per_hour),
        stop_rules=tuple(StopLine(*each) for each in row.stop_rules),
        asset_id=row.asset_id,
        minor_per_point=row.minor_per_unit,
        orders={order["number"]: order for order in row.orders},
    )


def _orders(around: Surroundings, held: Iterable[Any]) -> dict[str, KnownOrder]:
    rewards: dict[int, list[Any]] = {}
    for each in held:
        rewards.setdefault(each.order_id, []).append(each)
    return {
        number: KnownOrder(
            id=order["id"],
            number=number,
            member_id=order["member_id"],
            amount_minor=order["amount_minor"],
            refunded_minor=order["refunded_minor"],
            cancelled_at=order["cancelled_at"] and datetime.fromisoformat(order["cancelled_at"]),
            paid_at=datetime.fromisoformat(order["paid_at"]),
            held=tuple(rewards.get(order["id"], ())),
        )
        for number, order in around.orders.items()
    }


# --- Who ------------------------------------------------------------------------------------------------------------


def _incoming(claimed: Sequence[Claimed], book: Rulebook, *, at: datetime) -> list[Incoming]:
    groups = [
        tuple([SealedIdentity(one["kind"], one["lookup"], one["value"]) for one in each.identities]) for each in claimed
    ]
    member_ids = people.resolve(groups=groups, seen_ats=[each.occurred_at for each in claimed], at=at)
    currency = context.current().currency
    found = [_touch_of(each) | _values_of(each, currency) for each in claimed]
    return [
        Incoming(
            id=each.id,
            key=each.key,
            kind=each.kind,
            member_id=member_id,
            occurred_at=each.occurred_at,
            data=each.data,
            fields=fields,
            lines=screening.screen(
                offers=book.offers(each.kind, each.occurred_at), fields=fields, occurred_at=each.occurred_at
            ),
            is_history=each.is_history,
            attempts=each.attempts,
            depth=each.depth,
        )
        for each, member_id, fields in zip(claimed, member_ids, found, strict=True)
    ]


def _values_of(each: Claimed, currency: str) -> dict[str, object]:
    values = values_of(each.data, _fields_of(each.kind))
    if values.get("currency", currency) != currency:
        # Rules count in the tenant's own currency: a hundred of another may be worth a cent.
        values.pop("amount_minor", None)
    return values


def _fields_of(kind: str) -> tuple[Field, ...]:
    found = kinds.find_kind(kind)
    return found.fields if found else ()


def _touch_of(each: Claimed) -> dict[str, object]:
    # A joiner's code and click are not asked for by conditions, but decide who brought them.
    if each.kind != JOINED:
        return {}
    touch = {"code": normalise_code(each.data.get("code", "")), "click_id": each.data.get("click_id", "")}
    return {name: value for name, value in touch.items() if value}


# Of most members only the number of their orders is asked; what happened before, of those who join; the rest, of those
# who invite or are invited. Instants are bounded: the first order and the busiest hour are all that is asked of them.
PEOPLE = """
SELECT m.id, m.status = 'blocked' AS is_blocked, m.first_seen_at, m.joined_at,
    (SELECT count(*) FROM events_order o WHERE o.member_id = m.id AND o.cancelled_at IS NULL) AS orders_count,
    CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN
        ARRAY(SELECT o.paid_at FROM events_order o WHERE o.member_id = m.id AND o.cancelled_at IS NULL
            ORDER BY o.paid_at LIMIT 500) END AS orders,
    CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN
        EXISTS (SELECT FROM referrals_referral s WHERE s.inviter_id = m.id) END AS has_invited,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        ARRAY(SELECT i.kind || ':' || i.lookup FROM members_identity i WHERE i.member_id = m.id LIMIT 300)
        END AS identities,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        ARRAY(SELECT s.attributed_at FROM referrals_referral s WHERE s.inviter_id = m.id
            AND s.attributed_at > %(since)s ORDER BY s.attributed_at LIMIT 1000) END AS signups,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        (SELECT count(*) FROM referrals_referral own JOIN referrals_referral s ON s.inviter_id = own.inviter_id
            AND s.attributed_at > own.attributed_at - interval '1 hour' AND s.attributed_at <= own.attributed_at
            WHERE own.invitee_id = m.id) END AS signups_in_hour,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        (SELECT jsonb_agg(jsonb_build_array(o.id, o.first_seen_at)) FROM (
            SELECT DISTINCT o.id, o.first_seen_at FROM members_identity i
            JOIN members_identity first ON first.kind = i.kind AND first.lookup = i.lookup AND first.resolves
            JOIN members_member o ON o.id = first.member_id
            WHERE i.member_id = m.id AND i.kind IN ('telegram', 'email', 'phone') AND NOT i.resolves) o) END AS doubles
FROM members_member m WHERE m.id = ANY(%(ids)s::bigint[])
"""


def _people(
    incoming: Sequence[Incoming],
    touches: Touches,
    orders: dict[str, KnownOrder],
    candidates: Sequence[Candidate],
) -> dict[int, Person]:
    joiners = {each.member_id for each in incoming if each.kind == JOINED}
    related = joiners | {touch.inviter_id for each in incoming for touch in _touches_of(each, touches)}
    related |= {
        member_id for invitee_id, each in touches.referrals.items() for member_id in (invitee_id, each.inviter_id)
    }
    ids = related | {each.member_id for each in incoming} | {each.place.member_id for each in candidates}
    ids |= {order.member_id for order in orders.values()}
    since = min(each.occurred_at for each in incoming) - HOUR
    return {
        row.id: Person(
            id=row.id,
            is_blocked=row.is_blocked,
            first_seen_at=row.first_seen_at,
            joined_at=row.joined_at,
            orders=row.orders or [],
            orders_count=row.orders_count,
            identities=frozenset(map(_pair, row.identities or ())),
            signups=row.signups or [],
            has_invited=bool(row.has_invited),
            signups_in_hour=row.signups_in_hour or 0,
            doubles={member_id: datetime.fromisoformat(instant) for member_id, instant in row.doubles or ()},
        )
        for row in db.fetch(
            PEOPLE, {"ids": sorted(ids), "joiners": sorted(joiners), "related": sorted(related), "since": since}
        )
    }


def _pair(text: str) -> tuple[str, str]:
    kind, _colon, lookup = text.partition(":")
    return kind, lookup


# --- What could be rewarded -----------------------------------------------------------------------------------------


def _inviters(incoming: Sequence[Incoming], touches: Touches) -> dict[int, list[int]]:
    """Return who may turn out to have invited each member: whoever did, or whose touch a sign-up in this batch has."""
    found: dict[int, list[int]] = {}
    for each in incoming:
        found.setdefault(each.member_id, []).extend(touch.inviter_id for touch in _touches_of(each, touches))
    return found | {invitee_id: [standing.inviter_id] for invitee_id, standing in touches.referrals.items()}


def _candidates(incoming: Incoming, inviters: dict[int, list[int]], zone: tzinfo) -> Iterable[Candidate]:
    """Yield every reward that could come of an event: more than will be."""
    repeated = earning.occurrence_of(incoming, zone=zone) if incoming.kind in REPEATABLE else None
    of_inviters = [("inviter", inviter_id) for inviter_id in inviters[incoming.member_id]]
    of_invitee = [("invitee", incoming.member_id)]
    recipients = {
        "actor": [("actor", incoming.member_id)],
        "inviter": of_inviters,
        "invitee": of_invitee,
        "both": of_inviters + of_invitee,
    }
    for offer, rule, missed in incoming.lines:
        if missed is None:
            line = rule.line
            for side, member_id in recipients[line.recipient]:
                place = Place(offer.campaign_id, line.id, member_id, incoming.occurred_at, side)
                yield Candidate(place, line.amount_kind == guard.TIERS, repeated)


def _touches_of(incoming: Incoming, touches: Touches) -> Sequence[Any]:
    if incoming.kind != JOINED:
        return ()
    given = touches.given(code=str(incoming.fields.get("code", "")), click_key=str(incoming.fields.get("click_id", "")))
    return () if isinstance(given, Miss) else given


# --- What is left ---------------------------------------------------------------------------------------------------


def _keys(
    candidates: Sequence[Candidate],
    orders: dict[str, KnownOrder],
    book: Rulebook,
    *,
    zone: tzinfo,
    at: datetime,
) -> dict[Key, int]:
    """Return the counters that deciding may ask for, each with its campaign."""
    found: dict[Key, int] = {}
    held = [ordering.place_of(each) for order in orders.values() for each in order.held]
    for place in (*(candidate.place for candidate in candidates), *held):
        for key in guard.keys(place, limits=book.limits(place.campaign_id), zone=zone):
            found[key] = place.campaign_id
    for candidate in candidates:
        place = candidate.place
        found[guard.minute_key(campaign_id=place.campaign_id, at=at)] = place.campaign_id
        if candidate.is_ladder:
            found[place.ladder] = place.campaign_id
    return found


def _windows(around: Surroundings, candidates: Sequence[Candidate], *, at: datetime) -> list[Window]:
    campaign_ids = sorted({candidate.place.campaign_id for candidate in candidates})
    windows = []
    for stop_rule in around.stop_rules:
        since = (at - timedelta(minutes=stop_rule.window_minutes)).replace(second=0, microsecond=0)
        windows += [
            Window(stop_rule.id, campaign_id, since)
            for campaign_id in campaign_ids
            if stop_rule.campaign_id in {None, campaign_id}
        ]
    return windows
