"""
People whom more than a code ties together, in the record shop's last weeks. All of them are simulated. Pure.

Two webs are crooked: friends who invite each other round, and six who sign up on one telephone. The third is
an office, whose colleagues share an address on the internet and nothing else: nobody there need wait.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from demo.acts import SIMULATED, Act
from demo.days import Days
from demo.friends import DISC_MINOR
from demo.history import name_of

RING_BEGINS_WITH: Final = "0044"
RING: Final = 5
FARMER: Final = "0121"
FARM: Final = 6
COLLEAGUE: Final = "0230"
OFFICE: Final = 8
# Of the ranges that documentation is written with (RFC 5737), as the office's and the farm's.
OFFICE_IP: Final = "198.51.100.20"
FARM_IP: Final = "203.0.113.77"


def acts(*, days: Days) -> Iterator[Act]:
    """Yield what they did."""
    yield from _ring(days, ago=9)
    yield from _farm(days, ago=5)
    yield from _office(days, ago=14)


def _ring(days: Days, *, ago: int) -> Iterator[Act]:
    """Each invites the next one, and the last pays with the first one's card."""
    inviter = name_of(RING_BEGINS_WITH)
    yield _look_in({"external_id": inviter, "card": "simulated-card-ring"}, "ring", days, ago=ago + 1)
    for number in range(1, RING + 1):
        name = f"sim-ring-{number}"
        who = {"external_id": name, "email": f"{name}@simulated.example"}
        who |= {"device": "simulated-device-ring"} if number in {2, 4} else {}
        who |= {"card": "simulated-card-ring"} if number == RING else {}
        yield from _friend(name, who, inviter, days, ago=ago - number + 1, minutes=0)
        inviter = name


def _farm(days: Days, *, ago: int) -> Iterator[Act]:
    """Six friends of one inviter have one telephone between them."""
    for number in range(1, FARM + 1):
        name = f"sim-farm-{number}"
        who = {"external_id": name, "email": f"vinyl.lover.{number}@simulated.example"}
        who |= {"device": "simulated-device-farm", "ip": FARM_IP}
        yield from _friend(name, who, name_of(FARMER), days, ago=ago, minutes=95 * number)


def _office(days: Days, *, ago: int) -> Iterator[Act]:
    """Colleagues tell each other over lunch."""
    for number in range(1, OFFICE + 1):
        name = f"sim-colleague-{number}"
        who = {"external_id": name, "email": f"{SURNAMES[number - 1]}@office.example"}
        who |= {"device": f"simulated-device-colleague-{number}", "ip": OFFICE_IP}
        yield from _friend(name, who, name_of(COLLEAGUE), days, ago=ago - number, minutes=37 * number)


SURNAMES: Final = ("adams", "baker", "clark", "davis", "evans", "foster", "green", "hughes")


def _friend(name: str, who: dict[str, str], inviter: str, days: Days, *, ago: int, minutes: int) -> Iterator[Act]:
    at = days.ago(ago, 0.2) + timedelta(minutes=minutes)
    yield Act(
        key=f"simulated:{name}:joined",
        kind="member.joined",
        who=who,
        at=at,
        data={"channel": "telegram", "extra": SIMULATED},
        inviter=inviter,
    )
    yield Act(
        key=f"simulated:{name}:order",
        kind="order.paid",
        who=who,
        at=at + timedelta(minutes=20 + minutes),
        data={
            "order_id": f"SIM-{name.removeprefix('sim-')}",
            "amount_minor": DISC_MINOR * (1 + minutes % 3),
            "currency": "USD",
            "extra": SIMULATED,
        },
    )


def _look_in(who: dict[str, str], what: str, days: Days, *, ago: int) -> Act:
    data = {"place": "Shop", "extra": SIMULATED}
    key = f"simulated:{what}:{who['external_id']}:check-in"
    return Act(key=key, kind="check_in", who=who, at=days.ago(ago, 0.5), data=data)
