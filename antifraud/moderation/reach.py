"""
What a decision about a case does not change, in sentences for whoever decides.

That is what is spent, seen, used or sent of what the case has given; and what the same people were given for the same
friend or event outside of the case: no decision about the case takes it back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from antifraud.models import Case, CaseReward
from antifraud.moderation.stakes import gift_names
from core.errors import type_of_text
from members.names import names_of
from rewards import beyond, units
from rewards.beyond import Beyond
from rewards.models import Reward

WHY = Reward.LostWhy
Status = Reward.Status

# Why it is beyond reach → a sentence over who, what was given and how much of it.
BEYOND: dict[str, type_of_text] = {
    WHY.SPENT: _("%(who)s has spent %(units)s of %(given)s."),
    WHY.SHOWN: _("%(who)s has already seen %(given)s."),
    WHY.USED: _("%(who)s has already used %(given)s."),
    WHY.SENT: _("%(given)s is on its way to %(who)s, or delivered."),
    WHY.FORGIVEN: _("%(who)s keeps %(units)s of %(given)s after a refund: the campaign forgives it."),
}
BESIDE: dict[str, type_of_text] = {
    Status.GRANTED: _("%(who)s has been given %(given)s for the same (%(campaign)s), outside of this case."),
    Status.PENDING: _("%(who)s will get %(given)s for the same (%(campaign)s), outside of this case."),
}


def irreversible(*, case: Case) -> list[str]:
    """Return what neither a rejection nor an undo of this case would take back; nothing where there is none."""
    own = _own(case)
    beside = list(_beside(own))
    names, gifts = names_of(reward.member_id for reward in beside), gift_names(beside)
    return [*_beyond(own), *_given(beside, names, gifts)]


def beyond_of(*, case: Case, reward_ids: Collection[int]) -> list[str]:
    """Return what is out of reach of what the case has given in these rewards: it stands in the way of an undo."""
    return _beyond([reward for reward in _own(case) if reward.pk in reward_ids])


def _beyond(own: Sequence[Reward]) -> list[str]:
    found = beyond.beyond_reach(reward_ids=[reward.pk for reward in own])
    if not found:
        return []
    return [*_lost(found, own, names_of(reward.member_id for reward in own), gift_names(own))]


def _own(case: Case) -> list[Reward]:
    return list(_rewards(Q(pk__in=CaseReward.objects.filter(case=case).values("reward"))))


def _beside(own: Sequence[Reward]) -> Iterator[Reward]:
    """Yield what the case's people were given for the same friend or event, and no moderator has refused."""
    same = Q(event__in={reward.event_id for reward in own})
    same |= Q(referral__in={reward.referral_id for reward in own if reward.referral_id})
    parties = {reward.member_id for reward in own}
    for reward in own:
        if reward.referral:
            pair = (reward.referral.inviter, reward.referral.invitee)
            # The rewards of whoever was merged into another are that one's.
            parties |= {each.merged_into_id or each.pk for each in pair}
    going = Q(member__in=parties, status__in=BESIDE) & same
    yield from _rewards(going & ~Q(pk__in=[reward.pk for reward in own]))


def _rewards(wanted: Q) -> Iterator[Reward]:
    of_each = ("asset", "campaign", "referral__inviter", "referral__invitee")
    yield from Reward.objects.filter(wanted).select_related(*of_each).order_by("pk")


def _lost(
    found: Sequence[Beyond], rewards: Sequence[Reward], names: Mapping[int, str], gifts: Mapping[str, str]
) -> Iterator[str]:
    of = {reward.pk: reward for reward in rewards}
    for each in found:
        reward = of[each.reward_id]
        told = {"who": names[reward.member_id], "given": _what(reward, gifts)}
        if reward.asset:
            told["units"] = units.written(each.units, reward.asset)
        yield str(BEYOND[each.why]) % told


def _given(rewards: Sequence[Reward], names: Mapping[int, str], gifts: Mapping[str, str]) -> Iterator[str]:
    for reward in rewards:
        told = {"who": names[reward.member_id], "given": _what(reward, gifts), "campaign": reward.campaign.name}
        yield str(BESIDE[reward.status]) % told


def _what(reward: Reward, gifts: Mapping[str, str]) -> str:
    if reward.asset:
        return units.written(reward.given - reward.reversed, reward.asset)
    return f"“{gifts.get(reward.what, reward.what)}”"
