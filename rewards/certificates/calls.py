"""One call to a provider, made outside of every transaction: what is asked, and what came of it."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rewards.certificates.providers import (
    Accepted,
    Answer,
    Connection,
    Done,
    NoSuchOrder,
    Refused,
    Unknown,
    Wish,
    adapter_of,
)

logger = logging.getLogger(__name__)

# At once: as many as one claim takes, so that the slowest provider costs the time of one call.
AT_ONCE: Final = 8


class Action(StrEnum):
    """What to do about an entitlement at its provider."""

    ORDER = "order"
    ASK = "ask"
    GIVE_BACK = "give back"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """The provider took it back, or refused to, or never had it."""

    is_taken: bool
    is_unheard_of: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No answer that says anything."""

    why: str


Outcome = Answer | GivenBack | Lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One thing to ask of a provider. `order` is its number there, as far as we know one."""

    entitlement_id: int
    action: Action
    adapter: str
    connection: Connection
    provider_id: int
    wish: Wish
    order: str = ""


def make(calls: Sequence[Call]) -> list[tuple[Call, Outcome]]:
    """Make all calls at once, and return what came of each. Nothing is read or written here but the network."""
    if not calls:
        return []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(zip(calls, pool.map(_outcome_of, calls), strict=True))


def _outcome_of(call: Call) -> Outcome:
    try:
        return _asked(call)
    except Unknown as error:
        return Lost(why=str(error))
    except Exception as error:
        # Settings that make no sense, a mistake of ours: it must not keep the other calls from being written down. As
        # nobody can tell whether anything was sent, it is not known what became of it.
        logger.exception("A call to a provider failed.", extra={"entitlement": call.entitlement_id})
        return Lost(why=type(error).__name__)


def _asked(call: Call) -> Outcome:
    adapter = adapter_of(call.adapter, call.connection)
    if call.action == Action.ORDER:
        return adapter.order(call.wish)
    # Known to be there, or asked for by our key: never ordered again before this has an answer.
    found = adapter.status(key=call.wish.key, order=call.order)
    if call.action == Action.ASK:
        return found
    match found:
        case NoSuchOrder():
            return GivenBack(is_taken=True, is_unheard_of=True)
        case Refused():
            return GivenBack(is_taken=True)
        case Accepted() | Done():
            return GivenBack(is_taken=adapter.cancel(order=found.order or call.order))
