"""What a rule gives at once, part by part: of what, how much is due, and how much of that there is room for. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from antifraud.limits.guard import Proposal
from antifraud.limits.usage import Asked
from campaigns import amounts
from campaigns.amounts import Worth
from campaigns.definitions import Extra, Miss, RuleLine
from rewards import costs
from rewards.costs import Price
from scoring.batch import Batch
from scoring.plan import POINTS
from scoring.situation import UNCHANGED_BPS, Asset

# What is counted in units of an asset. Of everything else there is one, or it has a value: a gift.
COUNTED: Final = frozenset({"points", "money", "spin"})
VALUED: Final = frozenset({"certificate"})
# Of a pool the member chooses a brand's certificate.
GIFT_KINDS: Final = {"certificate": frozenset({"certificate", "pool"})}


class Part(NamedTuple):
    """One thing that a rule gives: the rule's own reward is part 0, what it gives with it come after."""

    nth: int
    kind: str
    what: str
    asset: Asset | None
    due: int
    given: int
    multiplier_bps: int = UNCHANGED_BPS
    price: Price = costs.FREE

    @property
    def cost_minor(self) -> int:
        """What it costs the tenant."""
        return self.price.cost_of(self.given)

    @property
    def is_points(self) -> bool:
        """Whether limits, budgets and levels count it."""
        return self.asset is not None and self.asset.code == POINTS


def due(batch: Batch, proposal: Proposal, *, order_minor: int | None, nth: int) -> tuple[Part, ...] | Miss:
    """
    Return all that the rule gives for one event, or why it gives nothing: whole or not at all.

    `nth` is which qualified referral this is for the inviter by this rule.
    """
    rule = proposal.rule
    own_piece, *extras = pieces(rule)
    own = _part(batch, proposal, 0, own_piece)
    if isinstance(own, Miss):
        return own
    if own.asset is not None:
        worth = Worth(own.asset.minor_per_unit, own.asset.scale, own.asset.rounding)
        units = amounts.units_due(rule, proposal.offer.tiers, order_minor=order_minor, worth=worth, nth=nth)
        own = _multiplied(own, units)
    if own.due <= 0:
        return Miss("amount_zero")
    found = [own]
    for place, extra in enumerate(extras, start=1):
        part = _part(batch, proposal, place, extra)
        if isinstance(part, Miss):
            return _incomplete(extra.kind, extra.what, part)
        part = _multiplied(part, part.due)
        if part.due <= 0:  # A level may multiply by less than one.
            return _incomplete(extra.kind, extra.what, Miss("amount_zero"))
        found.append(part)
    return tuple(found)


def fit(batch: Batch, proposal: Proposal, parts: Sequence[Part]) -> tuple[Part, ...] | Miss:
    """
    Return the parts with what may be given of each, or what says no.

    A reward alone may be cut to what is left, if the campaign says so. Of several each is given in full, or none is.
    """
    is_whole = len(parts) > 1
    left = batch.guard.left(proposal, asked=asked(parts))
    if isinstance(left, Miss):
        short = _short_of(left, parts) if is_whole else None
        return _incomplete(short.kind, short.what, left) if short else left
    if left.units and left.units != parts[0].given:
        parts = [parts[0]._replace(given=left.units)]
    return _within_maxima(batch, proposal, parts)


def asked(parts: Sequence[Part]) -> Asked:
    """Return what the parts ask of limits and budgets. One alone that is counted in units may be given in part."""
    points = cost_minor = 0
    for part in parts:
        points += part.given if part.is_points else 0
        cost_minor += part.cost_minor
    if len(parts) > 1 or parts[0].asset is None:
        return Asked(points, cost_minor)
    return Asked(points, cost_minor, parts[0].given, parts[0].price)


def occurrences(occurrence: str, *, extras: int) -> tuple[str, ...]:
    """
    Return what each part of a rule with so many extras is for: the first for the occurrence itself.

    The part's number stands in front, where no occurrence has one: an order may be called anything.
    """
    return (occurrence, *[f"{nth}#{occurrence}" for nth in range(1, extras + 1)])


def pieces(rule: RuleLine) -> tuple[Extra, ...]:
    """Return all that a rule gives, its own reward first. Of a percentage or a ladder the amount is not known yet."""
    return (_own_piece(rule.reward_kind, rule.reward_what, rule.amount_points or 1), *rule.extras)


@lru_cache(maxsize=1000)
def _own_piece(kind: str, what: str, amount: int) -> Extra:
    # Asked for each reward, of few rules.
    return Extra(kind=kind, what=what, amount=amount)


def _part(batch: Batch, proposal: Proposal, nth: int, asked: Extra) -> Part | Miss:
    situation = batch.situation
    if asked.kind in COUNTED:
        asset = situation.assets.get(asked.what or (POINTS if asked.kind == POINTS else ""))
        if asset is None:
            return Miss("not_available", {"kind": asked.kind, "what": asked.what})
        is_points = asset.code == POINTS
        multiplier_bps = batch.person(proposal.member_id).multiplier_bps if is_points else UNCHANGED_BPS
        price = situation.prices.get(asset.id, costs.FREE)
        return Part(nth, asked.kind, asked.what, asset, asked.amount, asked.amount, multiplier_bps, price)
    if situation.gifts.get(asked.what) not in GIFT_KINDS.get(asked.kind, {asked.kind}):
        return Miss("not_available", {"kind": asked.kind, "what": asked.what})
    amount = asked.amount if asked.kind in VALUED else 1
    price = costs.of_gift(kind=asked.kind, cost_minor=situation.gift_costs.get(asked.what))
    return Part(nth, asked.kind, asked.what, None, amount, amount, price=price)


def _multiplied(part: Part, units: int) -> Part:
    multiplied = amounts.multiplied(units, multiplier_bps=part.multiplier_bps)
    return Part(part.nth, part.kind, part.what, part.asset, multiplied, multiplied, part.multiplier_bps, part.price)


def _within_maxima(batch: Batch, proposal: Proposal, parts: Sequence[Part]) -> tuple[Part, ...] | Miss:
    """Return the parts with what a largest balance has room for; what is pending or flagged counts as if there."""
    may_cap = proposal.offer.when_short == "cap" and len(parts) == 1
    added: dict[int, int] = {}
    found = []
    for part in parts:
        if part.asset is None or part.asset.balance_max is None:
            found.append(part)
            continue
        asset = part.asset
        held = batch.holdings.get((proposal.member_id, asset.id), 0) + added.get(asset.id, 0)
        left = part.asset.balance_max - held
        if left < part.given and (left <= 0 or not may_cap):
            missed = Miss("balance_max", {"max": asset.balance_max, "left": max(left, 0), "what": part.what})
            return missed if len(parts) == 1 else _incomplete(part.kind, part.what, missed)
        found.append(part._replace(given=min(left, part.given)))
        added[asset.id] = added.get(asset.id, 0) + part.given
    return tuple(found)


def _short_of(missed: Miss, parts: Sequence[Part]) -> Part | None:
    """Return the part that there is no room for: the dearest, or the points; None where rewards are counted."""
    if missed.code == "limit_count":
        return None
    if missed.code in {"limit_cost", "budget_cost"}:
        return max(parts, key=lambda part: part.cost_minor)
    return next(part for part in parts if part.is_points)


def _incomplete(kind: str, what: str, missed: Miss) -> Miss:
    return Miss("incomplete", {"kind": kind, "what": what, "why": missed.code, "told": dict(missed.params)})
