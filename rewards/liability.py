"""
What a tenant still owes: of each asset, when it may come to nothing, and what it is worth.

Breakage is what members never use. Its rate is measured: of all units whose fate is decided (expired, or spent) the
part that expired. IFRS 15, B44 to B47, lets a seller count on it in proportion to what customers do use, if it expects
to be entitled to it at all; and asks for rights to be carried in full while it does not. So the page shows what is owed
in full, the rate beside it, and what the rate would leave unused: of what can expire, because the rest never breaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Final

from core import money
from core.db import fetch
from rewards import assets
from rewards.assets import AssetLine
from tenants import context, periods

# This one and the next twelve: what was earned today for a year is in the last.
MONTHS: Final = 13


@dataclass(frozen=True, slots=True)
class Month:
    """What expires, and what of what is on hold matures, in one of the tenant's months."""

    begins: date
    expiring: int
    maturing: int


@dataclass(frozen=True, slots=True)
class Owed:
    """
    What is owed of one asset, in its units. `currency` is the tenant's.

    `outstanding` lies on members' accounts; of it `expired` is only waiting for the night, `later` goes after the last
    month, `idle` goes after days of rest, `never` stays. `escrow` is set aside. Not owed yet are `pending`, `flagged`
    and `promised`. `debts` is what members owe.
    """

    asset: AssetLine
    currency: str
    outstanding: int
    expired: int
    months: tuple[Month, ...]
    later: int
    idle: int
    never: int
    escrow: int
    pending: int
    flagged: int
    promised: int
    debts: int
    spent_ever: int
    expired_ever: int

    @property
    def owed(self) -> int:
        """What members could ask for, now or once it is not set aside any more."""
        return self.outstanding - self.expired + self.escrow

    @property
    def breakage_bps(self) -> int | None:
        """Of all that was spent or has expired, the part that expired, rounded half up; None while there is neither."""
        decided = self.spent_ever + self.expired_ever
        return money.divide_half_up(self.expired_ever * money.BPS, decided) if decided else None

    @property
    def breakage_expected(self) -> int:
        """What of the outstanding is likely to expire at that rate, rounded down. What never expires never breaks."""
        can_expire = self.outstanding - self.expired - self.never
        return money.share_down(can_expire, rate_bps=self.breakage_bps or 0)

    @property
    def is_anything(self) -> bool:
        """Whether there is, or ever was, anything of it."""
        return any((self.outstanding, self.escrow, self.pending, self.flagged, self.promised, self.debts)) or bool(
            self.spent_ever or self.expired_ever
        )

    def worth_minor(self, units: int) -> int:
        """
        Return what so many units are worth, in minor units of the tenant's currency, rounded down.

        Money in that currency is worth itself, whatever rate was put beside it.
        """
        if self.asset.currency != self.currency:
            return money.divide_down(units * self.asset.minor_per_unit, 10**self.asset.scale)
        return money.divide_down(units * 10 ** money.digits_of(self.currency), 10**self.asset.scale)


@dataclass(frozen=True, slots=True)
class Things:
    """
    What is owed besides units, of one kind: `waiting` is still to be delivered, `unused` is with members.

    A certificate is owed at its value, everything else at what one costs the tenant; in minor units.
    """

    kind: str
    waiting: int
    waiting_minor: int
    unused: int
    unused_minor: int


@dataclass(frozen=True, slots=True)
class Liability:
    """All that is owed at an instant. Money is in minor units of the tenant's currency."""

    at: datetime
    currency: str
    assets: tuple[Owed, ...]
    things: tuple[Things, ...]

    @property
    def owed_minor(self) -> int:
        return sum(each.worth_minor(each.owed) for each in self.assets)

    @property
    def coming_minor(self) -> int:
        """What may be owed soon: on hold, promised, before moderators."""
        return sum(each.worth_minor(each.pending + each.promised + each.flagged) for each in self.assets)

    @property
    def breakage_minor(self) -> int:
        return sum(each.worth_minor(each.breakage_expected) for each in self.assets)

    @property
    def things_minor(self) -> int:
        return sum(each.waiting_minor + each.unused_minor for each in self.things)

    @property
    def is_anything(self) -> bool:
        return any(each.is_anything for each in self.assets) or bool(self.things)


def liability(*, at: datetime) -> Liability:
    """Return what the current tenant owes, in four statements."""
    zone = context.zone()
    held = {row.asset_id: row for row in fetch(HELD, {"at": at})}
    by_month = {
        (row.asset_id, row.what, row.month): int(row.units) for row in fetch(BY_MONTH, {"zone": str(zone), "at": at})
    }
    firsts = _firsts(zone=zone, at=at)
    found = [_owed(line, held[line.id], by_month, firsts) for line in assets.lines().values()]
    things = [Things(**{name: getattr(row, name) for name in Things.__slots__}) for row in fetch(THINGS)]
    return Liability(at=at, currency=context.current().currency, assets=tuple(found), things=tuple(things))


def _firsts(*, zone: tzinfo, at: datetime) -> list[date]:
    first = at.astimezone(zone).date().replace(day=1)
    return [periods.add_months(first, months=number) for number in range(MONTHS)]


def _owed(line: AssetLine, held: Any, by_month: dict[tuple[int, str, date], int], firsts: Sequence[date]) -> Owed:
    def units(what: str, month: date) -> int:
        return by_month.get((line.id, what, month), 0)

    months = tuple(Month(first, units("expiring", first), units("maturing", first)) for first in firsts)
    dated = int(held.dated)
    undated = int(held.outstanding) - int(held.expired) - dated
    return Owed(
        asset=line,
        currency=context.current().currency,
        outstanding=int(held.outstanding),
        expired=int(held.expired),
        months=months,
        later=dated - sum(month.expiring for month in months),
        idle=undated if line.expiry == "idle" else 0,
        never=0 if line.expiry == "idle" else undated,
        escrow=int(held.escrow),
        pending=int(held.pending),
        flagged=int(held.flagged),
        promised=int(held.promised),
        debts=int(held.debts),
        spent_ever=int(held.spent_ever),
        expired_ever=int(held.expired_ever),
    )


