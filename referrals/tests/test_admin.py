"""Referrals in the back office."""

import pytest

from referrals.models import Referral
from tenants import context
from tests.cast import Shop
from tests.people import browser_of, staff_of

REFERRALS = "/admin/referrals/referral/"


@pytest.fixture
def shop(acme) -> Shop:
    shop = Shop()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    return shop


def test_a_referral_is_called_by_who_brought_whom_and_says_what_told_of_it(shop):
    referral = Referral.objects.get()

    page = browser_of(staff_of("analyst")).get(f"{REFERRALS}{referral.pk}/change/").content.decode()

    assert "anna → boris | " in page
    assert f'href="/admin/events/event/{referral.event_id}/change/">Member joined · ' in page


def test_another_tenant_finds_nothing_under_its_number(shop, bolt):
    number = Referral.objects.get().pk
    with context.in_tenant("t_bolt"):
        stranger = browser_of(staff_of("analyst"), host="bolt.localhost")

    response = stranger.get(f"{REFERRALS}{number}/change/")

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
