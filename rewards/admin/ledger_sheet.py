"""The ledger as a table for a spreadsheet."""

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.names import names_of
from rewards import sentences, sheets
from rewards.models import Account, Posting

ROWS_MAX = 50_000
BATCH = 2_000
HEADER = (
    _("number"),
    _("at"),
    _("member's number"),
    _("member"),
    _("change"),
    _("asset"),
    _("reason"),
    _("why"),
    _("other account"),
    _("reward"),
    _("redemption"),
    _("note"),
    _("key"),
)


def text_of(found: QuerySet[Posting]) -> str:
    """Return the first of these postings as CSV, at most ROWS_MAX of them."""
    return sheets.sheet(header=HEADER, rows=_table(found[:ROWS_MAX]))


def member_id_of(posting: Posting) -> int | None:
    """Return the member whom a posting is about."""
    # What was set aside and moves on has no account of its member's.
    return (
        posting.target.member_id
        or posting.source.member_id
        or (posting.redemption.member_id if posting.redemption else None)
    )


def other_of(posting: Posting) -> Account:
    """Return the tenant's account of a posting: where it went, or came from."""
    return posting.source if posting.target.kind == Account.Kind.MEMBER else posting.target


def _table(found: QuerySet[Posting]) -> Iterator[Sequence[object]]:
    for rows in _batches(found):
        names = names_of(member_id_of(row) for row in rows)
        for row in rows:
            member_id = member_id_of(row)
            yield (
                row.pk,
                timezone.localtime(row.at).isoformat(timespec="seconds"),
                member_id,
                names.get(member_id or 0, ""),
                _number(row),
                row.source.asset.code,
                row.get_reason_display(),
                sentences.of_posting(row),
                other_of(row).get_kind_display(),
                row.reward_id,
                row.redemption_id,
                row.note,
                row.key,
            )


def _batches(found: QuerySet[Posting]) -> Iterator[list[Posting]]:
    rows: list[Posting] = []
    for row in found.iterator(chunk_size=BATCH):
        rows.append(row)
        if len(rows) == BATCH:
            yield rows
            rows = []
    yield rows


def _number(posting: Posting) -> int | float:
    """Return the change as a number, not as a text: spreadsheets add it up."""
    amount = -posting.amount if posting.source.kind == Account.Kind.MEMBER else posting.amount
    scale = posting.source.asset.scale
    return float(amount) / 10**scale if scale else amount
