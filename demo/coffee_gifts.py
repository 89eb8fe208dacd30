"""What guests of the coffee chain can have besides points: two levels, and a personal code for the higher one."""

from typing import Any, Final

from core.db import in_transaction
from rewards.models import Gift, Level

# A level counts what was earned, so that a guest who has spent points gets there all the same.
THOUSAND: Final = "thousand"
LEVELS: Final[tuple[dict[str, Any], ...]] = (
    {"code": "regular", "name": "Завсегдатай", "title": "Завсегдатай", "threshold": 250},
    {"code": THOUSAND, "name": "Тысяча баллов", "title": "Свой человек", "threshold": 1_000},
)
PROMO_CODE: Final[dict[str, Any]] = {
    "code": "promo-code",
    "kind": "discount",
    "name": "Личный промокод",
    "description": "Скидка 20 % на один заказ от 500 ₽, только для вас.",
    "terms": {
        "type": "percent",
        "rate_bps": 2_000,
        "order_min_minor": 50_000,
        "valid_days": 60,
        "pattern": "BEAN-????-####",
    },
}


@in_transaction
def make() -> None:
    """Make the levels and the code."""
    Level.objects.bulk_create(Level(**level) for level in LEVELS)
    Gift.objects.create(**PROMO_CODE)
