"""Allow, flag or refuse: drawn from all that was seen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from antifraud.judging.observed import Seen
from antifraud.judging.policy import Policy
from antifraud.signals import OF_OTHERS, block_list

type_of_answer = Literal["allow", "flag", "refuse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The decision about one proposed reward, and what it rests on.

    `seen` is what counts, `shadow` what was only recorded. `because` is what the trace tells: the `weights` with their
    `sum` and the threshold that it reached (`from`); or the signals that `always` lead to the answer; or `exempt`.
    """

    answer: type_of_answer
    seen: tuple[Seen, ...]
    shadow: tuple[Seen, ...] = ()
    because: dict[str, Any] = field(default_factory=dict)


def decide(*, seen: Sequence[Seen], policy: Policy, is_exempt: bool = False) -> Verdict:
    """
    Compare what was seen with the policy: the sum of weights with two thresholds, each inclusive; "always" before them.

    What others can bring about flags, and adds nothing to what refuses: whoever signs up by somebody's link in order to
    harm them must not cost them a reward. What is only in shadow does not count. Of whoever `is_exempt` nothing counts
    but a stop list.
    """
    live = tuple(each for each in seen if not each.is_shadow)
    shadow = tuple(each for each in seen if each.is_shadow)
    counting = tuple(each for each in live if each.signal == block_list.NAME) if is_exempt else live
    answer, because = _answer(counting, policy)
    if is_exempt and answer == "allow" and live:
        because = {"exempt": True}
    return Verdict(answer, live, shadow, because)


def _answer(seen: Sequence[Seen], policy: Policy) -> tuple[type_of_answer, dict[str, Any]]:
    own = [each for each in seen if each.signal not in OF_OTHERS]
    answers: tuple[tuple[type_of_answer, Sequence[Seen], int], ...] = (
        ("refuse", own, policy.refuse_from),
        ("flag", seen, policy.flag_from),
    )
    for answer, counting, threshold in answers:
        always = [each.signal for each in seen if each.always == answer]
        if always:
            return answer, {"always": always}
        weights = [each.weight for each in counting]
        if sum(weights) >= threshold:
            return answer, {"weights": weights, "sum": sum(weights), "from": threshold}
    return "allow", {}
