"""The record shop's story, from its first order to this minute. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from demo import cheats, friends, history, orders, voices, webs
from demo.acts import SIMULATED, Act, in_order
from demo.days import Days
from demo.friends import Friend

# Whoever has bought so lately may invite somebody.
ACTIVE_WITHIN = timedelta(days=120)
# At the fair somebody passes the check-in's code on to people who are not there. See the stop rule in demo/offers.py.
FAIR = "Record fair"
FAIR_CHECK_INS = 28
# On its first day people came as people do: so many in each of its hours.
FAIR_BEGAN_DAYS_AGO = 2
FAIR_HOURS = (1, 2, 4, 5, 3, 6, 8, 5, 7)


def story(*, days: Days) -> tuple[Act, ...]:
    """Return all that happened, in order."""
    invented = friends.invent(members=_active(days), days=days)
    told = [
        *history.acts(days=days),
        *friends.acts(friends=invented, days=days),
        *voices.acts(friends=invented, days=days),
        *cheats.acts(days=days),
        *webs.acts(days=days),
        *_fair_at_first(invented[FAIR_CHECK_INS:], days),
        *_fair(invented),
    ]
    return in_order(told)


def _active(days: Days) -> Sequence[str]:
    customers = orders.shifted(days=days).items()
    return [history.name_of(number) for number, paid in customers if days.last_at - paid[-1].at < ACTIVE_WITHIN]


def _fair_at_first(invented: Sequence[Friend], days: Days) -> Iterator[Act]:
    came = iter(invented)
    for hour, count in enumerate(FAIR_HOURS):
        began_at = days.ago(FAIR_BEGAN_DAYS_AGO, 0) + timedelta(hours=hour)
        for number, friend in enumerate(islice(came, count)):
            yield _check_in(friend, at=began_at + number * timedelta(hours=1) / count)


def _fair(invented: Sequence[Friend]) -> Iterator[Act]:
    """All within a moment, as it is reported: history would not stop a campaign."""
    for friend in invented[:FAIR_CHECK_INS]:
        yield _check_in(friend, at=None)


def _check_in(friend: Friend, *, at: datetime | None) -> Act:
    return Act(
        key=f"simulated:{friend.name}:fair",
        kind="check_in",
        who={"external_id": friend.name},
        at=at,
        data={"place": FAIR, "channel": "fair", "extra": SIMULATED},
    )
