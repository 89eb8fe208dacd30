"""Which rules an event could meet at all: told from the event alone, before anything is read about anybody. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from campaigns.definitions import Miss, Offer, RuleLine

STOPPED = "campaign_stopped"


class Compiled(Protocol):
    """A rule with its conditions made functions, as campaigns.rulebook has it."""

    @property
    def line(self) -> RuleLine: ...
    @property
    def miss(self) -> Callable[[Mapping[str, object]], Miss | None]: ...
    @property
    def screen(self) -> Callable[[Mapping[str, object]], Miss | None]: ...


class Line(NamedTuple):
    """A rule on this kind of event, and why it is out of the question already, if it is."""

    offer: Offer
    rule: Compiled
    missed: Miss | None


type_of_offers = Sequence[tuple[Offer, Compiled]]


def screen(*, offers: type_of_offers, fields: Mapping[str, object], occurred_at: datetime) -> tuple[Line, ...]:
    """Return the rules in the order in which they are tried."""
    lines = []
    for offer, rule in offers:
        missed = offer.miss_at(occurred_at)
        # What a stopped campaign owes is not lost: it is owed to whoever a moderator says.
        if missed is None or missed.code == STOPPED:
            missed = rule.screen(fields)
        lines.append(Line(offer, rule, missed))
    return tuple(lines)
