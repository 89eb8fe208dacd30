"""Read all that deciding a batch needs: a fixed number of statements, however many events there are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, NamedTuple

from antifraud import counters, guard
from antifraud.guard import Place
from antifraud.usage import Key, Window
from campaigns import rulebook
from campaigns.rulebook import Rulebook
from core.codes import normalise_code
from events import kinds
from events.claims import Claimed
from events.fields import Field, values_of
from members import people
from members.identities import SealedIdentity
from referrals import attribution
from referrals.touch import Touches
from rewards import grants
from rewards.grants import Occurrence
from scoring import earning, ordering, parts, persons, screening, surroundings
from scoring.persons import JOINED
from scoring.situation import Incoming, KnownOrder, Situation
from scoring.surroundings import Surroundings
from tenants import context

# Of these the same occurrence can be reported by several events; an order is one event, whoever reports it.
REPEATABLE = frozenset({JOINED, "check_in"})


def gather(*, claimed: Sequence[Claimed], zone: tzinfo, at: datetime) -> Situation:
    """Return the situation of the claimed events. The caller holds the tenant's lock."""
    book = rulebook.current()
    around = surroundings.read(claimed=claimed, book=book)
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
            Occurrence(each.place.rule_id, each.place.member_id, occurrence)
            for each in candidates
            for occurrence in each.occurrences
        },
        order_ids=[order["id"] for order in around.orders.values()],
    )
    orders = surroundings.orders_of(around, held=existing.of_orders)
    keys = _keys(candidates, orders, book, zone=zone, at=at)
    return Situation(
        incoming=tuple(incoming),
        people=persons.read(
            incoming=incoming,
            touches=touches,
            others={each.place.member_id for each in candidates} | {order.member_id for order in orders.values()},
            around=around,
        ),
        touches=touches,
        orders=orders,
        existing=frozenset((each.rule_id, each.member_id, each.occurrence) for each in existing.occurrences),
        usage=counters.gather(keys=keys, windows=_windows(around, candidates, at=at), zone=zone),
        offer_now=book.now,
        limits=book.limits,
        policy=around.policy,
        stop_rules=around.stop_rules,
        assets={each.code: each for each in around.lines.values() if each.id in around.in_use},
        lines=around.lines,
        gifts=around.gifts,
        lots=existing.lots,
        has_levels=around.has_levels,
        rule_in=book.rule_in,
        order_fields=partial(_order_fields, currency=context.current().currency),
        zone=zone,
        at=at,
    )


class Candidate(NamedTuple):
    """Where a reward that may come of an event would stand, and what it would be for, where that can be repeated."""

    place: Place
    is_ladder: bool
    occurrences: tuple[str, ...]


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
    return _in_currency(values_of(each.data, _fields_of(each.kind)), currency)


def _order_fields(data: Mapping[str, Any], *, currency: str) -> dict[str, object]:
    return _in_currency(values_of(data, _fields_of("order.paid")), currency)


def _in_currency(values: dict[str, object], currency: str) -> dict[str, object]:
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


# --- What could be rewarded -----------------------------------------------------------------------------------------


def _inviters(incoming: Sequence[Incoming], touches: Touches) -> dict[int, list[int]]:
    """Return who may turn out to have invited each member: whoever did, or whose touch a sign-up in this batch has."""
    found: dict[int, list[int]] = {}
    for each in incoming:
        found.setdefault(each.member_id, []).extend(
            touch.inviter_id for touch in persons.touches_of(each, touches=touches)
        )
    return found | {invitee_id: [standing.inviter_id] for invitee_id, standing in touches.referrals.items()}


def _candidates(incoming: Incoming, inviters: dict[int, list[int]], zone: tzinfo) -> Iterable[Candidate]:
    """Yield every reward that could come of an event: more than will be."""
    occurrence = earning.occurrence_of(incoming, zone=zone)
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
            # Of several given at once each has an occurrence, which could be that of an order of such a number.
            is_asked = incoming.kind in REPEATABLE or line.extras
            occurrences = parts.occurrences(occurrence, extras=len(line.extras)) if is_asked else ()
            for side, member_id in recipients[line.recipient]:
                place = Place(offer.campaign_id, line.id, member_id, incoming.occurred_at, side)
                yield Candidate(place, line.amount_kind == guard.TIERS, occurrences)


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
