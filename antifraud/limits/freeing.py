"""Limits that are free again, or used again: rewards are rejected, lapse, are cancelled, or all that is undone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from antifraud.limits import places, usage
from antifraud.limits.places import Place
from antifraud.limits.usage import KNOWN, Figures, Key, Thing, Used
from campaigns import rulebook, versions
from campaigns.definitions import LimitLine
from core import db
from core.errors import Conflict, conflict_of
from rewards import costs
from tenants import periods


class LimitReached(Conflict):
    """What was free in the meantime has been given to others."""

    message = _("The limit or budget has been used up in the meantime.")


# Whose it was, or who they turned out to be: of an actor's own rewards there is no referral.
REWARDS: Final = """
SELECT r.id, r.campaign_id, r.rule_id, r.member_id, r.occurred_at, r.side, r.created_at, r.part, r.given, r.reversed,
    r.cost_minor, asset.code = 'points' AS is_points, campaign.is_builtin,
    actor.id AS actor_id, COALESCE(inviter.merged_into_id, inviter.id, 0) AS inviter_id,
    (SELECT jsonb_agg(jsonb_build_array(i.kind, i.lookup, i.added_at, i.id)) FROM members_identity i
        WHERE i.member_id = actor.id AND i.kind IN ('device', 'card')) AS things
FROM rewards_reward r
JOIN campaigns_campaign campaign ON campaign.id = r.campaign_id
LEFT JOIN rewards_asset asset ON asset.id = r.asset_id
LEFT JOIN referrals_referral s ON s.id = r.referral_id
LEFT JOIN members_member inviter ON inviter.id = s.inviter_id
LEFT JOIN members_member invitee ON invitee.id = s.invitee_id
CROSS JOIN LATERAL (SELECT COALESCE(invitee.merged_into_id, invitee.id, r.member_id) AS id) actor
WHERE r.id = ANY(%(reward_ids)s::bigint[]) ORDER BY r.id
"""
READ: Final = """
SELECT k.n, c.id, c.count, c.points, c.cost_minor, c.max_count, c.max_points, c.max_cost_minor, c.days
FROM unnest(%(scopes)s::text[], %(scope_ids)s::bigint[], %(subject_ids)s::bigint[], %(periods)s::text[],
    %(starts)s::timestamptz[]) WITH ORDINALITY AS k (scope, scope_id, subject_id, period, period_start, n)
CROSS JOIN LATERAL (
    SELECT * FROM antifraud_counter each
    WHERE (each.scope, each.scope_id, each.member_id, each.period, each.period_start)
        = (k.scope, k.scope_id, k.subject_id, k.period, k.period_start) LIMIT 1
) c
"""
UPDATE: Final = """
UPDATE antifraud_counter c SET count = n.count, points = n.points, cost_minor = n.cost_minor, days = n.days
FROM ROWS FROM (unnest(%(ids)s::bigint[], %(counts)s::bigint[], %(points)s::bigint[], %(costs)s::bigint[]),
    jsonb_array_elements(%(days)s::jsonb)) AS n (id, count, points, cost_minor, days)
WHERE c.id = n.id
"""


@db.in_transaction
def give_back(*, reward_ids: Sequence[int], zone: str) -> None:
    """Free what these rewards use of limits, as they are rejected or lapse. `zone` is the tenant's IANA name."""
    _move(reward_ids, (), sign=-1, zone=ZoneInfo(zone))


@db.in_transaction
def keep(*, reward_ids: Sequence[int], zone: str) -> None:
    """Go on counting what members keep of rewards that were given back as a whole and then were taken back in part."""
    _move(reward_ids, (), sign=1, zone=ZoneInfo(zone))


@db.in_transaction
def take_again(*, reward_ids: Sequence[int], costs_of: Sequence[int] = (), zone: str) -> None:
    """
    Use the limits again for rewards whose rejection is undone. Of those in `costs_of` only the cost counts again.

    :raises LimitReached: if others have used them up.
    """
    try:
        with db.savepoint():
            _move(reward_ids, costs_of, sign=1, must_fit=True, zone=ZoneInfo(zone))
    except IntegrityError as error:
        if conflict_of(error).startswith("counter_within_max"):
            raise LimitReached from error
        raise


def used_of(row: Any) -> Used:
    """Return what a stored counter says."""
    days: dict[str, Any] = dict(row.days or {})
    known = int(days.pop(KNOWN, 0))
    return Used(
        count=row.count,
        points=int(row.points),
        max_count=row.max_count,
        max_points=row.max_points,
        cost_minor=int(row.cost_minor),
        max_cost_minor=row.max_cost_minor,
        days={date.fromisoformat(day): Figures(*figures) for day, figures in days.items()},
        known=known,
    )


