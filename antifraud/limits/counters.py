"""
How much of each limit is used.

Whoever reads counters to reserve from them holds the tenant's lock, so that a reading stays true until it is written.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from functools import cache
from itertools import groupby
from typing import Any, Final

from antifraud.limits import counter_checks, freeing, places, recount
from antifraud.limits.freeing import LimitReached
from antifraud.limits.usage import Ask, Figures, Key, Reading, Thing, Used
from antifraud.stops import tallies
from antifraud.stops.minutes import Subject, Tally, Window
from antifraud.stops.tallies import ADD, SUMS
from core import db
from tenants import periods

__all__ = ["LimitReached", "gather", "give_back", "keep", "take_again", "verify", "write"]

give_back = freeing.give_back
keep = freeing.keep
take_again = freeing.take_again
verify = counter_checks.verify

# What a rule gives at once counts once: its first part. Points are those of the asset `points`, and of nothing else.
# A counter that does not exist yet starts from the rewards there already are, so that a limit added in the middle of a
# month knows the month.
_GATHER: Final = """
SELECT k.n, k.subject_id, k.added_at, COALESCE(c.count, 0) + COALESCE(missing.count, 0) AS count,
    COALESCE(c.points, 0) + COALESCE(missing.points, 0) AS points,
    COALESCE(c.cost_minor, 0) + COALESCE(missing.cost_minor, 0) AS cost_minor,
    c.max_count, c.max_points, c.max_cost_minor, c.days, missing.days AS missing_days, k.known, NULL::jsonb AS sums
FROM ({asked}) k
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
LEFT JOIN LATERAL (
    SELECT * FROM antifraud_counter each
    WHERE (each.scope, each.scope_id, each.member_id, each.period, each.period_start)
        = (k.scope, k.scope_id, k.subject_id, k.period, k.period_start) LIMIT 1
) c ON true
CROSS JOIN LATERAL ({missing}) missing
UNION ALL
SELECT -each.n, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, each.sums FROM ({sums}) each
"""
_ASKED: Final = """
SELECT asked.*, NULL::text AS lookup, NULL::timestamptz AS added_at, NULL::bigint AS known
FROM unnest(%(scopes)s::text[], %(scope_ids)s::bigint[], %(subject_ids)s::bigint[], %(periods)s::text[],
    %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(campaign_ids)s::bigint[], %(actor_ids)s::bigint[])
    WITH ORDINALITY AS asked
        (scope, scope_id, subject_id, period, period_start, period_end, campaign_id, actor_id, n)
"""
# Of whom it is asked for each device or card, those are found here.
_ASKED_OF_THINGS: Final = f"""
SELECT asked.n, asked.scope, asked.scope_id, COALESCE(thing.subject_id, asked.subject_id) AS subject_id,
    asked.period, asked.period_start, asked.period_end, asked.campaign_id, thing.lookup, thing.added_at, thing.known
FROM ({_ASKED}) asked
LEFT JOIN LATERAL (
    SELECT i.lookup, i.added_at, {recount.SUBJECT} AS subject_id,
        (SELECT max(o.id) FROM members_identity o WHERE (o.kind, o.lookup) = (i.kind, i.lookup)) AS known
    FROM (SELECT * FROM members_identity WHERE member_id = asked.actor_id OFFSET 0) i WHERE i.kind = asked.scope
) thing ON asked.actor_id > 0
WHERE asked.actor_id = 0 OR thing.subject_id IS NOT NULL
"""  # noqa: S608 (constants only)

# Values, not differences: the lock makes what was read still true. The maxima are those that the reservation respected,
# so that the database refuses (counter_within_max_…) what a mistake in Python would let through.
WRITE: Final = f"""
WITH tallied AS ({ADD})
INSERT INTO antifraud_counter AS c (scope, scope_id, member_id, period, period_start, count, points, cost_minor,
    max_count, max_points, max_cost_minor, days)
SELECT * FROM ROWS FROM (
    unnest(%(scopes)s::text[], %(scope_ids)s::bigint[], %(subject_ids)s::bigint[], %(periods)s::text[],
        %(starts)s::timestamptz[], %(counts)s::bigint[], %(points)s::bigint[], %(costs)s::bigint[],
        %(max_counts)s::bigint[], %(max_points)s::bigint[], %(max_costs)s::bigint[]),
    jsonb_array_elements(%(days)s::jsonb)
)
ON CONFLICT (scope, scope_id, member_id, period, period_start) DO UPDATE SET
    count = EXCLUDED.count, points = EXCLUDED.points, cost_minor = EXCLUDED.cost_minor, days = EXCLUDED.days,
    max_count = EXCLUDED.max_count, max_points = EXCLUDED.max_points, max_cost_minor = EXCLUDED.max_cost_minor
