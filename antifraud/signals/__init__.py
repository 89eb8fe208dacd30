"""The signals: one file each, named here. A signal looks at frozen values and yields what it sees. Pure."""

from collections.abc import Callable, Iterator

from antifraud.observed import Observed, Policy, Seen
from antifraud.signals import known_before, self_referral, velocity

SIGNALS: tuple[Callable[[Observed, Policy], Iterator[Seen]], ...] = (
    self_referral.observe,
    known_before.observe,
    velocity.observe,
)


def observe(*, case: Observed, policy: Policy) -> tuple[Seen, ...]:
    """Return all that the signals see, in the order of the list above."""
    return tuple(seen for signal in SIGNALS for seen in signal(case, policy))
