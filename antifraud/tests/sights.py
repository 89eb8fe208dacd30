"""What signals look at, made by hand: an honest inviter and friend, of whom a test says what is odd."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from antifraud import signals
from antifraud.judging.observed import Friend, Observed, Party, Seen
from antifraud.judging.policy import Chosen, policy_of
from antifraud.judging.ties import BINDING, Ties, type_of_identity

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)
ANNA, BORIS = 1, 2


def party(id: int, *identities: type_of_identity, **told: Any) -> Party:  # noqa: A002 (a member's)
    """Return somebody who was first seen at noon."""
    return Party(**{"id": id, "first_seen_at": NOON, "identities": frozenset(identities), **told})


def with_traits(one: Party, **traits: Any) -> Party:
    """Return the same person, of whom more is known."""
    return replace(one, traits=replace(one.traits, **traits))


def case(**told: Any) -> Observed:
    """Return Anna's reward for her friend Boris, who signed up at noon, an hour ago. `ties` follow from identities."""
    usual: dict[str, Any] = {
        "member_id": ANNA,
        "occurred_at": NOON + timedelta(hours=1),
        "inviter": party(ANNA),
        "invitee": party(BORIS),
        "attributed_at": NOON,
    }
    whole = {**usual, **told}
    people = [each for each in (whole["inviter"], whole["invitee"]) if each]
    return Observed(**{"ties": ties(*people), **whole})


def alone(**told: Any) -> Observed:
    """Return Boris's reward for what he did himself."""
    return case(**{"member_id": BORIS, "inviter": None, "attributed_at": None, **told})


def ties(*people: Party, inviters: Mapping[int, int] | None = None) -> Ties:
    """Return what people have in common. Anna has invited Boris."""
    holders: dict[type_of_identity, set[int]] = {}
    for each in people:
        for pair in each.identities:
            holders.setdefault(pair, set()).add(each.id)
    return Ties(
        identities={each.id: frozenset(pair for pair in each.identities if pair[0] in BINDING) for each in people},
        holders={pair: frozenset(ids) for pair, ids in holders.items()},
        inviters={BORIS: ANNA, **(inviters or {})},
    )


def friends(count: int, **told: Any) -> tuple[Friend, ...]:
    """Return friends of Anna's besides Boris, numbered from 11."""
    return tuple(Friend(**{"member_id": 11 + place, "attributed_at": NOON, **told}) for place in range(count))


def seen(observed: Observed, choices: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Seen, ...]:
    """Return all that the signals see, by their own settings unless said."""
    return signals.observe(case=observed, settings=policy_of(Chosen(signals=choices)).settings)


def named(observed: Observed, choices: Mapping[str, Mapping[str, Any]] | None = None) -> list[str]:
    """Return the names of all signals that see something."""
    return [each.signal for each in seen(observed, choices)]


def without(names: Iterable[str], *left_out: str) -> list[str]:
    """Return names but for some."""
    return [each for each in names if each not in left_out]
