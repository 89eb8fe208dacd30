"""Rewards of every kind change their state alike: granted, promised, lapsed, reopened."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import savepoint, transaction
from rewards import giving, grants, ledger, maturing, releases
from rewards.giving import GiftMissing
from rewards.models import Asset, Entitlement, Gift, Lot, Posting, Reward
from rewards.releases import NotReopenable
from rewards.tests.gifts import gift
from rewards.tests.stage import NOON, status_of
from rewards.tests.units import make_asset
from tests.races import race

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=14)
VIP = {"kind": "privilege", "what": "vip", "asset_id": None, "given": 1}


@pytest.fixture
def vip(scene):
    return gift("privilege", code="vip")


@transaction
def release(*reward_ids, at=NOON):
    return releases.release(reward_ids=reward_ids, at=at)


@transaction
def reopen(*reward_ids, decision=7):
    return releases.reopen(reward_ids=reward_ids, decision=decision, at=NOON)


@transaction
def mature(*, limit=100, at=NOON):
    return releases.release_matured(limit=limit, at=at)


@transaction
def keep(*reward_ids, at=NOON):
    return releases.keep(orders=dict.fromkeys(reward_ids), at=at)


def given():
    return list(Entitlement.objects.order_by("pk").values_list("key", "status", "reward_id"))


# What a reward becomes


def test_a_gift_becomes_an_entitlement_and_no_posting(scene, anna, vip):
    reward_id = scene.owe(anna, status="flagged", **VIP)

    (moved,) = release(reward_id)

    assert (moved.status, moved.kind, moved.what, moved.asset_id) == ("granted", "privilege", "vip", None)
    assert given() == [(f"reward:{reward_id}:1", "issued", reward_id)]
    assert not Posting.objects.exists()
    assert ledger.verify() == []


@pytest.mark.parametrize("grant", [lambda reward_id: release(reward_id, at=LATER), lambda _reward_id: mature(at=LATER)])
def test_what_is_paid_expires_as_its_asset_says(scene, anna, grant):
    stars = make_asset("stars", expiry="month_end")
    status = "flagged" if grant.__code__.co_varnames[0] == "reward_id" else "pending"
    reward_id = scene.owe(anna, status=status, asset_id=stars.pk, what="stars")

    grant(reward_id)

    # The end of March, in Moscow.
    lot = Lot.objects.get()
    assert (lot.available_at, lot.expires_at) == (LATER, NOON.replace(day=31, hour=21))
    assert ledger.balances(member_id=anna.pk) == {"stars": 100}


def test_a_debt_is_paid_by_what_matures(scene, anna):
    Asset.objects.filter(code="points").update(may_owe=True)
    scene.owe(anna)
    with transaction():
        move = ledger.Move(
            "debt", "adjust", anna.pk, scene.points.pk, -70, other="writeoff", may_owe=True, note="in a test"
        )
        ledger.post(moves=[move], at=NOON)

    mature()

    assert ledger.balance_of(member_id=anna.pk) == 30
    assert [lot.remaining for lot in Lot.objects.all()] == [30]
    assert ledger.verify() == []


def test_a_gift_that_does_not_exist_any_more_stops_everything_loudly(scene, anna, vip):
    reward_id = scene.owe(anna, **VIP)
    Gift.objects.all().delete()

    with transaction(), pytest.raises(GiftMissing, match="vip"), savepoint():
        releases.release_matured(limit=10, at=NOON)

    assert status_of(reward_id) == "pending"


def test_gifts_take_the_same_statements_for_any_number(scene, anna, vip):
    event = scene.event()
    counts = {}
    for number in (2, 40):
        with transaction():
            grants.write(new=[scene.new(anna, event_id=event.pk, **VIP) for _ in range(number)])
        with transaction(), CaptureQueriesContext(connection) as statements:
            releases.release_matured(limit=100, at=NOON)
        counts[number] = len(statements)

    assert counts[2] == counts[40]
    assert Entitlement.objects.count() == 42


# Undoing


def test_undoing_stops_a_gift_and_it_can_be_given_again(scene, anna, vip):
    reward_id = scene.owe(anna, status="flagged", **VIP)
    release(reward_id)

    reopen(reward_id)
    release(reward_id)

    assert given() == [
        (f"reward:{reward_id}:1", "cancelled", reward_id),
        (f"reward:{reward_id}:2", "issued", reward_id),
    ]


def test_what_was_seen_is_not_undone_and_nothing_given_with_it(scene, anna):
    gift("content", code="notes")
    notes = {"kind": "content", "what": "notes", "asset_id": None, "given": 1}
    ids = [scene.owe(anna, status="flagged"), scene.owe(anna, status="flagged", **notes)]
    release(*ids)
    Entitlement.objects.update(shown_at=NOON)

    with transaction(), pytest.raises(NotReopenable), savepoint():
        releases.reopen(reward_ids=ids, decision=7, at=NOON)

    assert [status_of(each) for each in ids] == ["granted", "granted"]
    assert ledger.balance_of(member_id=anna.pk) == 100
    assert [each[1] for each in given()] == ["issued"]


# Promises


def promised(scene, anna, **columns):
    return scene.owe(anna, **{"awaits": "check_in", **columns})


def test_a_promise_is_neither_released_nor_matured(scene, anna):
    pending, flagged = promised(scene, anna), promised(scene, anna, status="flagged")

    (moved,) = release(flagged)

    assert (moved.status, moved.awaits) == ("pending", "check_in")
    assert mature(at=LATER) == []
    assert not maturing.is_due(at=LATER)
    assert (status_of(pending), status_of(flagged)) == ("pending", "pending")
    assert not Posting.objects.exists()


@pytest.mark.parametrize(
    ("columns", "status"),
    [({}, "granted"), ({"matures_at": LATER}, "pending"), ({"status": "flagged"}, "flagged")],
)
def test_a_kept_promise_waits_for_nothing_but_its_clocks(scene, anna, columns, status):
    reward_id = promised(scene, anna, **columns)

    (moved,) = keep(reward_id)

    assert (moved.status, moved.awaits, moved.amount) == (status, "", 100)
    assert Reward.objects.get().granted_at == (NOON if status == "granted" else None)
    assert keep(reward_id) == []


def test_only_what_is_over_lapses(scene, anna):
    second = timedelta(seconds=1)
    over = promised(scene, anna, awaits_until=NOON - second)
    others = [
        promised(scene, anna, awaits_until=NOON),
        promised(scene, anna),
        promised(scene, anna, status="flagged", awaits_until=NOON - second),
        scene.owe(anna),
    ]

    assert [each.id for each in maturing_lapse()] == [over]

    assert status_of(over) == "cancelled"
    assert [status_of(each) for each in others] == ["pending", "pending", "flagged", "pending"]


@transaction
def maturing_lapse():
    return maturing.lapse(limit=10, at=NOON)


# Several at once


def several(scene, anna, **columns):
    event = scene.event()
    new = [scene.new(anna, event_id=event.pk, occurrence=f"o:{event.pk}#{n}", part=n, **columns) for n in range(3)]
    with transaction():
        return grants.write(new=new)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_no_batch_takes_a_part_of_them(scene, anna, limit):
    first, second = several(scene, anna), several(scene, anna)

    moved = mature(limit=limit)

    assert {each.id for each in moved} == {*first, *(second if limit > 3 else ())}
    assert len(mature(limit=limit)) == 6 - len(moved)


@pytest.mark.parametrize("limit", [1, 3])
def test_they_lapse_together(scene, anna, limit):
    ids = several(scene, anna, awaits="check_in", awaits_until=NOON - timedelta(days=1))

    with transaction():
        assert {each.id for each in maturing.lapse(limit=limit, at=NOON)} == set(ids)


# Taking back


def test_what_turns_out_to_be_out_of_reach_is_lost(scene, anna):
    gift("content", code="notes")
    reward_id = scene.owe(anna, status="flagged", kind="content", what="notes", asset_id=None, given=1)
    release(reward_id)
    Entitlement.objects.update(shown_at=NOON)
    Reward.objects.update(status="reversed", reversed=1)

    with transaction():
        giving.take_back(reward_ids=[reward_id], at=NOON)

    reward = Reward.objects.get()
    assert (reward.reversed, reward.lost, reward.lost_why) == (0, 1, "shown")


@pytest.mark.django_db(transaction=True)
def test_two_keepers_at_once_keep_once(scene, anna):
    reward_id = promised(scene, anna)

    results = race(*[lambda: len(releases.keep(orders={reward_id: None}, at=NOON))] * 4)

    assert sorted(results) == [0, 0, 0, 1]
    assert status_of(reward_id) == "granted"