def rows_of(shown: Liability) -> list[list[object]]:
    """Return the page as a table: a row for each figure of each asset, in its units and in minor units of money."""
    rows: list[list[object]] = []
    for each in shown.assets:
        told = [(name, getattr(each, name)) for name in FIGURES]
        told += [(f"expiring {month.begins:%Y-%m}", month.expiring) for month in each.months]
        told += [(f"maturing {month.begins:%Y-%m}", month.maturing) for month in each.months]
        rows += [[each.asset.code, what, units, each.worth_minor(units), shown.currency] for what, units in told]
    for thing in shown.things:
        rows.append([thing.kind, "waiting", thing.waiting, thing.waiting_minor, shown.currency])
        rows.append([thing.kind, "unused", thing.unused, thing.unused_minor, shown.currency])
    return rows


HEADER: Final = ("what", "figure", "units", "worth_minor", "currency")
FIGURES: Final = (
    "owed",
    "outstanding",
    "expired",
    "escrow",
    "pending",
    "flagged",
    "promised",
    "debts",
    "later",
    "idle",
    "never",
    "spent_ever",
    "expired_ever",
    "breakage_expected",
)

HELD = """
SELECT asset.id AS asset_id, held.outstanding, held.debts, lots.expired, lots.dated, aside.escrow, owed.pending,
    owed.flagged, owed.promised, coalesce(ever.spent, 0) AS spent_ever, coalesce(ever.expired, 0) AS expired_ever
FROM rewards_asset asset
CROSS JOIN LATERAL (
    SELECT coalesce(sum(balance) FILTER (WHERE balance > 0), 0) AS outstanding,
        coalesce(-sum(balance) FILTER (WHERE balance < 0), 0) AS debts
    FROM rewards_account WHERE asset_id = asset.id AND kind = 'member'
) held
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.remaining) FILTER (WHERE l.expires_at <= %(at)s), 0) AS expired,
        coalesce(sum(l.remaining) FILTER (WHERE l.expires_at > %(at)s), 0) AS dated
    FROM rewards_lot l JOIN rewards_account a ON a.id = l.account_id
    WHERE l.remaining > 0 AND l.expires_at IS NOT NULL AND a.asset_id = asset.id
) lots
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS escrow FROM rewards_redemption
    WHERE asset_id = asset.id AND status = 'reserved'
) aside
CROSS JOIN LATERAL (
    SELECT coalesce(sum(given - reversed - lost) FILTER (WHERE status = 'pending' AND awaits = ''), 0) AS pending,
        coalesce(sum(given - reversed - lost) FILTER (WHERE status = 'pending' AND awaits <> ''), 0) AS promised,
        coalesce(sum(given - reversed - lost) FILTER (WHERE status = 'flagged'), 0) AS flagged
    FROM rewards_reward WHERE asset_id = asset.id AND status IN ('pending', 'flagged')
) owed
CROSS JOIN LATERAL (
    -- Each side by its own index: what came back from spending was not spent.
    SELECT sum(moved.units) FILTER (WHERE a.kind = 'spend') AS spent,
        sum(moved.units) FILTER (WHERE a.kind = 'expiry') AS expired
    FROM rewards_account a
    CROSS JOIN LATERAL (
        SELECT coalesce((SELECT sum(amount) FROM rewards_posting WHERE target_id = a.id), 0)
            - coalesce((SELECT sum(amount) FROM rewards_posting WHERE source_id = a.id), 0) AS units
    ) moved
    WHERE a.asset_id = asset.id AND a.member_id IS NULL AND a.kind IN ('spend', 'expiry')
) ever
"""

# What has matured and waits to be granted belongs to this month. An expiry is a midnight: it is the end of the day, and
# perhaps of the month, before.
BY_MONTH = """
SELECT a.asset_id, 'expiring' AS what,
    date_trunc('month', l.expires_at AT TIME ZONE %(zone)s - interval '1 microsecond')::date AS month,
    sum(l.remaining)::bigint AS units
FROM rewards_lot l JOIN rewards_account a ON a.id = l.account_id
WHERE l.remaining > 0 AND l.expires_at > %(at)s
GROUP BY 1, 3
UNION ALL
SELECT asset_id, 'maturing', date_trunc('month', greatest(matures_at, %(at)s) AT TIME ZONE %(zone)s)::date,
    sum(given - reversed - lost)::bigint
FROM rewards_reward
WHERE status = 'pending' AND awaits = '' AND asset_id IS NOT NULL
GROUP BY 1, 3
"""

THINGS = """
SELECT e.kind,
    count(*) FILTER (WHERE e.status NOT IN ('issued', 'sent')) AS waiting,
    coalesce(sum(coalesce(e.value_minor, g.cost_minor, 0)) FILTER (WHERE e.status NOT IN ('issued', 'sent')), 0)::bigint
        AS waiting_minor,
    count(*) FILTER (WHERE e.status IN ('issued', 'sent')) AS unused,
    coalesce(sum(coalesce(e.value_minor, g.cost_minor, 0)) FILTER (WHERE e.status IN ('issued', 'sent')), 0)::bigint
        AS unused_minor
FROM rewards_entitlement e JOIN rewards_gift g ON g.id = e.gift_id
WHERE e.status IN ('choosing', 'waiting', 'ordered', 'unknown', 'placed', 'issued', 'sent')
GROUP BY e.kind ORDER BY e.kind
"""
