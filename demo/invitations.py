"""
Who invited whom among the real customers: simulated. The sample knows nothing of it. Pure.

A fifth of those who came after the first days came with the code of an earlier customer; few customers invite many.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

SEED: Final = "invitations"
SHARE: Final = 0.2
INVITERS: Final = 90
# Whoever invites has been a customer for some days.
KNOWN_FOR: Final = timedelta(days=4)
# Inviters are found among those who came in the first weeks, so that they have somebody left to invite.
CAME_WITHIN: Final = timedelta(days=50)


def choose(joined: Mapping[str, datetime]) -> dict[str, str]:
    """Return the inviter of each customer who has one."""
    rng = Random(SEED)
    ordered = sorted(joined, key=lambda customer: (joined[customer], customer))
    early = [customer for customer in ordered if joined[customer] - joined[ordered[0]] < CAME_WITHIN]
    inviters = rng.sample(early, min(INVITERS, len(early)))
    # The first of them brings several times as many as the last.
    weights = [1 / (place + 3) for place in range(len(inviters))]
    found: dict[str, str] = {}
    for customer in ordered:
        is_invited = rng.random() < SHARE
        inviter = rng.choices(inviters, weights)[0]
        if is_invited and joined[customer] - joined[inviter] >= KNOWN_FOR:
            found[customer] = inviter
    return found
