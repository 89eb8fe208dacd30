"""P1 and P2: how fast events become rewards, beside the two limits, turn by turn."""

from typing import Final

from benchmarks import reference, stage
from benchmarks.rows import P1, P2, Measured
from benchmarks.stage import Stage
from benchmarks.timing import rate, ratios, shown
from core.db import execute
from tenants import context

REPETITIONS: Final = 7
INSERTED: Final = 30_000
SCORED_BY_HAND: Final = 12_000
SCORED: Final = 10_000
WARMING: Final = 2_000


def measure(set_up: Stage) -> list[Measured]:
    """Score in one process, as one worker does. Events are made and recorded outside of the measured time."""
    inserted, by_hand, scored = [], [], []
    with context.in_tenant(set_up.tenant.schema_name):
        batches = reference.batches(set_up.reports(INSERTED))
        with reference.tables():
            _warm_up(set_up)
            for _repetition in range(REPETITIONS):
                inserted.append(rate(INSERTED, lambda: reference.insert(batches)))
                reference.forget_inserted()
                reference.fill(set_up.reports(SCORED_BY_HAND))
                by_hand.append(rate(SCORED_BY_HAND, reference.score))
                set_up.fill(SCORED)
                scored.append(rate(SCORED, stage.handle_all))
    figures = {
        "rows inserted a second, 500 at a time (L2)": shown(inserted),
        "events scored a second by hand, by one rule (L3)": shown(by_hand),
        "events scored a second by one worker": shown(scored),
    }
    return [
        Measured(row=P1, values=ratios(scored, inserted), figures=figures),
        Measured(row=P2, values=ratios(scored, by_hand)),
    ]


def _warm_up(set_up: Stage) -> None:
    reference.fill(set_up.reports(WARMING))
    reference.score()
    set_up.fill(WARMING)
    stage.handle_all()
    # Statistics as of a table that is in use, for all alike.
    execute("ANALYZE")
