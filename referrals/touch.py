"""
Which touch brought a new member. Pure.

A touch is a click on somebody's link, or a code that the person gave when signing up. The tenant's policy says how long
a click counts and whether the last or the first one does; who may be brought at all is not a matter of policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# By how much the clock that says when somebody joined may be behind ours, which says when they clicked.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Policy:
    """The tenant's choice. A click counts through the last moment of the window."""

    window_days: int = 30
    touch: str = "last"
    landing_url: str = ""


@dataclass(frozen=True, slots=True)
class Touch:
    """One way in which somebody came to know of the tenant. `at` is `None` for a code typed when signing up."""

    inviter_id: int
    code_id: int
    code: str
    click_id: int | None = None
    campaign_id: int | None = None
    channel: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """Why nobody is credited: `code` is one of MISSES."""

    code: str


MISSES = (
    "not_invited",
    "unknown_code",
    "unknown_click",
    "outside_window",
    "self_referral",
    "already_referred",
    "existing_member",
    "loop",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A referral that exists: who invited the member it is kept under."""

    referral_id: int
    inviter_id: int
    code_id: int
    channel: str
    attributed_at: datetime
    qualified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Touches:
    """
    What was gathered for a batch.

    `codes` are by their normalised text; `clicks`, by the key that was asked for, are all the clicks of that visitor;
    `referrals` are by invitee: those of the members asked about, and up the chains from the inviters that were found.
    """

    policy: Policy
    codes: Mapping[str, Touch]
    clicks: Mapping[str, Sequence[Touch]]
    referrals: Mapping[int, Standing]

    def given(self, *, code: str, click_key: str) -> Sequence[Touch] | Miss:
        """
        Return the touches of one new member, who came with a code (normalised), the key of a click, both or neither.

        A code that one of the visitor's clicks carried came with that click; any other code was typed by hand.
        """
        clicks = self.clicks.get(click_key, ())
        typed = self.codes.get(code)
        if typed is None and not clicks:
            return Miss("unknown_code" if code else "unknown_click" if click_key else "not_invited")
        came_along = any(click.code == code for click in clicks)
        return [*clicks] if typed is None or came_along else [*clicks, typed]


def choose(touches: Sequence[Touch] | Miss, *, policy: Policy, joined_at: datetime) -> Touch | Miss:
    """
    Return the touch that is credited: of those within the window the last or the first, as the policy says.

    The window ends when the person joined, and both its ends belong to it. A typed code is a touch of that moment.
    """
    if isinstance(touches, Miss):
        return touches
    earliest = joined_at - timedelta(days=policy.window_days)
    dated = [(touch.at or joined_at, touch.click_id or 0, touch) for touch in touches]
    # A typed code comes after a click of the same instant: it has no id, and the tie is broken towards it.
    timely = [
        ((moment, touch.click_id is None, click_id), touch)
        for moment, click_id, touch in dated
        if earliest <= moment <= joined_at + CLOCK_SKEW
    ]
    if not timely:
        return Miss("outside_window")
    pick = min if policy.touch == "first" else max
    return pick(timely, key=lambda each: each[0])[1]


def forbid(touch: Touch, *, invitee_id: int, is_existing: bool, inviters: Mapping[int, int]) -> Miss | None:
    """
    Return why this touch may not bring this person, or `None` if it may.

    `is_existing` says that the tenant knew the person before; `inviters` gives who invited whom, of the invitee
    and of everybody up the chain from the touch's inviter, those decided earlier in the batch included.
    """
    if touch.inviter_id == invitee_id:
        return Miss("self_referral")
    if invitee_id in inviters:
        return Miss("already_referred")
    if is_existing:
        return Miss("existing_member")
    return Miss("loop") if _leads_up_to(invitee_id, start=touch.inviter_id, inviters=inviters) else None


def _leads_up_to(member_id: int, *, start: int, inviters: Mapping[int, int]) -> bool:
    seen: set[int] = set()
    above: int | None = start
    while above is not None and above not in seen:
        if above == member_id:
            return True
        seen.add(above)
        above = inviters.get(above)
    return False
