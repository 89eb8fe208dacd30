"""Everybody and all that they do, with what nobody but the world knows: who is a crook. Nothing is reported yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from benchmarks.fraud.names import CARRIERS, Names

DAYS: Final = 56
BEGIN: Final = datetime(2026, 1, 12, tzinfo=UTC)
# What the campaign asks of a friend's first order.
THRESHOLD_MINOR: Final = 100_000
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
# Three hours ahead of UTC, without summer time.
MOSCOW_HOURS: Final = 3


@dataclass(eq=False, slots=True, kw_only=True)
class Person:
    """
    Somebody with an account, and what the shop will be told of them. "" is what they have none of.

    `pattern` is how they cheat, "" of honest people. Of a crook's people only those are told by it whose rewards would
    be paid wrongly.
    """

    name: str
    pattern: str = ""
    gang: str = ""
    email: str = ""
    phone: str = ""
    telegram: str = ""
    is_bare: bool = False
    device: str = ""
    card: str = ""
    # Where they are when they are not on the road; on the road they are on a phone network.
    home: str = ""
    carrier: int = 0
    on_the_road: float = 0.45
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, to be reported under its key. `inviter` is whose code a sign-up carries."""

    key: str
    at: datetime
    kind: str
    person: Person
    identities: Mapping[str, str]
    data: Mapping[str, Any]
    inviter: Person | None = None


@dataclass(slots=True)
class World:
    """What happens in eight weeks. It is drawn from one seed, and grows by the words below."""

    rng: Random
    people: list[Person] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    staff: list[Person] = field(default_factory=list)
    # Who asks to be forgotten, and when.
    erased: list[tuple[datetime, Person]] = field(default_factory=list)
    names: Names = field(init=False)
    orders: int = 0

    def __post_init__(self) -> None:
        self.names = Names(self.rng)

    def person(self, **known: Any) -> Person:
        """Return a new person; what is not said of them they do not have."""
        person = Person(name=f"person-{len(self.people) + 1}", carrier=self.rng.randrange(CARRIERS), **known)
        self.people.append(person)
        return person

    def joins(self, person: Person, at: datetime, *, inviter: Person | None = None) -> datetime:
        """Sign up; return when, for whom it had to be after their inviter."""
        if inviter and inviter.joined_at and at <= inviter.joined_at:
            at = inviter.joined_at + self.some(MINUTE, 10 * MINUTE)
        person.joined_at = at
        data: dict[str, Any] = {"channel": "app"}
        if person.telegram:
            data |= {"telegram_username": not person.is_bare, "telegram_photo": not person.is_bare}
        given = {"email": person.email, "phone": person.phone, "telegram": person.telegram}
        self._happens(at, "member.joined", person, given, data, inviter)
        return at

    def buys(self, person: Person, at: datetime, *, amount_minor: int) -> str:
        """Pay an order; return its number."""
        self.orders += 1
        number = f"order-{self.orders}"
        data = {"order_id": number, "amount_minor": amount_minor, "currency": "RUB", "channel": "app"}
        self._happens(at, "order.paid", person, {"card": person.card}, data)
        return number

    def buys_as_guest(self, person: Person, at: datetime, *, amount_minor: int) -> None:
        """Pay an order before there was an account: the shop tells their phone and e-mail with it."""
        self.orders += 1
        data = {"order_id": f"order-{self.orders}", "amount_minor": amount_minor, "currency": "RUB", "channel": "site"}
        given = {"email": person.email, "phone": person.phone, "card": person.card}
        self._happens(at, "order.paid", person, given, data)

    def returns(self, person: Person, order: str, at: datetime, *, amount_minor: int) -> None:
        """Get money back for an order."""
        data = {"order_id": order, "refund_id": "1", "amount_minor": amount_minor}
        self._happens(at, "order.refunded", person, {}, data, is_placed=False)

    def some(self, least: timedelta, most: timedelta) -> timedelta:
        """Return a time between two."""
        return timedelta(seconds=self.rng.uniform(least.total_seconds(), most.total_seconds()))

    def moment(self, *, first_day: float = 0, last_day: float = DAYS) -> datetime:
        """Return a moment at which people are awake."""
        return self.awake(BEGIN + timedelta(days=self.rng.uniform(first_day, last_day)))

    def awake(self, at: datetime) -> datetime:
        """Put off what would be done between one and seven at night until after breakfast."""
        local = at + timedelta(hours=MOSCOW_HOURS)
        return at + self.some(5 * HOUR, 10 * HOUR) if 1 <= local.hour < 7 else at

    def _happens(  # noqa: PLR0913 (an event)
        self,
        at: datetime,
        kind: str,
        person: Person,
        given: Mapping[str, str],
        data: Mapping[str, Any],
        inviter: Person | None = None,
        *,
        is_placed: bool = True,
    ) -> None:
        known = {"external_id": person.name, **given}
        if is_placed:
            known |= {"device": person.device, "ip": self._address(person)}
        told = {kind: value for kind, value in known.items() if value}
        key = f"event-{len(self.happenings) + 1}"
        self.happenings.append(Happening(key, at.replace(microsecond=0), kind, person, told, data, inviter))

    def _address(self, person: Person) -> str:
        if self.rng.random() < person.on_the_road:
            return self.names.phone_network_address(person.carrier)
        return person.home
