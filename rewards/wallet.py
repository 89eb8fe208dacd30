"""What a member has: what can be spent, what is on its way, what waits, and what goes first."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core.db import fetch
from rewards import assets, expiry, units
from tenants import context


class Expiring(NamedTuple):
    """What goes next: at the first instant at which it is of no use any more."""

    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """
    Amounts of one asset. Only `available` can be spent; the others may still come to nothing.

    `pending` waits for its refund window, `promised` for something that the member does, `flagged` for a moderator.
    `reserved` is set aside for an order or a payout; `debt` is what earnings pay first.
    """

    available: int
    pending: int
    flagged: int
    promised: int
    reserved: int
    debt: int
    expiring: Expiring | None


class InWords(NamedTuple):
    """An asset by its name, what can be spent of it, and the rest in short notes."""

    name: str
    available: str
    notes: tuple[str, ...]


FIELDS: Final = ("available", "pending", "promised", "flagged", "reserved", "debt")
NOTES: Final = {
    "pending": _("%(amount)s on hold"),
    "promised": _("%(amount)s promised"),
    "flagged": _("%(amount)s with moderators"),
    "reserved": _("%(amount)s set aside"),
    "debt": _("%(amount)s owed"),
}


def figures(*, member_id: int, at: datetime) -> dict[str, Figures]:
    """
    Return a member's figures by the asset's code: of every asset in use, and of what they have.

    It takes one statement, and one more where something expires after days of rest.

    What has expired cannot be spent, be it that the night has not taken it yet.
    """
    zone = context.zone()
    found = fetch(FIGURES, {"member_id": member_id, "at": at})
    lines = assets.lines() if any(row.expiry == "idle" for row in found) else {}
    return {row.code: _figures(row, lines, zone=zone, at=at) for row in found}


def figures_in_words(*, member_id: int, at: datetime) -> list[InWords]:
    """Return what a member has of each asset of which there is anything, as people write it. Points come always."""
    lines = {line.code: line for line in assets.lines().values()}
    zone = context.zone()
    return [
        _in_words(lines[code], each, zone=zone, at=at)
        for code, each in figures(member_id=member_id, at=at).items()
        if code == assets.POINTS or any(getattr(each, name) for name in FIELDS)
    ]


def _in_words(line: assets.AssetLine, found: Figures, *, zone: tzinfo, at: datetime) -> InWords:
    # The name stands above the figures.
    shown = units.written if line.currency else units.bare
    notes = [
        label % {"amount": shown(getattr(found, name), line)} for name, label in NOTES.items() if getattr(found, name)
    ]
    if found.expiring:
        told = {
            "amount": shown(found.expiring.amount, line),
            "until": units.last_day_of(found.expiring.at, zone=zone, near=at),
        }
        notes.append(_("%(amount)s usable until %(until)s") % told)
    return InWords(line.name, shown(found.available, line), tuple(str(note) for note in notes))


def _figures(row: Any, lines: dict[int, assets.AssetLine], *, zone: tzinfo, at: datetime) -> Figures:
    rests_until = None
    if row.expiry == "idle" and row.rested_from and row.undated:
        day = row.rested_from.astimezone(zone).date()
        rests_until = expiry.rests_until(day, line=lines[row.id], zone=zone)
    is_over = rests_until is not None and rests_until <= at
    available = int(row.dated) + (0 if is_over else int(row.undated))
    return Figures(
        available=available,
        pending=int(row.pending),
        flagged=int(row.flagged),
        promised=int(row.promised),
        reserved=int(row.reserved),
        debt=int(row.debt),
        expiring=_soonest(row, None if is_over else rests_until),
    )


def _soonest(row: Any, rests_until: datetime | None) -> Expiring | None:
    dated = Expiring(int(row.next_amount), row.next_at) if row.next_at else None
    rested = Expiring(int(row.undated), rests_until) if rests_until else None
    if dated and rested and dated.at == rested.at:
        return Expiring(dated.amount + rested.amount, dated.at)
    return min(filter(None, (dated, rested)), key=lambda each: each.at, default=None)


FIGURES = """
SELECT asset.id, asset.code, asset.expiry, greatest(-coalesce(account.balance, 0), 0) AS debt,
    coalesce(lots.dated, 0) AS dated, coalesce(lots.undated, 0) AS undated, soonest.next_at,
    coalesce(soonest.next_amount, 0) AS next_amount, coalesce(account.moved_at, lots.opened_at) AS rested_from,
    owed.pending, owed.flagged, owed.promised, aside.reserved
FROM rewards_asset asset
LEFT JOIN rewards_account account ON account.asset_id = asset.id AND account.member_id = %(member_id)s
LEFT JOIN LATERAL (
    SELECT sum(remaining) FILTER (WHERE expires_at > %(at)s) AS dated,
        sum(remaining) FILTER (WHERE expires_at IS NULL) AS undated,
        max(available_at) FILTER (WHERE expires_at IS NULL) AS opened_at
    FROM rewards_lot WHERE account_id = account.id AND remaining > 0
) lots ON true
LEFT JOIN LATERAL (
    SELECT expires_at AS next_at, sum(remaining) AS next_amount
    FROM rewards_lot WHERE account_id = account.id AND remaining > 0 AND expires_at > %(at)s
    GROUP BY expires_at ORDER BY expires_at LIMIT 1
) soonest ON true
CROSS JOIN LATERAL (
    SELECT coalesce(sum(given - reversed - lost) FILTER (WHERE status = 'pending' AND awaits = ''), 0) AS pending,
        coalesce(sum(given - reversed - lost) FILTER (WHERE status = 'pending' AND awaits <> ''), 0) AS promised,
        coalesce(sum(given - reversed - lost) FILTER (WHERE status = 'flagged'), 0) AS flagged
    FROM rewards_reward r
    WHERE r.member_id = %(member_id)s AND r.asset_id = asset.id AND r.status IN ('pending', 'flagged')
) owed
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS reserved FROM rewards_redemption d
    WHERE d.member_id = %(member_id)s AND d.asset_id = asset.id AND d.status = 'reserved'
) aside
WHERE asset.is_active OR account.id IS NOT NULL
ORDER BY asset.id
"""
