"""Real orders: the CDNOW sample of Fader and Hardie (demo/data/README.md). Pure, but for the file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Final

from demo.days import Days

FILE: Final = Path(__file__).parent / "data" / "cdnow_sample.csv"
# The last day of the sample.
ENDS: Final = date(1998, 6, 30)
# The file gives days only: the times of day are drawn from this.
SEED: Final = "times of day"


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the file; `nth` is its number among the customer's, from 1."""

    customer: str
    nth: int
    date: date
    discs: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Dated:
    """An order, and when it was paid in the demo."""

    order: Order
    at: datetime


@cache
def read() -> tuple[Order, ...]:
    """Return the orders as the file has them: by customer, the oldest first."""
    with FILE.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    found: list[Order] = []
    for row in rows:
        nth = found[-1].nth + 1 if found and found[-1].customer == row["customer_id"] else 1
        amount_minor = int(Decimal(row["amount_usd"]) * 100)
        day = date.fromisoformat(row["date"])
        found.append(Order(row["customer_id"], nth, day, int(row["cds"]), amount_minor))
    return tuple(found)


def shifted(*, days: Days) -> dict[str, list[Dated]]:
    """Return each customer's orders, oldest first, moved by whole days so that the last day of the sample is today."""
    shift = days.last - ENDS
    rng = Random(SEED)
    found: dict[str, list[Dated]] = {}
    for (customer, day), orders in groupby(read(), key=lambda order: (order.customer, order.date)):
        found.setdefault(customer, []).extend(_timed(list(orders), day + shift, days, rng))
    return found


def first_day(*, days: Days) -> date:
    """Return the day on which the shifted history begins."""
    return min(order.date for order in read()) + (days.last - ENDS)


def _timed(orders: list[Order], day: date, days: Days, rng: Random) -> Iterator[Dated]:
    # A tenth of the day is kept free before the first order: people sign up before they pay.
    parts = sorted(0.1 + 0.9 * rng.random() for _order in orders)
    for order, part in zip(orders, parts, strict=True):
        yield Dated(order, days.instant(day, part).replace(microsecond=0))
