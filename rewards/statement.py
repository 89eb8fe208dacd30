"""A member's statement: every posting of theirs, with the balance after it and a sentence one can read aloud."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from core.db import fetch
from rewards import sentences, units
from rewards.models import Account, Asset, Lot, Posting
from tenants import context


@dataclass(frozen=True, slots=True)
class Line:
    """
    One posting as its member sees it: `amount` is below zero where something was taken or set aside.

    `sentence` says why. `text` is the whole line: "+100: your friend paid the first order; usable from 5 Dec, until 5
    Jun". What was earned is usable from `usable_from` and before `usable_until`; `paid_debt` of it paid what was owed.
    """

    id: int
    at: datetime
    asset: Asset
    amount: int
    balance: int
    reason: str
    sentence: str
    text: str
    campaign: Campaign | None
    reward_id: int | None
    redemption_id: int | None
    usable_from: datetime | None
    usable_until: datetime | None
    paid_debt: int

    @property
    def amount_text(self) -> str:
        """The amount with its sign, as people write it."""
        return units.signed(self.amount, self.asset)

    @property
    def balance_text(self) -> str:
        return units.written(self.balance, self.asset)


def list_postings(*, member_id: int) -> QuerySet[Posting]:
    """Return a member's postings of all assets."""
    accounts = list(Account.objects.filter(member_id=member_id).values_list("id", flat=True))
    return sentences.told(Posting.objects.filter(Q(source__in=accounts) | Q(target__in=accounts)))


def lines(*, member_id: int, postings: Sequence[Posting]) -> Iterator[Line]:
    """Yield a line for each of `postings`, which stand together in the member's list, the newest first."""
    if not postings:
        return
    found = fetch(BALANCES_AFTER, {"member_id": member_id, "id": postings[0].id})
    balances = {row.account_id: int(row.balance) for row in found}
    lots = Lot.objects.in_bulk([each.pk for each in postings if each.target.member_id == member_id])
    for posting in postings:
        is_earned = posting.target.member_id == member_id
        account_id = posting.target_id if is_earned else posting.source_id
        amount = posting.amount if is_earned else -posting.amount
        yield _line(posting, amount=amount, balance=balances[account_id], lot=lots.get(posting.pk))
        balances[account_id] -= amount


def sentence_of(posting: Posting) -> str:
    """Return why a posting was made, in the reader's language."""
    return sentences.of_posting(posting)


def _line(posting: Posting, *, amount: int, balance: int, lot: Lot | None) -> Line:
    # What stood below zero before was a debt, which an earning pays first.
    paid_debt = min(amount, max(amount - balance, 0)) if amount > 0 else 0
    is_usable = lot is not None and paid_debt < amount
    reward = posting.reward
    line = Line(
        id=posting.id,
        at=posting.at,
        asset=posting.target.asset,
        amount=amount,
        balance=balance,
        reason=posting.reason,
        sentence=sentence_of(posting),
        text="",
        campaign=reward.campaign if reward else None,
        reward_id=posting.reward_id,
        redemption_id=posting.redemption_id,
        usable_from=lot.available_at if lot and is_usable else None,
        usable_until=lot.expires_at if lot and is_usable else None,
        paid_debt=paid_debt,
    )
    return replace(line, text="; ".join(_parts(line)))


def _parts(line: Line) -> Iterator[str]:
    yield f"{line.amount_text}: {sentences.inside(line.sentence)}"
    if line.paid_debt == line.amount:
        yield _("all of it paid what you owed")
        return
    if line.paid_debt:
        yield _("%(units)s of it paid what you owed") % {"units": units.written(line.paid_debt, line.asset)}
    if line.usable_from:
        yield _usable(line, line.usable_from)


def _usable(line: Line, usable_from: datetime) -> str:
    zone = context.zone()
    told = {"from": units.day_of(usable_from, zone=zone, near=line.at)}
    if line.usable_until is None:
        return _("usable from %(from)s") % told
    if line.usable_until <= usable_from:
        # Given back after its last day: it is not taken for new.
        return _("its last day is over")
    told["until"] = units.last_day_of(line.usable_until, zone=zone, near=line.at)
    return _("usable from %(from)s, until %(until)s") % told


BALANCES_AFTER = """
SELECT account.id AS account_id,
    coalesce((SELECT sum(amount) FROM rewards_posting WHERE target_id = account.id AND id <= %(id)s), 0)
    - coalesce((SELECT sum(amount) FROM rewards_posting WHERE source_id = account.id AND id <= %(id)s), 0) AS balance
FROM rewards_account account
WHERE account.member_id = %(member_id)s
"""
