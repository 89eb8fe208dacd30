"""Who there is: honest people, forty honest clusters, bloggers, and gangs of twenty-five patterns."""

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from benchmarks.fraud import clusters, gangs, honest
from benchmarks.fraud.gangs import Gang
from benchmarks.fraud.patterns import alone, farms, rules, together
from benchmarks.fraud.world import World

# Of ten thousand, and of smaller populations as their share is.
WHOLE: Final = 10_000
GANGS: Final = 45
AUDIENCES: Final = ((300, 48.0), (80, 72.0))


class Pattern(NamedTuple):
    """A way to cheat, and of how many false friends at least and at most."""

    act: Callable[[Gang], None]
    fewest: int
    most: int

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.act.__name__


PATTERNS: Final = (
    Pattern(alone.same_device, 1, 4),
    Pattern(alone.same_card, 1, 4),
    Pattern(alone.same_phone, 1, 4),
    Pattern(alone.mail_variants, 2, 6),
    Pattern(alone.alike_mails, 3, 8),
    Pattern(alone.through_one_more, 1, 3),
    Pattern(alone.known_customers, 8, 15),
    Pattern(together.ring, 3, 8),
    Pattern(together.chain_that_returns, 3, 4),
    Pattern(together.two_sided, 4, 10),
    Pattern(farms.device_farm, 15, 40),
    Pattern(farms.card_sharing, 8, 25),
    Pattern(farms.hosted, 15, 40),
    Pattern(farms.throwaway_mails, 10, 30),
    Pattern(farms.alike_mails_of_friends, 10, 25),
    Pattern(farms.star_burst, 20, 60),
    Pattern(farms.young_telegrams, 10, 30),
    Pattern(farms.one_network, 15, 30),
    Pattern(farms.slow_drip, 12, 22),
    Pattern(farms.of_all_sorts, 10, 25),
    Pattern(rules.delayed_orders, 8, 20),
    Pattern(rules.copied_delays, 10, 25),
    Pattern(rules.just_enough, 8, 25),
    Pattern(rules.given_back, 12, 30),
    Pattern(rules.at_the_till, 10, 20),
)


def draw(*, seed: int, members: int) -> World:
    """Return a world of so many people, its happenings in their order. The same seed gives the same world."""
    world = World(Random(seed))
    share = members / WHOLE
    for act, count in clusters.KINDS:
        for _nth in range(round(count * share) or world.rng.random() < count * share):
            act(world)
    for brings, hours in AUDIENCES:
        clusters.blogger(world, brings=round(brings * share), hours=hours)
    for pattern in _drawn(world.rng, count=max(round(GANGS * share), 6)):
        pattern.act(gangs.found(world, pattern.name, size=world.rng.randint(pattern.fewest, pattern.most)))
    honest.settle(world, max(members - len(world.people), members // 3))
    world.happenings.sort(key=lambda each: each.at)
    return world


def _drawn(rng: Random, *, count: int) -> list[Pattern]:
    """Return each pattern once, and others again by chance; of fewer than there are, some."""
    again = rng.choices(PATTERNS, k=max(count - len(PATTERNS), 0))
    return rng.sample([*PATTERNS, *again] if again else list(PATTERNS), count)