def stored_days(used: Used) -> dict[str, object]:
    """Return what a counter stores beside its sums."""
    days: dict[str, object] = {day.isoformat(): list(figures) for day, figures in sorted(used.days.items())}
    return days | ({KNOWN: used.known} if used.known else {})


def _move(
    reward_ids: Sequence[int], costs_of: Sequence[int], *, sign: int, must_fit: bool = False, zone: tzinfo
) -> None:
    rewards = db.fetch(REWARDS, {"reward_ids": [*reward_ids, *costs_of]})
    if not rewards:
        return
    whole = set(reward_ids)
    book, everywhere = rulebook.current(), versions.limits_everywhere()
    stand = {
        reward.id: _keys(
            reward, limits=[*book.limits(reward.campaign_id), *(() if reward.is_builtin else everywhere)], zone=zone
        )
        for reward in rewards
    }
    stored = _stored([key for keys in stand.values() for key in keys], zone=zone)
    touched: dict[Key, set[date]] = defaultdict(set)
    for reward in rewards:
        day = reward.occurred_at.astimezone(zone).date()
        for key, identity_id in stand[reward.id].items():
            # A counter that was never made, or has not heard of whoever uses the device, has not counted it.
            if key in stored and identity_id <= stored[key].used.known:
                figures = _figures(reward, is_whole=reward.id in whole)
                is_rolling = periods.days_of(key.period)
                stored[key].used.add(figures if sign > 0 else figures.negative(), day=day if is_rolling else None)
                touched[key].add(day)
    if must_fit:
        _require_room(touched, stored, zone=zone)
    _update([stored[key] for key in sorted(touched)])


class _Stored:
    """A counter's row as it was read, and as it is to be."""

    __slots__ = ("id", "used")

    def __init__(self, row: Any) -> None:
        self.id: int = row.id
        self.used = used_of(row)


def _figures(reward: Any, *, is_whole: bool) -> Figures:
    cost = costs.left(cost_minor=reward.cost_minor, given=reward.given, reversed=reward.reversed)
    if not is_whole:
        return Figures(0, 0, cost)
    return Figures(int(reward.part == 0), reward.given - reward.reversed if reward.is_points else 0, cost)


def _keys(reward: Any, *, limits: Sequence[LimitLine], zone: tzinfo) -> dict[Key, int]:
    """Return the counters that a reward stands in, each with the identity that puts it there, if one does."""
    place = Place(
        reward.campaign_id,
        reward.rule_id,
        reward.member_id,
        reward.occurred_at,
        reward.side,
        reward.actor_id,
        reward.inviter_id,
        reward.created_at,
    )
    things: dict[tuple[str, int], list[Thing]] = defaultdict(list)
    identities: dict[tuple[str, int], int] = {}
    for kind, lookup, added_at, identity_id in reward.things or ():
        subject_id = usage.subject_of(lookup)
        things[kind, reward.actor_id].append(Thing(subject_id, datetime.fromisoformat(added_at)))
        identities[kind, subject_id] = identity_id
    found = places.keys(place, limits=limits, zone=zone, things=things)
    return {key: identities.get((key.scope, key.subject_id), 0) for key in found}


def _stored(keys: Sequence[Key], *, zone: tzinfo) -> dict[Key, _Stored]:
    wanted = sorted({each for key in keys for each in (key, *places.around(key, zone=zone))})
    columns = {
        "scopes": [key.scope for key in wanted],
        "scope_ids": [key.scope_id for key in wanted],
        "subject_ids": [key.subject_id for key in wanted],
        "periods": [key.period for key in wanted],
        "starts": [key.period_start for key in wanted],
    }
    return {wanted[row.n - 1]: _Stored(row) for row in db.fetch(READ, columns)}


def _require_room(touched: Mapping[Key, set[date]], stored: Mapping[Key, _Stored], *, zone: tzinfo) -> None:
    """Look at the windows of rolling limits, which lie across two rows: the database sees one at a time."""
    for key, days in touched.items():
        length = periods.days_of(key.period)
        if not length:
            continue
        used = stored[key].used
        blocks = [stored[each].used for each in (key, *places.around(key, zone=zone)) if each in stored]
        maxima = (used.max_count, used.max_points, used.max_cost_minor)
        for day in days:
            most = usage.fullest(blocks, day=day, days=length)
            if any(maximum is not None and now > maximum for now, maximum in zip(most, maxima, strict=True)):
                raise LimitReached


def _update(rows: Sequence[_Stored]) -> None:
    db.execute(
        UPDATE,
        {
            "ids": [row.id for row in rows],
            "counts": [row.used.count for row in rows],
            "points": [row.used.points for row in rows],
            "costs": [row.used.cost_minor for row in rows],
            "days": db.json_text([stored_days(row.used) for row in rows]),
        },
    )
