"""What members of the record shop can have besides points: one of everything, levels, and what else is counted."""

from datetime import datetime
from itertools import cycle
from typing import Any, Final

from django.core.files.base import ContentFile

from core.db import in_transaction
from demo import pictures
from rewards.certificates import stock
from rewards.entitlements import index_of, seal
from rewards.models import Account, Asset, Gift, Level, RewardPolicy

# Nobody else has these: they open nothing.
CODES: Final = 60

ASSETS: Final[tuple[dict[str, Any], ...]] = (
    {"code": "stars", "name": "Stars", "minor_per_unit": 10},
    {"code": "spins", "name": "Spins", "kind": "spin", "minor_per_unit": 50},
    {
        "code": "cash",
        "name": "Referral cash",
        "kind": "money",
        "currency": "USD",
        "scale": 2,
        "minor_per_unit": 100,
        "payout_min": 1_000,
    },
)
LEVELS: Final[tuple[tuple[str, str, int, int, str, list[str]], ...]] = (
    ("listener", "Listener", 500, 10_000, "Listener", []),
    ("collector", "Collector", 2_000, 11_000, "Collector", ["early-access"]),
    ("curator", "Curator", 6_000, 12_500, "Curator", ["early-access", "listening-room"]),
)
GIFTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "blue-room-cafe",
        "kind": "certificate",
        "name": "The Blue Room Café",
        "description": "Coffee and cake next door to the shop.",
        "conditions_text": "Valid in the café, once. No change is given.",
        "terms": {"denominations": [1_000, 2_500], "valid_days": 365, "providers": [], "barcode": "qr"},
        "cost_minor": 1_000,
        "low_stock": 20,
    },
    {
        "code": "orpheum-cinema",
        "kind": "certificate",
        "name": "Orpheum Cinema",
        "description": "A seat at any evening show.",
        "conditions_text": "Valid for one person.",
        "terms": {"denominations": [1_000], "valid_days": 180, "providers": [], "barcode": "code128"},
        "cost_minor": 900,
        "low_stock": 10,
    },
    {
        "code": "your-choice",
        "kind": "pool",
        "name": "A certificate of your choice",
        "description": "Café or cinema: you choose.",
        "terms": {"brands": ["blue-room-cafe", "orpheum-cinema"]},
    },
    {
        "code": "fifteen-off",
        "kind": "discount",
        "name": "15 % off",
        "description": "For your next order of $30 or more.",
        "terms": {
            "type": "percent",
            "rate_bps": 1_500,
            "order_min_minor": 3_000,
            "valid_days": 60,
            "pattern": "GROOVE-????-####",
        },
        "price": 600,
        "position": 2,
    },
    {
        "code": "free-delivery",
        "kind": "discount",
        "name": "Free delivery",
        "description": "Once, wherever you live.",
        "terms": {"type": "free_delivery", "valid_days": 90, "pattern": "POST-????-####", "order_min_minor": None},
        "price": 250,
        "prices": {"curator": 0},
        "position": 1,
    },
    {
        "code": "early-access",
        "kind": "privilege",
        "name": "Early access to new arrivals",
        "description": "A day before everybody else.",
        "terms": {"days": 30},
        "price": 400,
        "position": 5,
    },
    {
        "code": "listening-room",
        "kind": "privilege",
        "name": "The listening room",
        "description": "The chat where records are talked about before they are pressed.",
        "terms": {"days": 90},
    },
    {
        "code": "sticker-pack",
        "kind": "product",
        "name": "Sticker pack",
        "description": "Twelve stickers of the shop's own labels.",
        "terms": {"needs_address": False},
        "price": 150,
        "stock": 400,
        "low_stock": 50,
        "position": 3,
        "cost_minor": 120,
    },
    {
        "code": "slipmat",
        "kind": "product",
        "name": "Turntable slipmat",
        "description": "Felt, twelve inches, printed by hand.",
        "terms": {"needs_address": True},
        "price": 1_200,
        "prices": {"collector": 1_000, "curator": 900},
        "stock": 40,
        "low_stock": 5,
        "per_member": 2,
        "position": 4,
        "cost_minor": 600,
    },
    {
        "code": "liner-notes",
        "kind": "content",
        "name": "Liner notes, the collection",
        "description": "Forty pages about forty sleeves.",
        "terms": {"url": "https://needle-and-groove.example/liner-notes"},
        "price": 300,
        "position": 6,
    },
)


@in_transaction
def make(*, at: datetime) -> None:
    """Make assets, gifts and levels, with their pictures, and fill the stock of certificates."""
    for asset in ASSETS:
        row = Asset.objects.create(**asset)
        Account.objects.bulk_create(
            Account(kind=kind, asset=row) for kind in Account.Kind.values if kind != Account.Kind.MEMBER
        )
    points = Asset.objects.get(code="points")
    Asset.objects.filter(pk=points.pk).update(expiry=Asset.Expiry.MONTHS, expiry_count=12)
    for gift in GIFTS:
        made = Gift(**gift, asset=points if "price" in gift else None)
        made.picture.save(f"{made.code}.png", ContentFile(pictures.gift(made.name)), save=False)
        made.save()
        if made.kind == Gift.Kind.CERTIFICATE:
            _fill(made, at)
    for code, name, threshold, multiplier_bps, title, privileges in LEVELS:
        level = Level(
            code=code,
            name=name,
            threshold=threshold,
            multiplier_bps=multiplier_bps,
            title=title,
            privileges=privileges,
        )
        level.picture.save(f"{code}.png", ContentFile(pictures.badge(name)), save=False)
        level.save()
    RewardPolicy.objects.update(
        level_window="year", level_fall="step", level_grace_days=30, level_notice_days=14, four_eyes_from=1_000
    )


def _fill(gift: Gift, at: datetime) -> None:
    codes = [f"{gift.code.upper()}-{number:05}" for number in range(1, CODES + 1)]
    rows = [
        (value, seal(code), index_of(kind=gift.kind, gift_id=gift.pk, code=code), None)
        for value, code in zip(cycle(gift.terms["denominations"]), codes, strict=False)
    ]
    stock.put(gift=gift, rows=rows, batch="demo", at=at)
