"""The coffee chain's story: a small one, and simulated as a whole. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from demo.acts import SIMULATED, Act, in_order
from demo.days import Days

SEED: Final = "coffee"
LAST_DAYS: Final = 45
GUESTS: Final = 70
INVITED_SHARE: Final = 0.4
PLACES: Final = ("Покровка", "Арбат", "Чистые пруды")
CHECK_IN_SHARE: Final = 0.14
PAYS_SHARE: Final = 0.6
# Offices that order breakfast come to a thousand points.
OFFICES: Final = 3
BREAKFAST_EVERY_DAYS: Final = 4


def story(*, days: Days) -> tuple[Act, ...]:
    """Return all that happened, in order."""
    rng = Random(SEED)
    # As many come every day, so that early guests can bring later ones.
    came = sorted((rng.randint(0, LAST_DAYS) for _guest in range(GUESTS)), reverse=True)
    told: list[Act] = []
    for number, ago in enumerate(came, start=1):
        earlier = [other for other, their_ago in enumerate(came, start=1) if their_ago > ago + 1]
        inviter = rng.choice(earlier) if earlier and rng.random() < INVITED_SHARE else 0
        told.extend(_guest(number, ago, inviter, days, rng))
    for number in range(1, OFFICES + 1):
        told.extend(_office(number, days, rng))
    return in_order(told)


def first_day(*, days: Days) -> date:
    """Return the day on which the story begins."""
    return days.last - timedelta(days=LAST_DAYS)


def _guest(number: int, ago: int, inviter: int, days: Days, rng: Random) -> Iterator[Act]:
    joined_at = days.ago(ago, 0.05 + 0.3 * rng.random())
    yield Act(
        key=f"simulated:{_name(number)}:joined",
        kind="member.joined",
        who=_identities(number, inviter),
        at=joined_at,
        data={"channel": "telegram", "extra": SIMULATED},
        inviter=_name(inviter) if inviter else "",
    )
    for day in range(ago, -1, -1):
        comes, pays = day == ago or rng.random() < CHECK_IN_SHARE, rng.random() < PAYS_SHARE
        at = days.ago(day, 0.4 + 0.5 * rng.random())
        if comes:
            yield _act(number, day, "check_in", {"place": rng.choice(PLACES)}, at)
        if comes and pays:
            paid = {"order_id": f"{number}-{day}", "amount_minor": 100 * rng.randrange(180, 900, 10), "currency": "RUB"}
            yield _act(number, day, "order.paid", paid, at + timedelta(seconds=1))


def _office(number: int, days: Days, rng: Random) -> Iterator[Act]:
    name = f"sim-office-{number}"
    yield Act(
        key=f"simulated:{name}:joined",
        kind="member.joined",
        who={"external_id": name, "phone": f"+7 900 001-00-{number:02}"},
        at=days.ago(LAST_DAYS - number, 0.1),
        data={"channel": "site", "extra": SIMULATED},
    )
    for day in range(LAST_DAYS - number, 0, -BREAKFAST_EVERY_DAYS):
        paid = {
            "order_id": f"office-{number}-{day}",
            "amount_minor": 100 * rng.randrange(2_800, 5_200, 50),
            "currency": "RUB",
        }
        yield Act(
            key=f"simulated:{name}:order.paid:{day}",
            kind="order.paid",
            who={"external_id": name},
            at=days.ago(day, 0.15 + 0.1 * rng.random()),
            data=paid | {"extra": SIMULATED},
        )


def _act(number: int, day: int, kind: str, data: dict[str, Any], at: Any) -> Act:
    who = {"external_id": _name(number)}
    return Act(
        key=f"simulated:{_name(number)}:{kind}:{day}", kind=kind, who=who, at=at, data=data | {"extra": SIMULATED}
    )


def _name(number: int) -> str:
    return f"sim-guest-{number:03}"


def _identities(number: int, inviter: int) -> dict[str, str]:
    found = {"external_id": _name(number), "telegram": f"7100{number:03}"}
    # Every tenth invited guest signs up with the telephone of whoever invited them.
    phone_of = inviter if inviter and number % 10 == 0 else number
    return found | {"phone": f"+7 900 000-{phone_of // 100:02}-{phone_of % 100:02}"}
