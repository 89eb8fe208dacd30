"""What is odd about the limits of a campaign: those that can never say no."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext

from campaigns import giving, summary
from campaigns.definitions import LimitLine, Offer
from core.db import fetch

# From the shortest to the longest: whatever a longer one allows, a shorter one cannot exceed.
DAYS: Final = {"hour": 0, "day": 1, "week": 7, "month": 31, "ever": 10**6}
MEASURES: Final = ("max_count", "max_points", "max_cost_minor")
LOOKS_BACK: Final = timedelta(days=30)
EVENTS_MAX: Final = 5_000

# The latest events are enough to see whether anybody tells devices at all.
TOLD: Final = """
SELECT DISTINCT one ->> 'kind' AS kind FROM (
    SELECT identities FROM events_event WHERE source = 'api' AND received_at >= %(since)s ORDER BY id DESC LIMIT %(max)s
) latest CROSS JOIN jsonb_array_elements(latest.identities) one
"""

type_of_found = Iterator[tuple[str, str]]


def remarks(offer: Offer, *, at: datetime) -> type_of_found:
    """Yield a code and a sentence for each limit that will not limit anything."""
    yield from _of_nobody(offer)
    yield from _of_nothing(offer)
    yield from _of_no_device(offer, at)
    for limit in offer.limits:
        stricter = next((other for other in offer.limits if _is_idle(limit, beside=other)), None)
        if stricter:
            told = {"limit": summary.most_of(limit), "other": summary.most_of(stricter)}
            yield "limit_idle", gettext("A limit of %(limit)s never says no: %(other)s does before.") % told


def _of_nobody(offer: Offer) -> type_of_found:
    rewards_referrals = any(rule.recipient != "actor" for rule in offer.rules)
    if offer.rules and not rewards_referrals and any(limit.per == "inviter" for limit in offer.limits):
        yield "limit_without_inviter", gettext("There is a limit for inviters, and no rule rewards a referral.")


def _of_nothing(offer: Offer) -> type_of_found:
    gives_points = any(piece.kind == giving.POINTS for rule in offer.rules for piece in giving.pieces_of(rule))
    if offer.rules and not gives_points and any(_is_of_points_alone(limit) for limit in offer.limits):
        yield "limit_of_nothing", gettext("There is a limit in points, and no rule gives points.")


def _is_of_points_alone(limit: LimitLine) -> bool:
    return limit.max_points is not None and limit.max_count is None and limit.max_cost_minor is None


def _of_no_device(offer: Offer, at: datetime) -> type_of_found:
    asked = {limit.per for limit in offer.limits} & {"device", "card"}
    told = {row.kind for row in fetch(TOLD, {"since": at - LOOKS_BACK, "max": EVENTS_MAX})} if asked else set()
    # Where nothing was reported yet, nothing is odd.
    if told and "device" in asked - told:
        yield "no_devices", gettext("There is a limit for devices, and no event of the last 30 days told one.")
    if told and "card" in asked - told:
        yield "no_cards", gettext("There is a limit for cards, and no event of the last 30 days told one.")


def _is_idle(limit: LimitLine, *, beside: LimitLine) -> bool:
    """Tell whether the limit beside it, of the same and for at least as long, allows no more of anything."""
    if beside is limit or limit.per != beside.per or _length(limit) >= _length(beside):
        return False
    pairs = [(getattr(limit, name), getattr(beside, name)) for name in MEASURES]
    return all(mine is None or (theirs is not None and theirs <= mine) for mine, theirs in pairs)


def _length(limit: LimitLine) -> int:
    return limit.days or DAYS[limit.period]
