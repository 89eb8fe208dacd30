"""What is on its way to a member: earned and on hold, promised for something that they do, or being checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from rewards import sentences, units
from rewards.models import Gift, Reward
from tenants import context

Status = Reward.Status


@dataclass(frozen=True, slots=True)
class Line:
    """
    One reward that may still come. `amount` counts units of `asset`, or pieces where that is "".

    `text` is the whole line: "+200: you joined on a friend's invitation; usable once this happens: Order paid".
    """

    id: int
    asset: str
    what: str
    amount: int
    state: str
    sentence: str
    text: str
    campaign: Campaign
    usable_from: datetime | None
    awaits: str
    awaits_until: datetime | None


def list_rewards(*, member_id: int) -> QuerySet[Reward]:
    """Return the rewards of a member that may still come."""
    mine = Reward.objects.filter(member_id=member_id, status__in=[Status.PENDING, Status.FLAGGED])
    wanted = mine.select_related("campaign", "order", "asset", "rule", "event")
    return wanted.defer("event__data", "event__trace", "event__identities")


def lines(*, rewards: Iterable[Reward]) -> Iterator[Line]:
    """Yield a line for each."""
    rewards = list(rewards)
    codes = {reward.what for reward in rewards if reward.asset is None}
    names = dict(Gift.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    for reward in rewards:
        yield _line(reward, names)


def _line(reward: Reward, names: dict[str, str]) -> Line:
    amount = reward.given - reward.reversed - reward.lost
    sentence = sentences.of_reward(reward)
    given = units.signed(amount, reward.asset) if reward.asset else f"+{names.get(reward.what, reward.what)}"
    return Line(
        id=reward.pk,
        asset=reward.asset.code if reward.asset else "",
        what=reward.what,
        amount=amount,
        state=_state(reward),
        sentence=sentence,
        text=f"{given}: {sentences.inside(sentence)}; {_when(reward)}",
        campaign=reward.campaign,
        usable_from=reward.matures_at if _state(reward) == "pending" else None,
        awaits=reward.awaits,
        awaits_until=reward.awaits_until,
    )


def _state(reward: Reward) -> str:
    if reward.status == Status.FLAGGED:
        return "flagged"
    return "promised" if reward.awaits else "pending"


def _when(reward: Reward) -> str:
    zone, near = context.zone(), reward.created_at
    if reward.status == Status.FLAGGED:
        return _("it is being checked")
    if not reward.awaits:
        return _("usable from %(from)s") % {"from": units.day_of(reward.matures_at, zone=zone, near=near)}
    told = {"event": sentences.of_event(reward.awaits)}
    if reward.awaits_until is None:
        return _("usable once this happens: %(event)s") % told
    told["until"] = units.last_day_of(reward.awaits_until, zone=zone, near=near)
    return _("usable once this happens: %(event)s, until %(until)s") % told
