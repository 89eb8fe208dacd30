"""P1 and P2: how fast events become rewards, beside the two limits, turn by turn."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from benchmarks import reference, stage
from benchmarks.rows import P1, P2, Measured
from benchmarks.stage import Stage
from benchmarks.timing import ratios, seconds, shown
from core.db import execute
from tenants import context

REPETITIONS: Final = 7
# Turns are short, so that whatever else the machine does meets all of them.
TURNS: Final = 5
INSERTED: Final = 6_000
SCORED_BY_HAND: Final = 2_500
SCORED: Final = 2_000
WARMING: Final = 2_000


def measure(set_up: Stage) -> list[Measured]:
    """Score in one process, as one worker does. Events are made and recorded outside of the measured time."""
    inserted, by_hand, scored = [], [], []
    with context.in_tenant(set_up.tenant.schema_name), reference.tables():
        batches = reference.batches(set_up.reports(TURNS * INSERTED))
        _warm_up(set_up)
        for _repetition in range(REPETITIONS):
            turns = [_turn(set_up, batches[nth::TURNS]) for nth in range(TURNS)]
            reference.forget_inserted()
            in_all = [sum(each) for each in zip(*turns, strict=True)]
            inserted.append(TURNS * INSERTED / in_all[0])
            by_hand.append(TURNS * SCORED_BY_HAND / in_all[1])
            scored.append(TURNS * SCORED / in_all[2])
    figures = {
        "rows inserted a second, 500 at a time (L2)": shown(inserted),
        "events scored a second by hand, by one rule (L3)": shown(by_hand),
        "events scored a second by one worker": shown(scored),
    }
    return [
        Measured(row=P1, values=ratios(scored, inserted), figures=figures),
        Measured(row=P2, values=ratios(scored, by_hand)),
    ]


def _turn(set_up: Stage, batches: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Return the seconds that inserting takes, scoring by hand, and scoring."""
    inserting = seconds(partial(reference.insert, batches))
    reference.fill(set_up.reports(SCORED_BY_HAND))
    scoring_by_hand = seconds(reference.score)
    set_up.fill(SCORED)
    return inserting, scoring_by_hand, seconds(stage.handle_all)


def _warm_up(set_up: Stage) -> None:
    reference.fill(set_up.reports(WARMING))
    reference.score()
    set_up.fill(WARMING)
    stage.handle_all()
    # Statistics as of a table that is in use, for all alike.
    execute("ANALYZE")
