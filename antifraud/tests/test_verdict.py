import pytest

from antifraud import verdict
from antifraud.observed import Policy, Seen

POLICY = Policy(flag_from=50, refuse_from=150, signups_per_hour=10)


def seen(weight: int) -> Seen:
    return Seen(signal="self_referral_email", weight=weight, evidence={})


@pytest.mark.parametrize(
    ("weights", "answer"),
    [
        ([], "allow"),
        ([49], "allow"),
        ([50], "flag"),
        ([149], "flag"),
        ([150], "refuse"),
        ([25, 25], "flag"),
        ([100, 49], "flag"),
        ([100, 50], "refuse"),
    ],
)
def test_both_thresholds_are_inclusive_and_weights_add_up(weights, answer):
    given = verdict.decide(seen=[seen(weight) for weight in weights], policy=POLICY)

    assert given.answer == answer


def test_it_keeps_all_that_was_seen():
    both = (seen(10), seen(20))

    assert verdict.decide(seen=both, policy=POLICY) == verdict.Verdict("allow", both)
