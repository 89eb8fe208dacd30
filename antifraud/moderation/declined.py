"""What a member was not given after a check, as the member may read it: what for, and nothing of what gave it away."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from antifraud.models import Decision, FraudPolicy
from antifraud.moderation import stakes, tellings
from campaigns.models import Campaign
from rewards import sentences
from rewards.models import Reward


@dataclass(frozen=True, slots=True)
class Line:
    """
    One reward that was not given. `amount` counts units of `asset`, or pieces where that is "".

    `text` is the whole line: "+100 was not given: your friend paid the first order (Bring a friend)".
    """

    id: int
    at: datetime
    asset: str
    what: str
    amount: int
    sentence: str
    text: str
    campaign: Campaign


def list_rewards(*, member_id: int) -> QuerySet[Reward]:
    """Return the rewards of a member that a moderator has refused; none where the tenant does not tell its members."""
    if not FraudPolicy.objects.get(singleton=True).tells_members:
        return Reward.objects.none()
    # Not the case's own: it may be open again about others.
    rejections = Decision.objects.filter(case__case_rewards__reward=OuterRef("pk"), action=Decision.Action.REJECT)
    decided = rejections.order_by("-pk").values("at")[:1]
    # What a refund would have taken back anyway, nobody misses.
    missed = Q(given__gt=F("reversed") + F("lost"))
    mine = Reward.objects.filter(missed, member_id=member_id, status=Reward.Status.REJECTED)
    wanted = mine.select_related("campaign", "order", "asset", "rule", "event").annotate(decided_at=Subquery(decided))
    return wanted.defer("event__data", "event__trace", "event__identities")


def lines(*, rewards: Iterable[Reward]) -> Iterator[Line]:
    """Yield a line for each of those that `list_rewards` has found."""
    rewards = list(rewards)
    gifts = stakes.gift_names(rewards)
    for reward in rewards:
        yield Line(
            id=reward.pk,
            at=reward.decided_at,  # type: ignore[attr-defined]
            asset=reward.asset.code if reward.asset else "",
            what=reward.what,
            amount=reward.given - reward.reversed - reward.lost,
            sentence=sentences.of_reward(reward),
            text=tellings.message_of(what="rejected", reward=reward, gifts=gifts),
            campaign=reward.campaign,
        )
