"""The list of campaigns: what each has given, and which are built in."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Limit
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import LIST
from tests import cast
from tests.things import make_things

pytestmark = pytest.mark.django_db


def test_the_list_tells_what_each_campaign_has_given(mia, running):
    Limit.objects.create(campaign=running, per="member", period="month", max_count=3)
    make_campaign(name="Draft")
    shop = cast.Shop()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")

    page = mia.get(LIST).content.decode()

    assert "100 of 10,000 points" in page
    assert "0 points" in page
    assert "The inviter gets 100 points when a friend pays a first order; at most 3 rewards a month." in page


def test_the_list_costs_the_same_for_many_campaigns(mia, django_assert_max_num_queries):
    make_things()
    gives = {"reward_kind": "product", "reward_what": "stickers"}
    make_campaign(gives)
    mia.get(LIST)
    with CaptureQueriesContext(connection) as once:
        mia.get(LIST)
    for number in range(3):
        make_campaign(gives, {"reward_what": "stars"}, name=str(number))

    # The assets are read too now.
    with django_assert_max_num_queries(len(once) + 1):
        mia.get(LIST)


def test_an_empty_list_shows_where_to_begin(mia):
    assert "Your first campaign takes a minute" in mia.get(LIST).content.decode()


def test_what_is_built_in_is_marked_in_the_list_and_is_no_first_campaign(mia, builtin):
    page = mia.get(LIST).content.decode()

    assert "Built in" in page
    assert "It is built in: it keeps what was given by hand or by a program, without a rule." in page
    assert "Your first campaign takes a minute" in page
