"""More sign-ups in an hour for one inviter than friends could account for."""

from collections.abc import Iterator

from antifraud.observed import Observed, Policy, Seen

WEIGHT = 50


def observe(case: Observed, policy: Policy) -> Iterator[Seen]:
    """Yield an observation from the sign-up on that exceeds the policy's number in one hour."""
    if case.signups_in_hour > policy.signups_per_hour:
        yield Seen(
            signal="velocity",
            weight=WEIGHT,
            evidence={"signups": case.signups_in_hour, "allowed": policy.signups_per_hour},
        )
