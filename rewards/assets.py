"""The tenant's assets: made with their accounts, and read as values that know how long what is earned lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, Protocol

from core import money
from core.db import fetch, in_transaction
from rewards.costs import Price
from rewards.models import Account, Asset
from tenants import periods

POINTS: Final = "points"
PERIODS: Final = {"month_end": "month", "quarter_end": "quarter", "year_end": "year"}
COUNTED: Final = frozenset({"days", "months", "idle"})
# Where units come from and go to. They have no balance of their own: it is summed.
TENANT_KINDS: Final = ("issue", "escrow", "spend", "expiry", "writeoff")


class Priced(Protocol):
    """What a price asks of an asset, be it a row or a line."""

    @property
    def currency(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def minor_per_unit(self) -> int: ...


@dataclass(frozen=True, slots=True)
class AssetLine:
    """An asset's row. `expiry_count` counts days or months, as `expiry` says."""

    id: int
    code: str
    name: str
    kind: str
    currency: str
    scale: int
    rounding: str
    minor_per_unit: int
    may_owe: bool
    balance_max: int | None
    expiry: str
    expiry_count: int | None

    def expires_at(self, *, zone: tzinfo, at: datetime) -> datetime | None:
        """
        Return the first instant at which what could be used from `at` on is of no use any more, or None for never.

        It is always a local midnight: of "30 days" the thirtieth day after `at` is the last. What expires after days
        of rest has no instant of its own: the night looks at its account.
        """
        day = at.astimezone(zone).date()
        count = self.expiry_count or 0
        if self.expiry == "days":
            return periods.midnight(day + timedelta(days=count + 1), zone=zone)
        if self.expiry == "months":
            return periods.midnight(periods.add_months(day, months=count) + timedelta(days=1), zone=zone)
        if self.expiry in PERIODS:
            period = PERIODS[self.expiry]
            return periods.end_of(period, zone=zone, start=periods.start_of(period, zone=zone, at=at))
        return None


@in_transaction
def create(*, asset: Asset) -> Asset:
    """Write a new asset along with the tenant's accounts of it, without which nothing can be posted."""
    asset.save(force_insert=True)
    Account.objects.bulk_create([Account(kind=kind, asset=asset) for kind in TENANT_KINDS])
    return asset


def is_used(*, asset_id: int) -> bool:
    """Tell whether anything was ever owed in it: then what its amounts mean is settled."""
    return bool(fetch(USED, {"id": asset_id}))


def price_of(asset: Priced, *, currency: str) -> Price:
    """Return what units of an asset cost. Money in the tenant's `currency` is worth itself, whatever its rate says."""
    if asset.currency and asset.currency == currency:
        return Price(10 ** money.digits_of(currency), 10**asset.scale)
    return Price(asset.minor_per_unit, 10**asset.scale)


def line_of(row: Mapping[str, Any]) -> AssetLine:
    """Return an asset from its row's columns."""
    return AssetLine(**{name: row[name] for name in AssetLine.__slots__})


def lines() -> dict[int, AssetLine]:
    """Return all assets of the tenant by their ids, in one statement."""
    return {row.id: line_of(row._asdict()) for row in fetch("SELECT * FROM rewards_asset ORDER BY id")}


# An account of a member's is opened by the first posting. What is pending has none yet.
USED = """
SELECT FROM rewards_account WHERE asset_id = %(id)s AND kind = 'member'
UNION ALL SELECT FROM rewards_reward WHERE asset_id = %(id)s
UNION ALL SELECT FROM rewards_gift WHERE asset_id = %(id)s AND price IS NOT NULL
LIMIT 1
"""
