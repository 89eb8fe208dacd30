"""Allow, flag or refuse: drawn from all that was seen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from antifraud.observed import Policy, Seen

type_of_answer = Literal["allow", "flag", "refuse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one proposed reward, and what it rests on."""

    answer: type_of_answer
    seen: tuple[Seen, ...]


def decide(*, seen: Sequence[Seen], policy: Policy) -> Verdict:
    """Add up the weights and compare them with the policy's two thresholds, each inclusive."""
    weight = sum(each.weight for each in seen)
    if weight >= policy.refuse_from:
        return Verdict("refuse", tuple(seen))
    return Verdict("flag" if weight >= policy.flag_from else "allow", tuple(seen))