"""  # noqa: S608 (constants only)


@db.in_transaction
def gather(*, asks: Sequence[Ask], windows: Sequence[Window], zone: tzinfo) -> Reading:
    """
    Read the counters that are asked for, and the sums of `windows`, in one statement.

    `zone` is the tenant's: it says where the periods end, for counters that start from the rewards there are.
    """
    wanted = sorted(set(asks))
    blocks = [(ask.key.period_start, length) for ask in wanted if (length := periods.days_of(ask.key.period))]
    days = periods.midnights(blocks, zone=zone)
    rows = db.fetch(
        _gather(_branches(wanted)),
        {
            **_columns([ask.key for ask in wanted]),
            "ends": [periods.end_of(ask.key.period, zone=zone, start=ask.key.period_start) for ask in wanted],
            "campaign_ids": [ask.campaign_id for ask in wanted],
            "actor_ids": [ask.actor_id for ask in wanted],
            "midnights": list(days),
            **tallies.window_columns(windows),
        },
    )
    counted = [row for row in rows if row.n > 0]
    local = list(days.values())
    return Reading(
        counters={_key_of(wanted[row.n - 1], row): _used(row, local) for row in counted},
        windows={windows[-row.n - 1]: tallies.tally_of(row.sums) for row in rows if row.n < 0},
        things=_things(wanted, counted),
    )


@db.in_transaction
def write(*, used: Mapping[Key, Used], noted: Mapping[Subject, Tally], at: datetime) -> None:
    """
    Store what is now used, and add what was noted to this minute's tallies, in one statement.

    :raises django.db.IntegrityError: (counter_within_max_…) if more is used than a maximum; nothing may be paid then.
    """
    # Sorted, so that two writers take the rows in one order.
    wanted = sorted(used)
    if wanted or noted:
        values = [used[key] for key in wanted]
        db.execute(
            WRITE,
            {
                **_columns(wanted),
                "counts": [value.count for value in values],
                "points": [value.points for value in values],
                "costs": [value.cost_minor for value in values],
                "max_counts": [value.max_count for value in values],
                "max_points": [value.max_points for value in values],
                "max_costs": [value.max_cost_minor for value in values],
                "days": db.json_text([freeing.stored_days(value) for value in values]),
                **tallies.tally_columns(noted, at=at),
            },
        )


def _branches(asks: Sequence[Ask]) -> frozenset[str]:
    """Return where the rewards of these counters are to be found."""
    found = set(recount.USUAL)
    for ask in asks:
        if ask.key.scope in places.OWN_SCOPE:
            found.add("thing" if ask.key.scope in places.THINGS else ask.key.scope)
        elif not ask.campaign_id and ask.key.subject_id == places.EVERYBODY:
            found.add("everywhere")
    return frozenset(found)


@cache
def _gather(branches: frozenset[str]) -> str:
    asked = _ASKED_OF_THINGS if "thing" in branches else _ASKED
    return _GATHER.format(asked=asked, missing=recount.missing(branches), sums=SUMS)


def _key_of(ask: Ask, row: Any) -> Key:
    # Asked of somebody's devices, it is told of each.
    return ask.key._replace(subject_id=row.subject_id) if ask.actor_id else ask.key


def _used(row: Any, local: Sequence[date]) -> Used:
    stored = freeing.used_of(row)
    stored.known = row.known or 0
    for nth, figures in (row.missing_days or {}).items():
        day = local[int(nth) - 1]
        if any(figures):
            stored.days[day] = stored.days.get(day, Figures()).plus(Figures(*figures))
    # Whoever else turns out to use a device has brought along what they were given before.
    stored.give_way()
    return stored


def _things(wanted: Sequence[Ask], rows: Sequence[Any]) -> dict[tuple[str, int], tuple[Thing, ...]]:
    found = {
        (wanted[row.n - 1].key.scope, wanted[row.n - 1].actor_id, Thing(row.subject_id, row.added_at))
        for row in rows
        if wanted[row.n - 1].actor_id
    }
    return {
        whose: tuple(thing for _kind, _actor_id, thing in things)
        for whose, things in groupby(sorted(found), key=lambda each: each[:2])
    }


def _columns(keys: Sequence[Key]) -> dict[str, object]:
    return {
        "scopes": [key.scope for key in keys],
        "scope_ids": [key.scope_id for key in keys],
        "subject_ids": [key.subject_id for key in keys],
        "periods": [key.period for key in keys],
        "starts": [key.period_start for key in keys],
    }
