"""
What members spend, as rows: found by key or number, and given back lot by lot.

Units go back with the expiry that they had. What was spent last is given back first: spending takes what expires
soonest, so the member keeps what lives longest, and nothing lives longer than before.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core import sealing
from core.db import current_schema, fetch, in_transaction, json_text
from core.errors import NotFound, Unprocessable
from events.merging import selves_of
from rewards import ledger
from rewards.ledger import Move
from rewards.models import Redemption

# From where it comes back, by the reason of the posting.
SOURCES: Final = {"release": "escrow", "return": "spend"}
# What begins the keys of payouts, which are made here: a client's key that does is refused.
PAYOUT_KEY: Final = "payout:"


class KeyReused(Unprocessable):
    """A key was sent before, with something else."""

    message = _("This key was used before for something else.")


class UnknownRedemption(NotFound):
    """Nothing was spent or set aside under this number."""

    message = _("There is no such redemption.")


class Used(NamedTuple):
    """So much was taken from a lot, which expires then."""

    lot_id: int
    amount: int
    expires_at: datetime | None


def fingerprint_of(told: object) -> str:
    """Return what tells whether two requests said the same; it says nothing of what they said."""
    return sealing.fingerprint(schema=current_schema(), payload=json_text(told).encode())


def digest_of(key: str) -> str:
    """Return a short name of a client's key, for the keys of postings."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def is_same(*, fingerprint: str, verb: str, wanted: Any) -> bool:
    """
    Tell whether what is wanted now is what was wanted then: its fields and `verb` made this fingerprint.

    Of whoever was merged since, their program wants it for the one who stays.
    """
    if fingerprint == fingerprint_of([verb, *wanted]):
        return True
    numbers = selves_of(wanted.member_id)
    return any(fingerprint == fingerprint_of([verb, *wanted._replace(member_id=each)]) for each in numbers)


def find_repeat(*, key: str, verb: str, wanted: Any) -> Redemption | None:
    """
    Return what was made under this key before, or None. The caller holds the tenant's lock. The rest as for `is_same`.

    :raises KeyReused: if it was made for another request, or could be a payout's.
    """
    if key.startswith(PAYOUT_KEY):
        raise KeyReused(pointer="/key")
    found = Redemption.objects.filter(key=key).select_related("asset", "gift").first()
    if found is not None and not is_same(fingerprint=found.fingerprint, verb=verb, wanted=wanted):
        raise KeyReused(pointer="/key", extra={"redemption_id": found.pk})
    return found


def get(*, redemption_id: int, purpose: str) -> Redemption:
    """
    Return a redemption as it is now.

    :raises UnknownRedemption:
    """
    wanted = Redemption.objects.filter(pk=redemption_id, purpose=purpose).select_related("asset", "gift")
    found = wanted.first()
    if found is None:
        raise UnknownRedemption
    return found


@in_transaction
def give_back(*, redemption: Redemption, amount: int, reason: str, key: str, at: datetime) -> None:
    """
    Post `amount` back to the member, one posting a lot, each with the lot's old expiry. `key` begins their keys.

    `reason` is release (from escrow) or return (of what was spent). The caller holds the tenant's lock, and knows that
    so much is left to be given back.
    """
    moves = [
        Move(
            key=f"{key}:{part.lot_id}",
            reason=reason,
            member_id=redemption.member_id,
            asset_id=redemption.asset_id,
            amount=part.amount,
            other=SOURCES[reason],
            redemption_id=redemption.pk,
            expires_at=part.expires_at,
        )
        for part in portions(uses=_uses_of(redemption), skipped=given_back(redemption=redemption), amount=amount)
    ]
    ledger.post(moves=moves, at=at)


def given_back(*, redemption: Redemption, reason: str | None = None, key: str = "") -> int:
    """Return how much of it was released and returned so far; with a reason and a key, of those alone."""
    asked = {"id": redemption.pk, "reasons": [reason] if reason else [*SOURCES], "key": key}
    return int(fetch(GIVEN_BACK, asked)[0].amount)


def portions(*, uses: Iterable[Used], skipped: int, amount: int) -> Iterator[Used]:
    """Yield the next `amount` of what was used, in the order of giving back, after what was given back before. Pure."""
    for use in uses:
        passed = min(use.amount, skipped)
        skipped -= passed
        part = min(use.amount - passed, amount)
        amount -= part
        if part:
            yield Used(use.lot_id, part, use.expires_at)


def _uses_of(redemption: Redemption) -> list[Used]:
    return [Used(row.lot_id, row.amount, row.expires_at) for row in fetch(USES, {"id": redemption.pk})]


# The reverse of the order in which `rewards.lots` spends.
USES = """
SELECT u.lot_id, u.amount, l.expires_at
FROM rewards_posting p
JOIN rewards_lotuse u ON u.posting_id = p.id
JOIN rewards_lot l ON l.posting_id = u.lot_id
WHERE p.redemption_id = %(id)s AND p.reason IN ('reserve', 'spend', 'payout')
ORDER BY l.expires_at DESC NULLS FIRST, u.lot_id DESC
"""

GIVEN_BACK = """
SELECT coalesce(sum(amount), 0) AS amount FROM rewards_posting
WHERE redemption_id = %(id)s AND reason = ANY(%(reasons)s::text[]) AND starts_with(key, %(key)s)
"""
