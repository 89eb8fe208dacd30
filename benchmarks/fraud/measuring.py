"""What became of everything that was earned, beside what only the world knows: how far signals and policy tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchmarks.fraud.world import World
from core.db import fetch

# Refused rewards have no row: events tell of all. What a second look has flagged is in a case all the same.
EARNED: Final = """
SELECT e.key, told ->> 'member_id' AS member_id, (told ->> 'due')::bigint AS due,
    CASE WHEN EXISTS (SELECT FROM antifraud_casereward c WHERE c.reward_id = (told ->> 'reward_id')::bigint)
        THEN 'flagged' ELSE told ->> 'outcome' END AS outcome
FROM events_event e CROSS JOIN LATERAL jsonb_array_elements(e.trace) told
WHERE e.kind = 'order.paid' AND jsonb_typeof(told) = 'object'
    AND told ->> 'outcome' IN ('rewarded', 'flagged', 'refused')
"""
SEEN: Final = """
SELECT e.key, s.member_id::text AS member_id, s.name FROM antifraud_signal s JOIN events_event e ON e.id = s.event_id
WHERE NOT s.is_shadow
"""
# What was given for an order that was given back: taken back, as far as it was still there.
TAKEN_BACK: Final = """
SELECT e.key, r.member_id::text AS member_id FROM rewards_reward r JOIN events_event e ON e.id = r.event_id
WHERE r.reversed > 0 OR r.status = 'cancelled'
"""


class Share(NamedTuple):
    """So many of so many."""

    part: int
    whole: int

    @property
    def percent(self) -> float:
        """In percent; nothing of nothing is nothing."""
        return 100 * self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Earned:
    """One reward that was proposed: what for, whether wrongly (`pattern`), what was answered, and what was seen."""

    pattern: str
    answer: str
    points: int
    signals: frozenset[str]
    is_taken_back: bool

    @property
    def is_fraud(self) -> bool:
        """Whether a crook would have been paid."""
        return bool(self.pattern)

    @property
    def is_caught(self) -> bool:
        """Whether it was not simply given."""
        return self.answer != "rewarded"


def earned(world: World) -> list[Earned]:
    """Return every reward for a friend that was proposed in the current tenant."""
    patterns = {each.key: each.person.pattern for each in world.happenings}
    seen: dict[tuple[str, str], set[str]] = {}
    for row in fetch(SEEN):
        seen.setdefault((row.key, row.member_id), set()).add(row.name)
    taken_back = {(row.key, row.member_id) for row in fetch(TAKEN_BACK)}
    return [
        Earned(
            pattern=patterns[row.key],
            answer=row.outcome,
            points=row.due,
            signals=frozenset(seen.get((row.key, row.member_id), ())),
            is_taken_back=(row.key, row.member_id) in taken_back,
        )
        for row in fetch(EARNED)
    ]


def honest_flagged(found: Sequence[Earned]) -> Share:
    """Return how many honest rewards wait for a moderator."""
    honest = [each for each in found if not each.is_fraud]
    return Share(sum(each.answer == "flagged" for each in honest), len(honest))


def honest_refused(found: Sequence[Earned]) -> Share:
    """Return how many honest rewards were not given at all."""
    honest = [each for each in found if not each.is_fraud]
    return Share(sum(each.answer == "refused" for each in honest), len(honest))


def fraud_caught(found: Iterable[Earned]) -> Share:
    """Return which part of what crooks would have been paid, in points, was flagged or refused."""
    fraud = [each for each in found if each.is_fraud]
    return Share(sum(each.points for each in fraud if each.is_caught), sum(each.points for each in fraud))


def fraud_lost(found: Iterable[Earned]) -> Share:
    """Return which part of it, in points, crooks have kept: neither caught nor taken back by a refund."""
    fraud = [each for each in found if each.is_fraud]
    kept = [each for each in fraud if not each.is_caught and not each.is_taken_back]
    return Share(sum(each.points for each in kept), sum(each.points for each in fraud))


def precision(found: Sequence[Earned], signal: str) -> Share:
    """Return how many of the rewards for which something was seen were fraud."""
    seen = [each for each in found if signal in each.signals]
    return Share(sum(each.is_fraud for each in seen), len(seen))


def recall(found: Sequence[Earned], signal: str) -> Share:
    """Return for how many of the fraudulent rewards something was seen."""
    fraud = [each for each in found if each.is_fraud]
    return Share(sum(signal in each.signals for each in fraud), len(fraud))
