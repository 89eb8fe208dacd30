"""The rewards of a case, as `?expand=rewards` shows them in a list."""

from collections.abc import Mapping, Sequence

from antifraud.models import CaseReward
from core.http.expansions import Expansion
from rewards.api.rewards import RewardOutput, list_rewards
from rewards.models import Reward


def look_up(case_ids: Sequence[int]) -> Mapping[int, list[Reward]]:
    """Return the rewards of cases, in the order in which they came."""
    of_rewards = dict(CaseReward.objects.filter(case__in=case_ids).values_list("reward_id", "case_id"))
    found: dict[int, list[Reward]] = {}
    for reward in list_rewards().filter(pk__in=list(of_rewards)).order_by("pk"):
        found.setdefault(of_rewards[reward.pk], []).append(reward)
    return found


OF_CASES = {
    "rewards": Expansion(by="id", scope="rewards:read", look_up=look_up, shape=RewardOutput, is_many=True),
}
