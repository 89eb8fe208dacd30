"""The two businesses of the demo: who they are, and whom one can log in as. Pure."""

from dataclasses import dataclass
from typing import Final

ROLES: Final = ("admin", "marketer", "moderator", "analyst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """A tenant of the demo. Its staff are called as their roles are, and share the password."""

    slug: str
    name: str
    time_zone: str
    currency: str
    language: str
    # No secret: the demo is on one's own machine only, and prints it.
    password: str
    minor_per_point: int


RECORD_SHOP: Final = Business(
    slug="demo",
    name="Needle & Groove",
    time_zone="America/New_York",
    currency="USD",
    language="en",
    password="needle-and-groove",
    minor_per_point=1,
)
COFFEE_CHAIN: Final = Business(
    slug="bean",
    name="Bean There",
    time_zone="Europe/Moscow",
    currency="RUB",
    language="ru",
    password="bean-there-every-day",
    minor_per_point=100,
)
BUSINESSES: Final = (RECORD_SHOP, COFFEE_CHAIN)

PLATFORM_USERNAME: Final = "platform"
PLATFORM_PASSWORD: Final = "all-of-sarafan"
