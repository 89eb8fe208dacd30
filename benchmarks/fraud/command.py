"""`python -m benchmarks fraud`: a population for each seed, in a tenant of its own."""

import argparse
import time
from collections.abc import Sequence

from django.utils import timezone

from benchmarks import stage
from benchmarks.fraud import measuring, play, population, report
from benchmarks.fraud.measuring import Earned
from core.db import execute
from tenants import context, provisioning

SEEDS = (1, 2, 3)


def main(arguments: Sequence[str]) -> int:
    """Return 1 if the default policy misses a target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fraud", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="once for each population (1, 2 and 3 otherwise)")
    parser.add_argument("--members", type=int, default=population.WHOLE, help="how many people there are")
    told = parser.parse_args(arguments)
    is_on_target = True
    with stage.servers():
        for seed in told.seed or SEEDS:
            began = time.perf_counter()
            found = _played(seed, members=told.members)
            print(f"\nSeed {seed}: {told.members:,} members, in {time.perf_counter() - began:.0f} s", flush=True)
            print(report.drawn(found), flush=True)
            is_on_target = is_on_target and report.is_on_target(found)
    return 0 if is_on_target else 1


def _played(seed: int, *, members: int) -> list[Earned]:
    made = provisioning.create(
        name=f"Seed {seed}",
        slug=f"seed-{seed}",
        time_zone="Europe/Moscow",
        currency="RUB",
        language="en",
        at=timezone.now(),
    )
    with context.in_tenant(made.tenant.schema_name):
        # What is measured is judgement, not speed: nobody misses what a crash would lose.
        execute("SET synchronous_commit TO off")
        world = population.draw(seed=seed, members=members)
        play.play(world)
        return measuring.earned(world)
