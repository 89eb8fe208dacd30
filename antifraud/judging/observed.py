"""What a signal may look at: frozen values, gathered for the whole batch before anything is decided. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from antifraud.judging.ties import NO_TIES, Ties, type_of_identity

# Of these a second one costs money or a passport: whoever has one of their own is another person.
COSTLY: Final = frozenset({"phone", "card"})


class Listed(NamedTuple):
    """A line of a list that a member stands in: which list, what then (stop lists say it), and by what."""

    list: str
    answer: str
    kind: str


class Ranges(Protocol):
    """Lists of IP ranges and e-mail domains: each line that holds one is (list, answer, …)."""

    def match(self, ip: str) -> Sequence[tuple[Any, ...]]: ...
    def domain(self, name: str) -> Sequence[tuple[Any, ...]]: ...


class NoRanges:
    """Lists without a line."""

    def match(self, ip: str) -> Sequence[tuple[Any, ...]]:
        return ()

    def domain(self, name: str) -> Sequence[tuple[Any, ...]]:
        return ()


def is_bare(username: object, photo: object) -> bool:
    """Tell whether a bot said no to both: that a Telegram account has a name, and that it has a picture."""
    return username is False and photo is False


class Pace(NamedTuple):
    """How many people turned up in the hour and in the day up to one of them, that one included."""

    hour: int
    day: int


ALONE: Final = Pace(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """
    Somebody whom an inviter brought: when, their first paid order, and how many orders they made and gave back.

    `network` is the subnet that they first came from, as its index, if it is known.
    """

    member_id: int
    attributed_at: datetime
    paid_at: datetime | None = None
    amount_minor: int | None = None
    orders: int = 0
    returned: int = 0
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """
    What antifraud knows of a member who invites or is invited; of others only `listed`.

    `throwaway` are their e-mail domains that anybody gets a mailbox at for ten minutes. `pace` is by kind of identity:
    how many members were first seen with one of theirs. `first_paid_at` is their first order that stands. `owes` counts
    rewards of theirs that a refund should have taken back and could not; `rejected` and `approved` are moderators'
    recent decisions on rewards for friends of theirs; `outlived` counts the latest that were given after their hold,
    and of these the ones that a refund took back as a whole. `is_bare` is a Telegram account without name and picture.
    Of an inviter's latest rewards `suspected` has one entry for each event whose reward was flagged or refused: what
    was seen of it weighs so much, but for suspicion itself. `habits` counts events by the name of the signal that was
    seen; `rewarded` counts all of them, the refused ones too.
    """

    listed: tuple[Listed, ...] = ()
    throwaway: tuple[str, ...] = ()
    pace: Mapping[str, Pace] = field(default_factory=dict)
    first_paid_at: datetime | None = None
    friends: tuple[Friend, ...] = ()
    owes: int = 0
    rejected: int = 0
    approved: int = 0
    outlived: tuple[int, int] = (0, 0)
    is_bare: bool = False
    rewarded: int = 0
    suspected: tuple[int, ...] = ()
    habits: Mapping[str, int] = field(default_factory=dict)


NO_TRAITS: Final = Traits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One member of a referral. Identities are (kind, lookup) pairs: of e-mails and cards keyed indexes, no values."""

    id: int
    first_seen_at: datetime
    identities: frozenset[type_of_identity] = frozenset()
    traits: Traits = NO_TRAITS

    def of(self, kind: str) -> frozenset[type_of_identity]:
        """Return their identities of one kind."""
        return frozenset(each for each in self.identities if each[0] == kind)

    def is_another_than(self, other: "Party") -> bool:
        """Tell whether each of the two has a phone or a card of their own: then they are most likely two people."""
        return any(self.of(kind) and other.of(kind) and not self.of(kind) & other.of(kind) for kind in sorted(COSTLY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """
    What is known around a whole batch.

    Ties; when campaigns rewarded friends lately; and of cards and devices that events name, how many members have them.
    """

    ties: Ties = NO_TIES
    rewards: Mapping[int, tuple[datetime, ...]] = field(default_factory=dict)
    accounts: Mapping[type_of_identity, int] = field(default_factory=dict)
    telegram_newest: int | None = None


NOTHING_NEAR: Final = Nearby()


class Bought(NamedTuple):
    """
    The order that the reward is for. `threshold_minor` is the amount that the rule asks for, if it does.

    `delay_seconds` is since the sign-up, and known of a first order alone.
    """

    amount_minor: int | None
    threshold_minor: int | None
    delay_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """
    One reward, as it looks at the moment it is proposed: for what `invitee` did, of whom `inviter` is the inviter.

    Whoever earns something for themselves is the invitee of nobody: `inviter` is None. `signups` are the inviter's;
    `campaign_pace` counts the campaign's rewards for friends in the hour up to this one. `accounts` says how many
    members have a card or device of the invitee's. `telegram_newest` is the largest number of a Telegram account that
    the tenant has known for a month, if it knows enough of them.
    """

    member_id: int
    occurred_at: datetime
    invitee: Party
    inviter: Party | None = None
    attributed_at: datetime | None = None
    signups: Pace = ALONE
    campaign_pace: int = 0
    friends: tuple[Friend, ...] = ()
    bought: Bought | None = None
    accounts: Mapping[type_of_identity, int] = field(default_factory=dict)
    telegram_newest: int | None = None
    ties: Ties = NO_TIES

    @property
    def parties(self) -> tuple[Party, ...]:
        """Everybody whom the reward is about: the inviter first."""
        return (self.inviter, self.invitee) if self.inviter else (self.invitee,)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a signal is used: live, in shadow or off, its weight, and whether it flags or refuses whatever it weighs."""

    mode: str
    weight: int
    always: str
    params: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """What one signal saw: JSON that holds nothing personal. Its weight is the setting's, unless said."""

    evidence: Mapping[str, Any]
    weight: int | None = None
    always: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation, as it counts: `always` is "flag" or "refuse" where the weight does not matter."""

    signal: str
    weight: int
    evidence: Mapping[str, Any]
    always: str = ""
    is_shadow: bool = False
