"""What is at stake: what rewards give, and what they cost the tenant, in minor units of its currency."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from django.db.models import BigIntegerField, DecimalField, F
from django.db.models.functions import Cast, Floor

from rewards import costs, units
from rewards.models import Gift, Reward

# As rewards.costs.left has it, of a case's reward, for sums in the database. The product outgrows a bigint.
_WIDE: Final = DecimalField(max_digits=40, decimal_places=0)
COST_LEFT: Final = F("reward__cost_minor") - Cast(
    Floor(Cast("reward__cost_minor", _WIDE) * Cast("reward__reversed", _WIDE) / Cast("reward__given", _WIDE)),
    BigIntegerField(),
)


def cost_left(reward: Reward) -> int:
    """Return what a reward costs without the part that was taken back, which is rounded down."""
    return costs.left(cost_minor=reward.cost_minor, given=reward.given, reversed=reward.reversed)


def amounts_of(rewards: Iterable[Reward], *, gifts: Mapping[str, str]) -> tuple[str, ...]:
    """
    Return what is left of rewards in words, one for each asset and gift: `("300", "$12.50", "2 × Coffee House")`.

    `gifts` are the gifts' names by their codes. The rewards come with their assets.
    """
    counted: dict[int, int] = defaultdict(int)
    assets = {}
    pieces: dict[str, int] = defaultdict(int)
    for reward in rewards:
        if reward.asset is None:
            pieces[reward.what] += 1
        else:
            assets[reward.asset.pk] = reward.asset
            counted[reward.asset.pk] += reward.given - reward.reversed
    return (
        *(units.written(counted[pk], assets[pk]) for pk in sorted(counted)),
        *(f"{n} × {gifts.get(code, code)}" if n > 1 else gifts.get(code, code) for code, n in sorted(pieces.items())),
    )


def gift_names(rewards: Iterable[Reward]) -> dict[str, str]:
    """Return the names of those gifts that are among the rewards, by their codes."""
    codes = {reward.what for reward in rewards if reward.asset_id is None}
    return dict(Gift.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
