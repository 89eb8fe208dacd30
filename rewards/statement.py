"""A member's statement: every posting of theirs, with the balance after it and a sentence that says why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from core.db import fetch
from rewards.models import Account, Posting, Reward


@dataclass(frozen=True, slots=True)
class Line:
    """One posting as its member sees it: `amount` is below zero where something was taken back."""

    id: int
    at: datetime
    asset: str
    amount: int
    balance: int
    reason: str
    sentence: str
    campaign: Campaign | None
    reward_id: int | None


def list_postings(*, member_id: int) -> QuerySet[Posting]:
    """Return a member's postings of all assets."""
    accounts = list(Account.objects.filter(member_id=member_id).values_list("id", flat=True))
    mine = Posting.objects.filter(Q(source__in=accounts) | Q(target__in=accounts))
    return mine.select_related("source", "target", "target__asset", "reward__campaign", "reward__order")


def lines(*, member_id: int, postings: Sequence[Posting]) -> Iterator[Line]:
    """Yield a line for each of `postings`, which stand together in the member's list, the newest first."""
    if not postings:
        return
    found = fetch(BALANCES_AFTER, {"member_id": member_id, "id": postings[0].id})
    balances = {row.account_id: int(row.balance) for row in found}
    for posting in postings:
        is_earned = posting.target.member_id == member_id
        account_id = posting.target_id if is_earned else posting.source_id
        amount = posting.amount if is_earned else -posting.amount
        yield _line(posting, amount=amount, balance=balances[account_id])
        balances[account_id] -= amount


def sentence_of(posting: Posting) -> str:
    """Return why a posting was made, in the reader's language."""
    reward = posting.reward
    if reward is None:
        return str(Posting.Reason(posting.reason).label)
    # A friend's order is the friend's own business.
    order = reward.order.number if reward.order and reward.side != Reward.Side.INVITER else ""
    sentence = _sentence(posting.reason, side=reward.side, has_order=bool(order))
    return str(sentence % {"campaign": reward.campaign.name, "order": order})


def _sentence(reason: str, *, side: str, has_order: bool) -> Any:
    if reason == Posting.Reason.UNDO:
        return _("Taken back: a decision was undone (%(campaign)s)")
    if reason == Posting.Reason.REFUND:
        if has_order:
            return _("Taken back: order %(order)s was refunded (%(campaign)s)")
        return _("Taken back: a friend's order was refunded (%(campaign)s)")
    if side == Reward.Side.INVITER:
        return _("For a friend who was invited (%(campaign)s)")
    if has_order:
        return _("For order %(order)s (%(campaign)s)")
    return _("Earned (%(campaign)s)")


def _line(posting: Posting, *, amount: int, balance: int) -> Line:
    reward = posting.reward
    return Line(
        id=posting.id,
        at=posting.at,
        asset=posting.target.asset.code,
        amount=amount,
        balance=balance,
        reason=posting.reason,
        sentence=sentence_of(posting),
        campaign=reward.campaign if reward else None,
        reward_id=posting.reward_id,
    )


BALANCES_AFTER = """
SELECT account.id AS account_id,
    coalesce((SELECT sum(amount) FROM rewards_posting WHERE target_id = account.id AND id <= %(id)s), 0)
    - coalesce((SELECT sum(amount) FROM rewards_posting WHERE source_id = account.id AND id <= %(id)s), 0) AS balance
FROM rewards_account account
WHERE account.member_id = %(member_id)s
"""
