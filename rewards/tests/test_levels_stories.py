"""Levels as a shop meets them: events come in, points mature, money goes back, nights pass."""

from datetime import timedelta

import pytest

from core.db import current_schema
from events.models import Event
from rewards import ledger, maturing
from rewards.levels.review import review_all
from rewards.models import Level, RewardPolicy, Standing
from tests.cast import NOON, Shop, make_campaign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def shop(acme):
    for code, threshold in (("silver", 100), ("gold", 300)):
        Level.objects.create(code=code, name=code.title(), threshold=threshold)
    return Shop()


def level_of(shop, name):
    found = Standing.objects.filter(member=shop.id_of(name)).select_related("level").first()
    return found and found.level.code


def reached():
    rows = Event.objects.filter(kind="level.reached").order_by("pk")
    return [(row.data["from"], row.data["code"]) for row in rows]


def test_the_event_that_earns_enough_leads_up(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})

    shop.pays("anna", "500")
    assert level_of(shop, "anna") == "silver"

    for _ in range(2):
        shop.pays("anna", "500")

    assert level_of(shop, "anna") == "gold"
    assert reached() == [(None, "silver"), ("silver", "gold")]


def test_what_is_on_hold_leads_up_when_it_matures(shop):
    make_campaign(rule={"recipient": "actor", "hold_days": 14})
    shop.pays("anna", "500")
    assert level_of(shop, "anna") is None

    maturing.release_due(schema=current_schema(), limit=100, at=NOON + 14 * DAY)

    assert level_of(shop, "anna") == "silver"
    assert reached() == [(None, "silver")]


def test_money_spent_leads_up_without_any_campaign(shop):
    RewardPolicy.objects.update(level_measure="spent")
    Level.objects.filter(code="silver").update(threshold=400_00)
    Level.objects.filter(code="gold").update(threshold=900_00)

    shop.pays("anna", "500")
    assert level_of(shop, "anna") == "silver"
    shop.pays("anna", "400")

    assert level_of(shop, "anna") == "gold"


def test_a_friend_who_qualifies_leads_up(shop):
    RewardPolicy.objects.update(level_measure="referrals")
    Level.objects.filter(code="silver").update(threshold=1)
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")

    shop.pays("boris", "500")

    assert level_of(shop, "anna") == "silver"


def test_a_refund_takes_the_points_now_and_the_level_when_grace_is_over(shop):
    RewardPolicy.objects.update(level_fall="match", level_grace_days=3, level_notice_days=1)
    make_campaign(rule={"recipient": "actor"})
    shop.pays("anna", "500", order="1001")
    shop.refunds("anna", "500", order="1001")
    assert (shop.balance_of("anna"), level_of(shop, "anna")) == (0, "silver")

    levels = []
    for days in range(1, 5):
        review_all(schema=current_schema(), at=NOON + days * DAY)
        levels.append(level_of(shop, "anna"))

    assert levels == ["silver", "silver", "silver", None]
    kinds = Event.objects.filter(kind__startswith="level.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["level.reached", "level.will_fall", "level.fallen"]
    assert ledger.verify() == []
