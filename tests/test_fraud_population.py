"""A small population whose crooks are known, scored: `python -m benchmarks fraud` does it with ten thousand."""

from collections import Counter
from datetime import timedelta

import pytest

from benchmarks.fraud import measuring, play, population
from rewards import ledger

pytestmark = pytest.mark.django_db

SEED, MEMBERS = 1, 400
# Of four hundred people few events fall into an hour.
TOGETHER_FOR = timedelta(hours=12)


def test_no_honest_reward_is_refused_few_wait_and_nine_tenths_of_fraud_is_caught(acme):
    world = population.draw(seed=SEED, members=MEMBERS)

    play.play(world, together_for=TOGETHER_FOR)

    found = measuring.earned(world)
    assert len({each.pattern for each in found}) >= 6
    assert sum(not each.is_fraud for each in found) >= 100
    assert measuring.honest_refused(found).part == 0
    # Crooks have brought five real friends, which is much among so few people: both sides wait with the false ones.
    assert measuring.honest_flagged(found).part <= 10
    assert measuring.fraud_caught(found).percent >= 90
    assert ledger.verify() == []


def test_the_same_seed_gives_the_same_world_and_another_one_another():
    worlds = [population.draw(seed=seed, members=MEMBERS) for seed in (1, 1, 2)]

    one, again, other = ([(each.at, each.kind, each.identities) for each in world.happenings] for world in worlds)

    assert one == again
    assert one != other


def test_ten_thousand_people_have_forty_honest_clusters_and_all_patterns():
    world = population.draw(seed=SEED, members=population.WHOLE)

    patterns = Counter(each.pattern for each in world.people)

    assert len(world.people) == population.WHOLE
    assert len(population.PATTERNS) == 25
    assert set(patterns) == {"", *(each.name for each in population.PATTERNS)}
    assert sum(count for _act, count in population.clusters.KINDS) == 40
