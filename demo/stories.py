"""Which story is whose. Pure."""

from datetime import datetime, time

from demo import coffee_chain, orders, record_shop
from demo.acts import Act
from demo.businesses import RECORD_SHOP, Business
from demo.days import Days


def tell(business: Business, *, days: Days) -> tuple[Act, ...]:
    """Return all that happened at a business, in order."""
    return record_shop.story(days=days) if business == RECORD_SHOP else coffee_chain.story(days=days)


def begins_at(business: Business, *, days: Days) -> datetime:
    """Return the midnight before the first thing that happened."""
    first_day = orders.first_day(days=days) if business == RECORD_SHOP else coffee_chain.first_day(days=days)
    return datetime.combine(first_day, time(), tzinfo=days.zone)
