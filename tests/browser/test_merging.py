"""A moderator merges two accounts of one person: looks first, then does it."""

import pytest

from core.db import transaction
from members.models import Member
from rewards import adjustments
from rewards.actors import Actor
from rewards.models import Asset
from tests.browser.screens import LARGE, SMALL
from tests.cast import Shop, make_campaign
from tests.people import staff_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(acme):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop = Shop()
    shop.pays({"external_id": "anna", "email": "anna@example.com"}, "500")
    shop.pays({"external_id": "anya", "telegram": "701"}, "500")
    with transaction():
        wish = adjustments.Wish("sorry", shop.id_of("anya"), Asset.objects.get(code="points").pk, 900, "Sorry.")
        adjustments.ask(wish=wish, by=Actor("key", "crm"), at=shop.at)
    return shop


@pytest.mark.parametrize(("size", "is_dark"), [(LARGE, False), (LARGE, True), (SMALL, False)], ids=str)
def test_a_moderator_looks_and_merges(shop, sit, size, is_dark):
    anna, anya = shop.id_of("anna"), shop.id_of("anya")
    screen = sit(staff_of("moderator"), size=size, is_dark=is_dark)
    screen.open(f"/admin/members/member/{anna}/change/")
    screen.click("Merge")
    screen.write("the same person is also known as", "701")
    screen.write("why", "One phone")

    screen.click("Look")

    assert "+1,000" in screen.text("main, #content")
    assert screen.beyond() == 0
    assert Member.objects.get(pk=anya).status == "active"
    screen.tick("[name=is_sure]")
    screen.click("Merge", within="form")
    assert screen.path == f"/admin/members/member/{anna}/change/"
    assert "1,100" in screen.text()
    assert Member.objects.get(pk=anya).merged_into_id == anna
    screen.open(f"/admin/members/member/{anya}/change/")
    assert "has gone into that one" in screen.text()
    assert screen.beyond() == 0
