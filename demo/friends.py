"""
The record shop's last weeks: friends whom members invite, and what they buy. All of it is simulated. Pure.

The sample's customers all came in its first three months, so that without these nobody would have joined lately.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from demo.acts import SIMULATED, Act
from demo.days import Days
from demo.history import spelled

SEED: Final = "friends"
LAST_DAYS: Final = 60
# How many come in a day: at the beginning of these weeks, and now.
A_DAY_FIRST: Final = 1.5
A_DAY_LAST: Final = 6.0
INVITERS: Final = 24
CHANNELS: Final = (("telegram", 5), ("site", 3), ("email", 2), ("whatsapp", 2))
PAYS_SHARE: Final = 0.72
PAYS_AGAIN_SHARE: Final = 0.4
DISC_MINOR: Final = 1_299


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody invented, who came in the last weeks."""

    name: str
    joined_at: datetime
    inviter: str
    channel: str

    @property
    def who(self) -> dict[str, str]:
        """How the friend is known: by the shop's id, and by telegram or e-mail."""
        number = self.name.rsplit("-", 1)[1]
        if self.channel == "telegram":
            return {"external_id": self.name, "telegram": f"7000{number}"}
        return {"external_id": self.name, "email": f"friend.{spelled(number)}@simulated.example"}


def invent(*, members: Sequence[str], days: Days) -> tuple[Friend, ...]:
    """Return the friends, oldest first. `members` are who may invite them; so may friends of some days' standing."""
    rng = Random(SEED)
    inviters = rng.sample(list(members), INVITERS)
    moments: list[datetime] = []
    for ago in range(LAST_DAYS, -1, -1):
        a_day = A_DAY_LAST - (A_DAY_LAST - A_DAY_FIRST) * ago / LAST_DAYS
        count = int(a_day + rng.random())
        moments += sorted(days.ago(ago, 0.7 * rng.random()) for _friend in range(count))
    found: list[Friend] = []
    for number, joined_at in enumerate(moments, start=1):
        friends = [each.name for each in found[:40] if joined_at - each.joined_at > timedelta(days=3)]
        inviter = rng.choice(friends if friends and rng.random() < 0.25 else inviters)
        (channel,) = rng.choices([name for name, _weight in CHANNELS], [weight for _name, weight in CHANNELS])
        found.append(Friend(f"sim-friend-{number:03}", joined_at, inviter, channel))
    return tuple(found)


def acts(*, friends: Sequence[Friend], days: Days) -> Iterator[Act]:
    """Yield what the friends did: everybody joins, most pay, some pay again. Those who invite them send invitations."""
    rng = Random(SEED + " at the till")
    for friend in friends:
        if rng.random() < 0.35:
            yield _invitation(friend, friend.joined_at - timedelta(hours=rng.randint(2, 40)))
        yield join(friend)
        moments = [friend.joined_at + timedelta(minutes=rng.randint(4, 4_000))]
        if rng.random() < PAYS_AGAIN_SHARE:
            moments.append(moments[0] + timedelta(days=rng.randint(2, 20)))
        is_paying = rng.random() < PAYS_SHARE
        for nth, at in enumerate(moments, start=1):
            discs = rng.choices((1, 2, 3, 5), (5, 4, 2, 1))[0]
            if is_paying and at < days.last_at:
                yield pay(friend, nth, discs=discs, at=at)


def join(friend: Friend) -> Act:
    """Sign a friend up with the inviter's code."""
    return Act(
        key=f"simulated:{friend.name}:joined",
        kind="member.joined",
        who=friend.who,
        at=friend.joined_at,
        data={"channel": friend.channel, "utm": {"source": friend.channel, "campaign": "friends"}, "extra": SIMULATED},
        inviter=friend.inviter,
    )


def pay(friend: Friend, nth: int, *, discs: int, at: datetime) -> Act:
    """Let a friend buy so many discs."""
    return Act(
        key=f"simulated:{friend.name}:order:{nth}",
        kind="order.paid",
        who={"external_id": friend.name},
        at=at,
        data={
            "order_id": f"SIM-{friend.name.removeprefix('sim-')}-{nth}",
            "amount_minor": DISC_MINOR * discs,
            "currency": "USD",
            "items": [{"sku": "CD", "name": "Compact disc", "quantity": discs, "price_minor": DISC_MINOR}],
            "channel": friend.channel,
            "extra": SIMULATED,
        },
    )


def _invitation(friend: Friend, at: datetime) -> Act:
    return Act(
        key=f"simulated:{friend.name}:invited",
        kind="invite.sent",
        who={"external_id": friend.inviter},
        at=at,
        data={"channel": friend.channel, "count": 1, "extra": SIMULATED},
    )
