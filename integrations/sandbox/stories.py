"""What fixtures tell: campaigns, and people who do things. Pure; the smallest that shows what it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import translated as _
from core.errors import type_of_text

DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A campaign, with the columns of its rules."""

    name: str
    goal: str
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did so many minutes ago. An order's `amount` is in whole units of the tenant's currency."""

    kind: str
    who: str
    ago_minutes: int
    known_by: Mapping[str, str] = field(default_factory=dict)
    invited_by: str = ""
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A fixture: what is on offer, and what people did about it, in order."""

    name: str
    title: type_of_text
    about: type_of_text
    offers: Sequence[Offer]
    acts: Sequence[Act]


REFERRAL: Final = Story(
    name="referral",
    title=_("Bring a friend"),
    about=_("Anna brought Boris, who has bought: both have points. Clara has come by Anna's code, and has yet to buy."),
    offers=[
        Offer(
            name="Bring a friend (fixture)",
            goal="attract",
            rules=[
                {"trigger": "order.paid", "recipient": "inviter", "order_number": "first", "amount_points": 500},
                {"trigger": "member.joined", "recipient": "invitee", "amount_points": 300},
            ],
        )
    ],
    acts=[
        Act(kind="member.joined", who="fixture-anna", ago_minutes=20 * DAY),
        Act(kind="member.joined", who="fixture-boris", ago_minutes=3 * DAY, invited_by="fixture-anna"),
        Act(kind="order.paid", who="fixture-boris", ago_minutes=1 * DAY, amount=80),
        Act(kind="member.joined", who="fixture-clara", ago_minutes=5 * 60, invited_by="fixture-anna"),
    ],
)
LOYALTY: Final = Story(
    name="loyalty",
    title=_("Points for orders"),
    about=_("Dora gets a tenth of each order, after a hold of 7 days: advance the clock, and what is pending is hers."),
    offers=[
        Offer(
            name="Ten percent back (fixture)",
            goal="sell",
            rules=[
                {
                    "trigger": "order.paid",
                    "recipient": "actor",
                    "amount_kind": "percent",
                    "rate_bps": 1_000,
                    "hold_days": 7,
                }
            ],
        )
    ],
    acts=[
        Act(kind="member.joined", who="fixture-dora", ago_minutes=20 * DAY),
        Act(kind="order.paid", who="fixture-dora", ago_minutes=10 * DAY, amount=100),
        Act(kind="order.paid", who="fixture-dora", ago_minutes=60, amount=50),
    ],
)
ANTIFRAUD: Final = Story(
    name="antifraud",
    title=_("Something for a moderator"),
    about=_("Egor has invited himself: both accounts pay with one card. The reward waits in a case for a decision."),
    offers=[
        Offer(
            name="A friend's first order (fixture)",
            goal="attract",
            rules=[{"trigger": "order.paid", "recipient": "inviter", "order_number": "first", "amount_points": 700}],
        )
    ],
    acts=[
        Act(
            kind="member.joined",
            who="fixture-egor",
            ago_minutes=20 * DAY,
            known_by={"card": "fixture-card"},
        ),
        Act(
            kind="member.joined",
            who="fixture-egor-2",
            ago_minutes=60,
            known_by={"card": "fixture-card"},
            invited_by="fixture-egor",
        ),
        Act(kind="order.paid", who="fixture-egor-2", ago_minutes=50, amount=60),
    ],
)
ALL: Final[Mapping[str, Story]] = {each.name: each for each in (REFERRAL, LOYALTY, ANTIFRAUD)}
