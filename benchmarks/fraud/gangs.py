"""
What all crooks have: an account that collects, false friends, and their wish to spend no more than they must.

Each draws for itself how careful it is, so that no two of one pattern are alike: half rent a number for each false
friend, some pay with a card of its own. What they do not take care of is what the pattern is about.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.fraud import honest
from benchmarks.fraud.world import BEGIN, DAY, DAYS, HOUR, THRESHOLD_MINOR, Person, World


@dataclass(slots=True)
class Gang:
    """One crook, or several, with a way of cheating. `size` is how many false friends they will make."""

    world: World
    pattern: str
    name: str
    size: int
    rents_phones: bool
    pays_by_cards_of_their_own: bool
    begins: datetime

    def boss(self, **known: Any) -> Person:
        """Return an account that invites: it looks like anybody's, and some bring a real friend or two besides."""
        boss = honest.newcomer(self.world, **{"gang": self.name, "email": self.world.names.email(), **known})
        joined_at = self.world.joins(boss, self.begins - self.world.some(HOUR, 4 * DAY))
        if self.world.rng.random() < 0.4:
            honest.order(self.world, boss, joined_at + self.world.some(HOUR, 2 * DAY), amount_minor=self.amount())
        for _nth in range(self.world.rng.choice((0, 0, 0, 1, 2))):
            friend = honest.newcomer(self.world)
            friend_at = self.world.awake(joined_at + self.world.some(HOUR, 14 * DAY))
            honest.shop(self.world, friend, self.world.joins(friend, friend_at, inviter=boss))
        return boss

    def fake(self, **known: Any) -> Person:
        """Return a false friend: on a wiped phone, in the crook's usual network, unless said."""
        names = self.world.names
        usual = {
            "pattern": self.pattern,
            "gang": self.name,
            "email": names.email() if self.world.rng.random() < 0.5 else names.nonsense_email(),
            "phone": names.phone() if self.rents_phones else "",
            "device": names.device(),
            "card": names.card() if self.pays_by_cards_of_their_own else "",
            "home": names.home_address(),
        }
        return self.world.person(**{**usual, **known})

    def buys(self, fake: Person, joined_at: datetime, delay: timedelta, *, amount_minor: int = 0) -> None:
        """Place the order that the reward is for."""
        at = joined_at + delay
        if at < BEGIN + DAYS * DAY:
            self.world.buys(fake, at, amount_minor=amount_minor or self.amount())

    def amount(self) -> int:
        """Return what is enough, and not much more: crooks spend money of their own."""
        return THRESHOLD_MINOR + round(min(self.world.rng.expovariate(1 / 350), 2500)) * 100

    def delay(self) -> timedelta:
        """Return how long a crook waits who does not think of it."""
        return timedelta(minutes=self.world.rng.lognormvariate(3.5, 1.3))


def found(world: World, pattern: str, *, size: int) -> Gang:
    """Return a gang that will begin on some day."""
    rng = world.rng
    return Gang(
        world=world,
        pattern=pattern,
        name=f"{pattern}-{len(world.people)}",
        size=size,
        rents_phones=rng.random() < 0.5,
        pays_by_cards_of_their_own=rng.random() < 0.4,
        begins=world.moment(first_day=6, last_day=DAYS - 16),
    )
