"""What a tenant of the tests can give, one of everything: the choices of a rule's form."""

from typing import Any

from rewards.models import Asset, Gift, Provider, StockCode
from tests.cast import NOON

ASSETS: tuple[dict[str, Any], ...] = (
    {"code": "stars", "name": "Stars"},
    {"code": "cash", "name": "Cash", "kind": "money", "currency": "RUB", "scale": 2, "minor_per_unit": 100},
    {"code": "spin", "name": "Spins", "kind": "spin"},
    {"code": "gold", "name": "Gold draw", "kind": "ticket"},
)
GIFTS: tuple[dict[str, Any], ...] = (
    {"code": "coffee", "kind": "certificate", "name": "Coffee House", "terms": {"denominations": [50_000, 100_000]}},
    {"code": "books", "kind": "certificate", "name": "Books", "terms": {"denominations": [100_000]}},
    {"code": "any", "kind": "pool", "name": "Presents", "terms": {"brands": ["coffee", "books"]}},
    {
        "code": "tenth",
        "kind": "discount",
        "name": "Tenth",
        "terms": {"type": "percent", "rate_bps": 1_000, "pattern": "T-####"},
    },
    {"code": "vip", "kind": "privilege", "name": "VIP chat", "terms": {"days": 30}},
    {"code": "stickers", "kind": "product", "name": "Sticker pack"},
    {"code": "notes", "kind": "content", "name": "Notes", "terms": {"url": "https://example.com/notes"}},
)


def make_things() -> dict[str, Asset | Gift]:
    """Make assets and gifts of every kind, by their codes. Of each certificate there is one code in stock."""
    made: dict[str, Asset | Gift] = {row["code"]: Asset.objects.create(**row) for row in ASSETS}
    for row in GIFTS:
        gift = made[row["code"]] = Gift.objects.create(**row)
        for value_minor in gift.terms.get("denominations", ()):
            stock(gift, value_minor)
    return made


def stock(gift: Gift, value_minor: int = 0) -> StockCode:
    """Put one code into the stock of a gift."""
    index = f"{gift.code}-{value_minor}"
    return StockCode.objects.create(
        gift=gift, value_minor=value_minor, code="sealed", code_index=index, uploaded_at=NOON
    )


def make_provider(code: str = "giftery", **columns: object) -> Provider:
    """Make where certificates are bought."""
    return Provider.objects.create(**{"code": code, "name": code.title(), "url": "https://example.com", **columns})


def retire(*codes: str) -> None:
    """Take assets and gifts out of use."""
    Asset.objects.filter(code__in=codes).update(is_active=False)
    Gift.objects.filter(code__in=codes).update(is_active=False)


def make_gift(name: str, *, code: str = "sly", kind: str = "product") -> Gift:
    """Make a gift with a name of somebody's choice."""
    return Gift.objects.create(code=code, kind=kind, name=name)
