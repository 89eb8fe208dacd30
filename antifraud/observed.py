"""What a signal may look at: frozen values, gathered for the whole batch before anything is decided. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

# What ties two members: the kinds of identity whose equal value is more than chance.
type_of_identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """The tenant's choice of how careful to be; weights are points of suspicion."""

    flag_from: int
    refuse_from: int
    signups_per_hour: int


@dataclass(frozen=True, slots=True)
class Observed:
    """
    One referral, as it looks at the moment a reward is proposed for it.

    `signups_in_hour` counts the inviter's referrals in the hour up to and including this one. Identities are
    (kind, lookup) pairs: a lookup is a keyed index, never a person's e-mail or card.
    """

    inviter_id: int
    invitee_id: int
    inviter_identities: frozenset[type_of_identity]
    invitee_identities: frozenset[type_of_identity]
    invitee_first_seen_at: datetime
    attributed_at: datetime
    signups_in_hour: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation: the signal's name, how heavily it weighs, and what was seen (JSON, nothing personal)."""

    signal: str
    weight: int
    evidence: dict[str, Any]
