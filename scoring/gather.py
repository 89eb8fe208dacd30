"""Read all that deciding a batch needs: a fixed number of statements, however many events there are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, NamedTuple

from antifraud.limits import counters, guard, places
from antifraud.limits.guard import Place
from antifraud.limits.usage import Ask
from antifraud.lists import ranges
from antifraud.stops import windows
from antifraud.stops.minutes import TENANT, Subject, Window
from campaigns import rulebook
from campaigns.rulebook import Rulebook
from core.codes import normalise_shared
from events import kinds
from events.claims import Claimed
from events.fields import Field, values_of
from members import people
from members.identities import SealedIdentity
from referrals import attribution
from referrals.touch import Touches
from rewards import assets, grants
from rewards.grants import Occurrence
from scoring import earning, noting, ordering, parts, persons, screening, surroundings
from scoring.persons import JOINED
from scoring.situation import Incoming, KnownOrder, Situation
from scoring.surroundings import Surroundings
from tenants import context

# Of these several events can tell the same occurrence; an order is one event, whoever reports it.
REPEATABLE = frozenset({JOINED, "check_in", *kinds.FACTS})


def gather(*, claimed: Sequence[Claimed], zone: tzinfo, at: datetime) -> Situation:
    """Return the situation of the claimed events. The caller holds the tenant's lock."""
    book = rulebook.current()
    around = surroundings.read(claimed=claimed, book=book, at=at)
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
    asks = _asks(candidates, orders, book, around, zone=zone)
    known = persons.read(
        incoming=incoming,
        touches=touches,
        others={each.place.member_id for each in candidates} | {order.member_id for order in orders.values()},
        around=around,
        ranges=ranges.current(version=around.lists_version, at=at),
        at=at,
    )
    return Situation(
        incoming=tuple(incoming),
        people=known.people,
        nearby=known.nearby,
        touches=touches,
        orders=orders,
        existing=frozenset((each.rule_id, each.member_id, each.occurrence) for each in existing.occurrences),
        usage=counters.gather(
            asks=asks, windows=_windows(around, _subjects(incoming, touches, orders), zone=zone, at=at), zone=zone
        ),
        offer_now=book.now,
        limits=book.limits,
        policies=around.policies,
        stop_rules=around.stop_rules,
        trips=around.trips,
        assets={each.code: each for each in around.lines.values() if each.id in around.in_use},
        lines=around.lines,
        gifts=around.gifts,
        gift_costs=around.gift_costs,
        everywhere=around.everywhere,
        prices={each.id: assets.price_of(each, currency=context.current().currency) for each in around.lines.values()},
        lots=existing.lots,
        early=around.early,
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
    member_ids = _member_ids(claimed, at=at)
    currency = context.current().currency
    found = [_values_of(each, currency) for each in claimed]
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
            named=tuple([(one["kind"], one["lookup"]) for one in each.identities if one["kind"] in places.THINGS]),
            is_history=each.is_history,
            attempts=each.attempts,
            depth=each.depth,
        )
        for each, member_id, fields in zip(claimed, member_ids, found, strict=True)
    ]


def _member_ids(claimed: Sequence[Claimed], *, at: datetime) -> list[int]:
    # A fact of ours knows whom it is about; whoever reports tells identities.
    reported = [each for each in claimed if each.member_id is None]
    groups = [
        tuple([SealedIdentity(one["kind"], one["lookup"], one["value"]) for one in each.identities])
        for each in reported
    ]
    resolved = iter(people.resolve(groups=groups, seen_ats=[each.occurred_at for each in reported], at=at))
    return [next(resolved) if each.member_id is None else each.member_id for each in claimed]


def _values_of(each: Claimed, currency: str) -> dict[str, object]:
    values = _in_currency(values_of(each.data, _fields_of(each.kind)), currency)
    return _touch_of(each) | values if each.kind == JOINED else values


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
    touch = {"code": normalise_shared(each.data.get("code", "")), "click_id": each.data.get("click_id", "")}
    return {name: value for name, value in touch.items() if value}


# --- What could be rewarded -----------------------------------------------------------------------------------------


def _inviters(incoming: Sequence[Incoming], touches: Touches) -> dict[int, list[int]]:
    """Return who may turn out to have invited each member: whoever did, or whose touch a sign-up in this batch has."""
    found: dict[int, list[int]] = {each.member_id: [] for each in incoming}
    for each in incoming:
        found[each.member_id] += [touch.inviter_id for touch in persons.touches_of(each, touches=touches)]
    return found | {invitee_id: [standing.inviter_id] for invitee_id, standing in touches.referrals.items()}


def _candidates(incoming: Incoming, inviters: dict[int, list[int]], zone: tzinfo) -> Iterable[Candidate]:
    """Yield every reward that could come of an event: more than will be."""
    occurrence = earning.occurrence_of(incoming, zone=zone)
    member_id, at = incoming.member_id, incoming.occurred_at
    known = inviters[member_id]
    for offer, rule, missed in incoming.lines:
        if missed is None:
            line = rule.line
            # Of several given at once each has an occurrence, which could be that of an order of such a number.
            is_asked = incoming.kind in REPEATABLE or line.extras
            occurrences = parts.occurrences(occurrence, extras=len(line.extras)) if is_asked else ()
            for side in earning.SIDES[line.recipient]:
                for inviter_id in (0,) if side == "actor" else known:
                    whose = inviter_id if side == "inviter" else member_id
                    place = Place(offer.campaign_id, line.id, whose, at, side, member_id, inviter_id)
                    yield Candidate(place, line.amount_kind == guard.TIERS, occurrences)


# --- What is left ---------------------------------------------------------------------------------------------------


def _asks(
    candidates: Sequence[Candidate],
    orders: Mapping[str, KnownOrder],
    book: Rulebook,
    around: Surroundings,
    *,
    zone: tzinfo,
) -> list[Ask]:
    """Return the counters that deciding may ask for."""
    held = [ordering.place_of(each) for order in orders.values() for each in order.held]
    found = {
        ask
        for place in (*(candidate.place for candidate in candidates), *held)
        for ask in places.asks(place, limits=book.limits(place.campaign_id), everywhere=around.everywhere, zone=zone)
    }
    return list(found | {Ask(each.place.ladder, each.place.campaign_id) for each in candidates if each.is_ladder})


def _windows(around: Surroundings, subjects: Iterable[Subject], *, zone: tzinfo, at: datetime) -> list[Window]:
    return windows.windows_of(
        stop_rules=windows.pressing(around.stop_rules),
        trips=around.trips,
        subjects=sorted(set(subjects)),
        zone=zone,
        at=at,
    )


def _subjects(incoming: Sequence[Incoming], touches: Touches, orders: Mapping[str, KnownOrder]) -> Iterator[Subject]:
    """Yield everything that something may be counted under: more than will be."""
    yield TENANT
    # Most events share their campaigns.
    yield from map(
        noting.campaign,
        {offer.campaign_id for each in incoming for offer, _rule, missed in each.lines if missed is None},
    )
    for each in incoming:
        for touch in persons.touches_of(each, touches=touches):
            channel = str(each.fields.get("channel", "")) or touch.channel
            yield from noting.of_referral(inviter_id=touch.inviter_id, channel=channel)
    for order in orders.values():
        yield from (noting.campaign(held.campaign_id) for held in order.held)
    for standing in touches.referrals.values():
        yield from noting.of_referral(inviter_id=standing.inviter_id, channel=standing.channel)
