"""What a signal is made of: each file of this folder declares one or more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from antifraud.judging.observed import Found, Observed, Setting
from core.errors import type_of_text

type_of_observe = Callable[[Observed, Setting], Found | None]

WEIGHT_MAX = 1000
# Evidence that says so is of the inviter alone: it is the same for all of their friends, and no habit of these.
OF_INVITER = "of_inviter"


@dataclass(frozen=True, slots=True)
class Param:
    """A number that a tenant may choose, within bounds that are both allowed."""

    default: int
    minimum: int
    maximum: int
    label: type_of_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """
    One thing to look for: what it is called, how it is said, and how it counts unless the tenant chooses otherwise.

    `sentence` is formatted with the evidence. Those about a `referral` look at rewards for invited friends only, those
    about a `member` at every reward. What is seen `of_others` rests on what other members did or told, who may have
    meant to harm these: it flags, and never refuses unless the tenant chooses that it always does.
    """

    name: str
    short: type_of_text
    meaning: type_of_text
    sentence: type_of_text
    weight: int
    observe: type_of_observe
    params: Mapping[str, Param] = field(default_factory=dict)
    about: Literal["referral", "member"] = "referral"
    of_others: bool = False
    always: Literal["", "flag", "refuse"] = ""
    mode: Literal["live", "shadow", "off"] = "live"
