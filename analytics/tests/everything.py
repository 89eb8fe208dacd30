"""A story after which every table that can be exported has rows, and rows that refer to each other."""

from core.db import transaction
from members import people
from rewards import adjustments, entitlements, payouts, reservations
from rewards.adjustments import Wish
from rewards.models import Asset, Level, Standing
from rewards.tests import gifts, selling
from rewards.tests.units import MARTA, has, make_asset
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag

# What the owner of content alone is shown.
HIDDEN = "https://example.com/for-owners-only"


def happens(shop: Shop) -> str:
    """Let everything happen once, most of it to Anna; return the discount code that she was given."""
    make_campaign(rule={"recipient": "both", "extras": [{"kind": "points", "what": "", "amount": 5}]})
    shop.joins("anna")
    click = shop.clicks("anna")
    shop.joins("boris", click_id=click)
    shop.pays("boris", "500", order="A-1")
    flag(shop, inviter="zoe", friend="max")
    anna = people.get_by_external_id("anna")
    gold = Level.objects.create(code="gold", name="Gold", threshold=1, privileges=["vip"])
    Standing.objects.update_or_create(member=anna, defaults={"level": gold, "since": NOON})
    gifts.give(gifts.gift("privilege", code="vip", name="VIP"), anna)
    gifts.gift("content", code="notes", terms={"url": HIDDEN})
    given = gifts.give(gifts.gift("discount", code="tenth"), anna)
    _is_spent(anna.pk)
    return entitlements.code_of(given[0])


def _is_spent(member_id: int) -> None:
    """Let a member be given points and money by hand, and spend them in each of the three ways."""
    points, cash = Asset.objects.get(code="points"), make_asset("cash")
    anna = people.get_by_external_id("anna")
    with transaction():
        adjustments.ask(wish=Wish("sorry", member_id, points.pk, 500, "We are sorry."), by=MARTA, at=NOON)
    has(anna, 1_000, cash)
    selling.buy(anna, selling.put_on_sale(code="mug"))
    with transaction():
        wanted = reservations.Wanted("till-1", member_id, 30, "A-2")
        reservations.reserve(wanted=wanted, actor=selling.BOT, at=NOON)
    with transaction():
        payouts.prepare(asset=cash, key="march", by=MARTA, at=NOON)
