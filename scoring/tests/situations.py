"""Situations made by hand, for the pure tests: each says only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from antifraud.judging.policy import Policies
from antifraud.limits import guard, places
from antifraud.limits.guard import Place
from antifraud.limits.usage import Reading, Used
from antifraud.stops import windows
from antifraud.stops.minutes import TENANT, Tally, Window
from antifraud.stops.windows import PastTrip, StopLine
from campaigns.conditions import compile_rule, compile_screen
from campaigns.definitions import Offer, RuleLine
from campaigns.rulebook import CompiledRule
from campaigns.tests.offers import NOON
from events.fields import values_of
from events.kinds import KINDS
from referrals import touch
from referrals.touch import Standing, Touch, Touches
from rewards.assets import AssetLine
from rewards.costs import Price
from rewards.refunds import Held
from scoring import noting, screening
from scoring.situation import Incoming, KnownOrder, Person, Situation

ANNA, BORIS, CLARA = 1, 2, 3
POINTS = AssetLine(
    id=77,
    code="points",
    name="Points",
    kind="points",
    currency="",
    scale=0,
    rounding="down",
    minor_per_unit=100,
    may_owe=False,
    balance_max=None,
    expiry="never",
    expiry_count=None,
)


def event(kind: str, member_id: int = BORIS, *, id: int = 1, **told: Any) -> Incoming:  # noqa: A002 (an event's)
    """Return an event of noon. What is not one of its columns is its data."""
    columns = {name: told.pop(name) for name in ("occurred_at", "is_history", "depth") if name in told}
    return Incoming(
        id=id,
        key=f"event-{id}",
        kind=kind,
        member_id=member_id,
        data=told,
        fields=told,
        **{"occurred_at": NOON, **columns},
    )


def paid(number: str = "1001", member_id: int = BORIS, *, amount_minor: int = 50_000, **told: Any) -> Incoming:
    return event("order.paid", member_id, order_id=number, amount_minor=amount_minor, currency="RUB", **told)


def refunded(number: str = "1001", *, amount_minor: int = 50_000, **told: Any) -> Incoming:
    return event("order.refunded", order_id=number, refund_id="1", amount_minor=amount_minor, **told)


def joined(member_id: int = BORIS, *, code: str = "", **told: Any) -> Incoming:
    touch_: dict[str, Any] = {"code": code} if code else {}
    return event("member.joined", member_id, **touch_, **told)


def person(id: int, **told: Any) -> Person:  # noqa: A002 (a person's)
    return Person(**{"id": id, "first_seen_at": NOON, **told})


def brought_by(inviter_id: int) -> Standing:
    return Standing(referral_id=12, inviter_id=inviter_id, code_id=4, channel="", attributed_at=NOON, qualified_at=None)


def known_order(*held: Held, **told: Any) -> KnownOrder:
    usual = {"id": 5, "number": "1001", "member_id": BORIS, "amount_minor": 50_000, "refunded_minor": 0}
    return KnownOrder(**{**usual, "cancelled_at": None, "paid_at": NOON, "held": held, **told})


def situation(
    *incoming: Incoming,
    offers: Sequence[Offer] = (),
    people: Sequence[Person] = (),
    brought: Mapping[int, int] | None = None,
    codes: Mapping[str, int] | None = None,
    orders: Sequence[KnownOrder] = (),
    used: Mapping[Any, Used] | None = None,
    **told: Any,
) -> Situation:
    """
    Return a batch and what surrounds it.

    `brought` is who invited whom, by invitee; `codes` whose each code is; `happened` what windows of stop rules have
    seen. Nobody is suspected, nothing is used.
    """
    rules = {(each.campaign_id, each.version_id, line.id): _compiled(line) for each in offers for line in each.rules}
    everybody = {each: person(each) for each in (ANNA, BORIS, CLARA)} | {each.id: each for each in people}
    usual = {
        "touches": touches_of(codes=codes, brought=brought),
        "existing": frozenset(),
        "offer_now": {each.campaign_id: each for each in offers}.get,
        "limits": {each.campaign_id: each.limits for each in offers}.get,
        "policies": Policies(),
        "stop_rules": (),
        "trips": (),
        "assets": {POINTS.code: POINTS},
        "lines": {POINTS.id: POINTS},
        "prices": {POINTS.id: Price(POINTS.minor_per_unit)},
        "rule_in": lambda campaign_id, version_id, rule_id: rules.get((campaign_id, version_id, rule_id)),
        "order_fields": _order_fields,
        "zone": UTC,
        "at": NOON,
    }
    return Situation(
        incoming=tuple(_screened(each, offers) for each in incoming),
        people=everybody,
        orders={each.number: each for each in orders},
        usage=_reading(
            offers,
            everybody,
            used or {},
            stop_rules=told.get("stop_rules", ()),
            trips=told.get("trips", ()),
            happened=told.pop("happened", {}),
        ),
        **{**usual, **told},
    )


def touches_of(
    *,
    codes: Mapping[str, int] | None = None,
    clicks: Mapping[str, Sequence[Touch]] | None = None,
    brought: Mapping[int, int] | None = None,
) -> Touches:
    return Touches(
        policy=touch.Policy(),
        codes={code: Touch(inviter_id=owner, code_id=owner, code=code) for code, owner in (codes or {}).items()},
        clicks=clicks or {},
        referrals={invitee: brought_by(inviter) for invitee, inviter in (brought or {}).items()},
    )


def _compiled(line: RuleLine) -> CompiledRule:
    return CompiledRule(line, compile_rule(line), compile_screen(line))


def _order_fields(data: Mapping[str, Any]) -> dict[str, object]:
    return values_of(data, KINDS["order.paid"].fields)


def _screened(incoming: Incoming, offers: Sequence[Offer]) -> Incoming:
    ordered = sorted(offers, key=lambda each: (-each.priority, each.campaign_id))
    lines = [(each, _compiled(line)) for each in ordered for line in each.rules if line.trigger == incoming.kind]
    screened = screening.screen(offers=lines, fields=incoming.fields, occurred_at=incoming.occurred_at)
    return incoming._replace(lines=screened)


def _reading(
    offers: Sequence[Offer],
    people: Mapping[int, Person],
    used: Mapping[Any, Used],
    *,
    stop_rules: Sequence[StopLine] = (),
    trips: Sequence[PastTrip] = (),
    happened: Mapping[Window, Tally] | None = None,
) -> Reading:
    keys = []
    for each in offers:
        for line in each.rules:
            for member_id in people:
                place = Place(each.campaign_id, line.id, member_id, NOON)
                keys += [ask.key for ask in places.asks(place, limits=each.limits, everywhere=(), zone=UTC)]
                keys.append(guard.ladder_key(rule_id=line.id, member_id=member_id))
    subjects = [noting.campaign(each.campaign_id) for each in offers]
    subjects += [subject for each in people for subject in noting.of_referral(inviter_id=each, channel="")]
    asked = windows.windows_of(stop_rules=stop_rules, trips=trips, subjects=[*subjects, TENANT], zone=UTC, at=NOON)
    sums = {window: (happened or {}).get(window, Tally()) for window in asked}
    return Reading(
        counters={key: Used() for key in keys} | dict(used),
        windows=sums,
    )
