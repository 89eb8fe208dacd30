"""The record shop's story, from its first order to this minute. Pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from demo import cheats, friends, history, orders, voices
from demo.acts import SIMULATED, Act, in_order
from demo.days import Days
from demo.friends import Friend

# Whoever has bought so lately may invite somebody.
ACTIVE_WITHIN = timedelta(days=120)
# At the fair somebody passes the check-in's code on to people who are not there. See the stop rule in demo/offers.py.
FAIR = "Record fair"
FAIR_CHECK_INS = 28


def story(*, days: Days) -> tuple[Act, ...]:
    """Return all that happened, in order."""
    invented = friends.invent(members=_active(days), days=days)
    told = [
        *history.acts(days=days),
        *friends.acts(friends=invented, days=days),
        *voices.acts(friends=invented, days=days),
        *cheats.acts(days=days),
        *_fair(invented),
    ]
    return in_order(told)


def _active(days: Days) -> Sequence[str]:
    customers = orders.shifted(days=days).items()
    return [history.name_of(number) for number, paid in customers if days.last_at - paid[-1].at < ACTIVE_WITHIN]


def _fair(invented: Sequence[Friend]) -> Iterator[Act]:
    """All within a moment, as it is reported: history would not stop a campaign."""
    for friend in invented[:FAIR_CHECK_INS]:
        yield Act(
            key=f"simulated:{friend.name}:fair",
            kind="check_in",
            who={"external_id": friend.name},
            at=None,
            data={"place": FAIR, "channel": "fair", "extra": SIMULATED},
        )
