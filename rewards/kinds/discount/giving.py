"""
Discount codes on their way: made by the gift's pattern, or taken from its stock.

What the code takes off is written down with it, as the gift had it then: a member keeps what was promised.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from django.db import IntegrityError

from core.db import execute, fetch, in_transaction, savepoint
from core.errors import conflict_of
from rewards import entitlements as all_entitlements
from rewards.certificates import stock
from rewards.entitlements import Issue, index_of, last_instant, seal
from rewards.kinds.discount import patterns
from rewards.models import Entitlement, Reward
from tenants import context

logger = logging.getLogger(__name__)

Status = Entitlement.Status

# Of a pattern that is half used up one of a thousand still waits after so many draws.
DRAWS_MAX: Final = 10
ONCE: Final = "entitlement_code_once_a_kind"


@in_transaction
def begin(*, entitlements: Sequence[Entitlement], at: datetime) -> None:
    """Issue those whose pattern has a free code, and those for which there is stock. The others go on waiting."""
    execute(KEEP_TERMS, {"ids": [each.pk for each in entitlements]})
    made = [each for each in entitlements if each.gift.terms.get("pattern")]
    _make(made, zone=context.zone(), at=at)
    stock.hand_out(gift_ids={each.gift_id for each in entitlements if not each.gift.terms.get("pattern")}, at=at)


@in_transaction
def stop(*, entitlements: Sequence[Entitlement], why: str, at: datetime) -> dict[int, str]:
    """
    Cancel what has not been used. A code of ours then takes nothing off any more, whoever has seen it.

    A code from an upload may be good elsewhere: once seen, it cannot be taken back.
    """
    lost = {each.pk: reason for each in entitlements if (reason := why_lost(entitlement=each))}
    going = [each.pk for each in entitlements if each.pk not in lost]
    ended = all_entitlements.cancel(ids=going, was=[Status.WAITING, Status.ISSUED], why=why, at=at)
    returned = stock.take_back(entitlement_ids=ended)
    stock.hand_out(gift_ids={each.gift_id for each in entitlements if each.pk in returned}, at=at)
    return lost


def why_lost(*, entitlement: Entitlement) -> str:
    """Say why it cannot be taken back: it is used, or somebody has seen a code that is good elsewhere."""
    if entitlement.status == Status.USED:
        return str(Reward.LostWhy.USED)
    return str(Reward.LostWhy.SHOWN) if entitlement.status == Status.ISSUED and _is_out(entitlement) else ""


def terms_of(entitlement: Entitlement) -> dict[str, Any]:
    """Return what was promised with a code: the gift may say something else by now."""
    found: dict[str, Any] = entitlement.details.get("terms") or entitlement.gift.terms
    return found


def _is_out(entitlement: Entitlement) -> bool:
    return entitlement.shown_at is not None and not terms_of(entitlement).get("pattern")


def _make(entitlements: Sequence[Entitlement], *, zone: tzinfo, at: datetime) -> None:
    """Draw a code for each. The database says that one is taken; then those that are get drawn anew."""
    issues = [_issue(each, zone=zone, at=at) for each in entitlements]
    for _ in range(DRAWS_MAX):
        if _are_issued(issues, at=at):
            return
        taken = _taken(issues)
        issues = [
            _issue(each, zone=zone, at=at) if issue.id in taken else issue
            for each, issue in zip(entitlements, issues, strict=True)
        ]
    taken = _taken(issues)
    logger.warning("The patterns of gifts %s have hardly a code left", {each.gift_id for each in entitlements})
    all_entitlements.mark_issued(issues=[issue for issue in issues if issue.id not in taken], at=at)


def _are_issued(issues: Sequence[Issue], *, at: datetime) -> bool:
    try:
        with savepoint():
            all_entitlements.mark_issued(issues=issues, at=at)
    except IntegrityError as error:
        if conflict_of(error) != ONCE:
            raise
        return False
    return True


def _taken(issues: Sequence[Issue]) -> set[int]:
    """Return the ids of those whose code somebody has, or one before them in the same row."""
    had = {row.code_index for row in fetch(TAKEN, {"codes": [issue.code_index for issue in issues]})}
    found = set()
    for issue in issues:
        if issue.code_index in had:
            found.add(issue.id)
        had.add(issue.code_index)
    return found


def _issue(entitlement: Entitlement, *, zone: tzinfo, at: datetime) -> Issue:
    terms = entitlement.gift.terms
    code = patterns.draw(terms["pattern"])
    index = index_of(kind=entitlement.kind, gift_id=entitlement.gift_id, code=code)
    until = last_instant(days=terms.get("valid_days"), zone=zone, at=at)
    return Issue(id=entitlement.pk, code=seal(code), code_index=index, valid_from=at, valid_until=until)


KEEP_TERMS = """
UPDATE rewards_entitlement e SET details = e.details || jsonb_build_object('terms', gift.terms)
FROM rewards_gift gift WHERE gift.id = e.gift_id AND e.id = ANY(%(ids)s::bigint[])
"""

TAKEN = """
SELECT code_index FROM rewards_entitlement WHERE kind = 'discount' AND code_index = ANY(%(codes)s::text[])
"""
