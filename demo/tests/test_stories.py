from collections import Counter
from datetime import timedelta

import pytest

from demo import feed, history, record_shop, stories
from demo.businesses import BUSINESSES, COFFEE_CHAIN, RECORD_SHOP
from demo.days import Days
from demo.history import SOURCE


@pytest.fixture(params=BUSINESSES, ids=lambda business: business.slug)
def story(request, days):
    return stories.tell(request.param, days=days)


def test_it_is_the_same_whenever_it_is_told(days):
    for business in BUSINESSES:
        assert stories.tell(business, days=days) == stories.tell(business, days=days)


def test_a_day_later_it_is_the_same_a_day_later(days):
    next_day = Days(last_at=days.last_at + timedelta(days=1), zone=days.zone)
    keys = [act.key for act in stories.tell(RECORD_SHOP, days=days)]

    assert Counter(act.key for act in stories.tell(RECORD_SHOP, days=next_day)) == Counter(keys)


def test_every_act_has_a_key_of_its_own(story):
    assert max(Counter(act.key for act in story).values()) == 1
    assert max(Counter(act.data["order_id"] for act in story if act.kind == "order.paid").values()) == 1


def test_it_is_told_in_order_and_ends_now(story, days):
    moments = [act.at for act in story if act.at is not None]

    assert moments == sorted(moments)
    assert moments[-1] < days.last_at + timedelta(seconds=2)
    assert all(act.at is None for act in story[len(moments) :])


def test_nobody_invites_before_they_are_a_member(story):
    known = set()
    for act in story:
        assert not act.inviter or act.inviter in known
        known.add(act.who["external_id"])


def test_it_begins_when_the_campaigns_do(days):
    for business in BUSINESSES:
        first = stories.tell(business, days=days)[0]
        assert timedelta() <= first.at - stories.begins_at(business, days=days) < timedelta(days=1)


def test_what_is_simulated_says_so_and_the_rest_is_the_sample(days):
    real = [act for act in stories.tell(RECORD_SHOP, days=days) if act.data["extra"] != {"simulated": True}]

    assert {act.kind for act in real} == {"order.paid"}
    assert {act.data["extra"]["source"] for act in real} == {SOURCE}
    assert len(real) == 6_919
    assert all(act.data["extra"] == {"simulated": True} for act in stories.tell(COFFEE_CHAIN, days=days))


def test_only_the_fair_happens_as_it_is_reported(days):
    live = [act for act in stories.tell(RECORD_SHOP, days=days) if act.at is None]

    assert len(live) == record_shop.FAIR_CHECK_INS
    assert {act.data["place"] for act in live} == {record_shop.FAIR}
    assert all("occurred_at" not in act.body(codes={}) for act in live)


def test_the_last_month_is_alive(days):
    since = days.last_at - timedelta(days=30)
    lately = Counter(act.kind for act in stories.tell(RECORD_SHOP, days=days) if act.at and act.at >= since)

    assert lately["member.joined"] > 100
    assert lately["order.paid"] > 250
    assert lately["invite.sent"] > 20


def test_a_customer_who_looks_around_is_no_cheat(days):
    joined = {act.key.split(":")[1]: act.at for act in history.acts(days=days) if act.kind == "member.joined"}
    orders_of = {act.key: act.at for act in history.acts(days=days)}
    took = [orders_of[f"cdnow:{customer}:order:1"] - at for customer, at in joined.items()]

    assert min(took) >= timedelta(minutes=2)
    assert max(took) <= timedelta(hours=4)
    assert len(set(took)) > len(took) // 3


def test_a_batch_never_needs_a_code_of_its_own_people(story):
    batches = list(feed.batches(story))

    assert [act for batch in batches for act in batch] == list(story)
    for batch in batches:
        assert len(batch) <= feed.BATCH_MAX
        assert len({act.at is None for act in batch}) == 1
        told = set()
        for act in batch:
            assert act.inviter not in told
            told.add(act.who["external_id"])
