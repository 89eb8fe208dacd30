"""
People who try to be paid for nothing, in the record shop's last weeks. All of them are simulated. Pure.

Each is a story of its own, and what becomes of it is the antifraud's business: some wait for a moderator, one is
refused outright, and some of the busy one's friends are rewarded.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from demo.acts import SIMULATED, Act
from demo.days import Days
from demo.friends import DISC_MINOR
from demo.history import address_of, name_of, spelled

# Real customers, who did nothing of the kind.
TWINS_OF: Final = ("0002", "0107", "0311")
TABLETS_OF: Final = ("0008", "0423")
CLUMSY: Final = "0512"
BUSY: Final = "0010"
BUSY_SIGNUPS: Final = 14
PATIENT: Final = "0057"
PATIENT_FRIEND: Final = "sim-regular-01"


def acts(*, days: Days) -> Iterator[Act]:
    """Yield what they did."""
    for place, customer in enumerate(TWINS_OF):
        yield from _second_address(customer, days, ago=4 + 5 * place)
    for place, customer in enumerate(TABLETS_OF):
        yield from _same_tablet(customer, days, ago=3 + 8 * place)
    yield from _everything_the_same(CLUMSY, days, ago=6)
    yield from _busy_hour(days, ago=2)
    yield from _known_for_a_week(days, ago=1)


def _second_address(customer: str, days: Days, *, ago: int) -> Iterator[Act]:
    """Somebody invites themselves, under another spelling of their own address."""
    name = f"sim-twin-{customer}"
    who = {"external_id": name, "email": address_of(customer).replace("@", "+second@")}
    yield _join(name, who, inviter=customer, days=days, ago=ago, part=0.30)
    yield _pay(name, days=days, ago=ago, part=0.35)


def _same_tablet(customer: str, days: Days, *, ago: int) -> Iterator[Act]:
    """Somebody invites a friend who signs up on the very device that they use themselves."""
    name, device = f"sim-tablet-{customer}", f"simulated-device-{customer}"
    yield _check_in(f"{name}-owner", {"external_id": name_of(customer), "device": device}, days, ago=ago, part=0.1)
    who = {"external_id": name, "email": f"{name}@simulated.example", "device": device}
    yield _join(name, who, inviter=customer, days=days, ago=ago, part=0.40)
    yield _pay(name, days=days, ago=ago, part=0.42)


def _everything_the_same(customer: str, days: Days, *, ago: int) -> Iterator[Act]:
    """Address and device are both the inviter's: no moderator need look at that."""
    name, device = f"sim-clumsy-{customer}", f"simulated-device-{customer}"
    yield _check_in(f"{name}-owner", {"external_id": name_of(customer), "device": device}, days, ago=ago, part=0.1)
    who = {"external_id": name, "email": address_of(customer).replace("@", "+free@"), "device": device}
    yield _join(name, who, inviter=customer, days=days, ago=ago, part=0.60)
    yield _pay(name, days=days, ago=ago, part=0.61)


def _busy_hour(days: Days, *, ago: int) -> Iterator[Act]:
    """More friends sign up in an hour than anybody has; the last ones buy at once, the cheapest thing there is."""
    begins_at = days.ago(ago, 0.5)
    for number in range(1, BUSY_SIGNUPS + 1):
        name, at = f"sim-busy-{number:02}", begins_at + timedelta(minutes=3 * number)
        yield Act(
            key=f"simulated:{name}:joined",
            kind="member.joined",
            who={"external_id": name, "email": f"sim.busy.{spelled(f'{number:02}')}@simulated.example"},
            at=at,
            data={"channel": "telegram", "extra": SIMULATED},
            inviter=name_of(BUSY),
        )
        if number >= BUSY_SIGNUPS - 4:
            yield _pay(name, days=days, ago=ago - 1, part=0.1 + number / 100)


def _known_for_a_week(days: Days, *, ago: int) -> Iterator[Act]:
    """Somebody who came by a week ago is invited now, as if they were new."""
    name = PATIENT_FRIEND
    yield _check_in(name, {"external_id": name}, days, ago=ago + 7, part=0.7)
    who = {"external_id": name, "email": f"{name}@simulated.example"}
    yield _join(name, who, inviter=PATIENT, days=days, ago=ago, part=0.2)
    yield _pay(name, days=days, ago=ago, part=0.25)


def _join(name: str, who: dict[str, str], *, inviter: str, days: Days, ago: int, part: float) -> Act:
    data: dict[str, Any] = {"channel": "site", "extra": SIMULATED}
    at = days.ago(ago, part)
    key = f"simulated:{name}:joined"
    return Act(key=key, kind="member.joined", who=who, at=at, data=data, inviter=name_of(inviter))


def _pay(name: str, *, days: Days, ago: int, part: float) -> Act:
    return Act(
        key=f"simulated:{name}:order",
        kind="order.paid",
        who={"external_id": name},
        at=days.ago(ago, part),
        data={
            "order_id": f"SIM-{name.removeprefix('sim-')}",
            "amount_minor": DISC_MINOR,
            "currency": "USD",
            "extra": SIMULATED,
        },
    )


def _check_in(name: str, who: dict[str, str], days: Days, *, ago: int, part: float) -> Act:
    data = {"place": "Shop", "extra": SIMULATED}
    return Act(key=f"simulated:{name}:check-in", kind="check_in", who=who, at=days.ago(ago, part), data=data)
