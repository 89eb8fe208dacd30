"""Payouts as tables: what the bank is given, and what comes back from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, in_transaction
from core.errors import Invalid
from members import names, people
from rewards import payouts, sheets
from rewards.actors import Actor
from rewards.models import Asset, Redemption

HEADER: Final = ("id", "member", "amount", "currency", "set_aside_at", "reference")
ROWS_MAX: Final = 10_000

Status = Redemption.Status


class InvalidSheet(Invalid):
    """Not a table with the columns id and reference."""

    message = _("This is not a table with the columns id and reference, in UTF-8, of up to 10,000 rows.")


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a table: how many payouts were settled, and what is wrong in which row. The header is row 1."""

    settled: int
    known: int
    errors: tuple[tuple[int, str | Promise], ...]


@in_transaction
def export(*, asset: Asset, by: Actor, at: datetime) -> str:
    """Return all that is set aside as CSV, in units of the currency. It is noted in the audit log."""
    rows = list(payouts.list_payouts(asset_id=asset.pk, status=Status.RESERVED).order_by("pk"))
    named = names.external_ids_of(row.member_id for row in rows)
    changes = {"payouts": len(rows), "amount": sum(row.amount for row in rows)}
    by.note(action="payout.exported", target=f"asset:{asset.code}", changes=changes, at=at)
    return sheets.sheet(header=HEADER, rows=(_line(row, asset, named) for row in rows))


@in_transaction
def settle(*, content: bytes, by: Actor, at: datetime) -> Imported:
    """
    Settle the payouts of a table with the columns `id` and `reference`. Good rows go in, bad ones are told.

    A row without a reference is not paid yet, and is passed over. One that was settled so before is known.

    :raises InvalidSheet: if it is not such a table at all.
    """
    people.lock(current_schema())
    rows = _rows_of(content)
    found = payouts.list_payouts().in_bulk([number for _row, number, _reference in rows if number])
    errors: list[tuple[int, str | Promise]] = []
    good: dict[int, tuple[Redemption, str]] = {}
    known = 0
    for row, number, reference in rows:
        payout = found.get(number)
        problem = _problem(payout, number in good, reference)
        if problem:
            errors.append((row, problem))
        elif payout is not None and payout.status == Status.RESERVED:
            good[number] = (payout, reference)
        else:
            known += 1
    payouts.pay(payments=[*good.values()], by=by, at=at)
    return Imported(settled=len(good), known=known, errors=tuple(errors))


def _problem(payout: Redemption | None, is_twice: bool, reference: str) -> str | Promise | None:  # noqa: FBT001
    if payout is None:
        return _("There is no payout with this id.")
    if is_twice:
        return _("This payout stands here twice.")
    if len(reference) > payouts.REFERENCE_LENGTH_MAX:
        return _("The reference is too long.")
    if payout.status == Status.RESERVED or (payout.status == Status.CAPTURED and payout.reference == reference):
        return None
    if payout.status == Status.CAPTURED:
        return _("It was paid under another reference.")
    return _("It could not be paid before, and was given back.")


def _rows_of(content: bytes) -> list[tuple[int, int, str]]:
    try:
        table = sheets.read(text=content.decode("utf-8-sig"))
    except ValueError as error:
        raise InvalidSheet from error
    if len(table) > ROWS_MAX + 1 or not table:
        raise InvalidSheet
    header = [each.lower() for each in table[0]]
    if not {"id", "reference"} <= set(header):
        raise InvalidSheet
    return [*_numbered(table[1:], header.index("id"), header.index("reference"))]


def _numbered(table: Sequence[Sequence[str]], id_place: int, reference_place: int) -> Iterator[tuple[int, int, str]]:
    for number, cells in enumerate(table, start=2):
        if not any(cells):
            continue
        padded = [*cells, *[""] * (max(id_place, reference_place) + 1 - len(cells))]
        reference = padded[reference_place]
        if reference:
            yield number, _number(padded[id_place]), reference


def _number(text: str) -> int:
    # Ids fit a bigint; nothing else is one.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _line(row: Redemption, asset: Asset, named: dict[int, str]) -> tuple[object, ...]:
    amount = f"{Decimal(row.amount).scaleb(-asset.scale):f}"
    return (row.pk, named.get(row.member_id, ""), amount, asset.currency, row.created_at.isoformat(), "")
