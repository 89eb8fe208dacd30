from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from core.db import savepoint, transaction
from core.errors import conflict_of
from rewards import grants, ledger, releases
from rewards.grants import Occurrence, RewardChanged, TakeBack
from rewards.ledger import InsufficientBalance
from rewards.models import Posting, Reward
from rewards.refunds import Refund, settle
from rewards.releases import NotReopenable
from rewards.tests.stage import NOON, pay, status_of
from tests.races import race

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=14)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def posted():
    return list(Posting.objects.order_by("id").values_list("key", "amount"))


@transaction
def write(new=(), taken=()):
    return grants.write(new=new, taken=taken)


@transaction
def release(*reward_ids, at=NOON):
    return releases.release(reward_ids=reward_ids, at=at)


@transaction
def reject(*reward_ids):
    return releases.reject(reward_ids=reward_ids)


@transaction
def reopen(*reward_ids, decision=7):
    return releases.reopen(reward_ids=reward_ids, decision=decision, at=NOON)


@transaction
def mature(*, limit=100, at=NOON):
    return releases.release_matured(limit=limit, at=at)


@transaction
def refund(order, refunded_minor, refund_id="1"):
    """Take back what a refund of an order takes, as scoring does."""
    money = Refund(amount_minor=order.amount_minor, refunded_minor=refunded_minor)
    held = grants.existing(occurrences=[], order_ids=[order.pk]).of_orders
    settled = [each for each in (settle(one, refund=money, balance=one.balance) for one in held) if each]
    grants.write(new=[], taken=[TakeBack(each.before, each.after) for each in settled])
    moves = [
        grants.refund_move(held=each.before, amount=each.taken, refund_id=refund_id) for each in settled if each.taken
    ]
    ledger.post(moves=moves, at=NOON)
    return settled


# Writing


def test_ids_come_in_the_order_given(scene, anna, boris):
    new = [scene.new(each) for each in (boris, anna, boris)]

    ids = write(new)

    assert ids == sorted(ids)
    assert [Reward.objects.get(pk=each).member for each in ids] == [boris, anna, boris]


def test_one_occurrence_is_rewarded_once(scene, anna):
    new = scene.new(anna, occurrence="order:1001")
    (first,) = write([new])

    assert write([new._replace(given=50), scene.new(anna)])[0] is None
    assert Reward.objects.get(pk=first).given == 100


def test_of_twins_in_one_batch_the_first_is_written(scene, anna):
    new = scene.new(anna, occurrence="order:1001")

    ids = write([new, new._replace(given=50)])

    assert ids == [Reward.objects.get().pk, None]
    assert Reward.objects.get().given == 100


def test_all_that_a_reward_is_told_is_kept(scene, anna, boris):
    order = scene.order(boris)
    new = scene.new(
        anna,
        status="flagged",
        side="inviter",
        order_id=order.pk,
        due=120,
        reversed=20,
        matures_at=LATER,
        reasons=[{"signal": "velocity", "evidence": {"имя": 11}}],
    )

    (reward_id,) = write([new])

    reward = Reward.objects.get(pk=reward_id)
    stored = {name: getattr(reward, name) for name in new._fields} | {"reasons": tuple(reward.reasons)}
    assert stored == {name: getattr(new, name) for name in stored} | {"reasons": tuple(new.reasons)}


def test_a_flagged_reward_says_why(scene, anna):
    with pytest.raises(IntegrityError) as broken, transaction(), savepoint():
        grants.write(new=[scene.new(anna, status="flagged")._replace(reasons=[])])

    assert conflict_of(broken.value) == "reward_flagged_has_reason"


def test_writing_takes_one_statement_for_any_number(scene, anna, boris):
    order = scene.order(anna)
    scene.owe(anna, order_id=order.pk)
    held = grants.existing(occurrences=[], order_ids=[order.pk]).of_orders[0]
    event = scene.event()
    new = [scene.new([anna, boris][n % 2], event_id=event.pk) for n in range(200)]

    with transaction(), CaptureQueriesContext(connection) as statements:
        ids = grants.write(new=new, taken=[TakeBack(held, replace(held, reversed=100, status="cancelled"))])

    assert len(statements) == 1
    assert len({*ids} - {None}) == 200
    assert status_of(held.reward_id) == "cancelled"


def test_what_exists_is_read_in_one_statement(scene, anna, boris):
    order = scene.order(anna)
    paid = scene.owe(anna, status="granted", order_id=order.pk, occurrence=f"order:{order.pk}")
    scene.owe(boris, order_id=scene.order(boris).pk)
    asked = [Occurrence(scene.rule.pk, anna.pk, f"order:{order.pk}"), Occurrence(scene.rule.pk, boris.pk, "order:0")]

    with CaptureQueriesContext(connection) as statements:
        found = grants.existing(occurrences=asked, order_ids=[order.pk])

    assert len(statements) == 1
    assert found.occurrences == {asked[0]}
    (held,) = found.of_orders
    assert (held.reward_id, held.status, held.given, held.balance) == (paid, "granted", 100, 100)
    assert held.grant_posting_id == Posting.objects.get().pk


def test_nothing_is_taken_from_a_reward_that_has_changed_since_it_was_read(scene, anna):
    order = scene.order(anna)
    reward_id = scene.owe(anna, status="flagged", order_id=order.pk)
    held = grants.existing(occurrences=[], order_ids=[order.pk]).of_orders[0]
    release(reward_id)

    with transaction(), pytest.raises(RewardChanged), savepoint():
        grants.write(new=[scene.new(anna)], taken=[TakeBack(held, replace(held, reversed=100, status="cancelled"))])

    assert Reward.objects.get().status == "granted"


# Refunds


def test_a_refund_of_what_was_paid_is_posted_once(scene, anna):
    order = scene.order(anna)
    scene.owe(anna, status="granted", order_id=order.pk)

    refund(order, 5_000)
    again = refund(order, 5_000)

    assert again == []
    assert balance_of(anna) == 50
    taken = Posting.objects.get(reason="refund")
    assert (taken.amount, taken.reverses) == (50, Posting.objects.get(reason="grant"))
    assert ledger.verify() == []


def test_a_refund_of_what_is_pending_leaves_less_to_pay(scene, anna):
    order = scene.order(anna)
    reward_id = scene.owe(anna, order_id=order.pk, matures_at=LATER)

    refund(order, 2_500)
    mature(at=LATER)

    assert status_of(reward_id) == "granted"
    assert balance_of(anna) == 75
    assert ledger.verify() == []


def test_what_is_spent_is_lost_and_said_so(scene, anna):
    order = scene.order(anna)
    reward_id = scene.owe(anna, status="granted", order_id=order.pk)
    other = scene.owe(anna, status="granted", given=10, order_id=(spent := scene.order(anna)).pk)
    refund(spent, 10_000, refund_id="spent")
    with transaction():
        ledger.post(moves=[ledger.Move("spent", "refund", anna.pk, scene.points.pk, -70, other)], at=NOON)

    refund(order, 10_000, refund_id="2")

    reward = Reward.objects.get(pk=reward_id)
    assert (reward.status, reward.reversed, reward.lost) == ("reversed", 30, 70)
    assert balance_of(anna) == 0


# Moderation


def test_releasing_pays(scene, anna):
    reward_id = scene.owe(anna, status="flagged")

    (moved,) = release(reward_id, at=LATER)

    assert (moved.id, moved.status, moved.amount) == (reward_id, "granted", 100)
    assert Reward.objects.get().granted_at == LATER
    assert posted() == [(f"reward:{reward_id}:grant:1", 100)]
    assert balance_of(anna) == 100


@pytest.mark.parametrize(
    ("ahead", "status"), [(timedelta(), "granted"), (timedelta(microseconds=1), "pending"), (timedelta(14), "pending")]
)
def test_both_clocks_must_be_clear(scene, anna, ahead, status):
    reward_id = scene.owe(anna, status="flagged", matures_at=NOON + ahead)

    release(reward_id, at=NOON)

    assert status_of(reward_id) == status
    assert balance_of(anna) == (100 if status == "granted" else 0)


def test_releasing_again_does_nothing_more(scene, anna):
    reward_id = scene.owe(anna, status="flagged")
    release(reward_id)

    assert release(reward_id) == []
    assert balance_of(anna) == 100


def test_a_flagged_reward_that_was_refunded_in_part_pays_the_rest(scene, anna):
    order = scene.order(anna)
    reward_id = scene.owe(anna, status="flagged", order_id=order.pk)
    refund(order, 5_000)

    release(reward_id)

    assert balance_of(anna) == 50
    assert ledger.verify() == []


def test_a_reward_cancelled_meanwhile_is_left_alone(scene, anna, boris):
    order = scene.order(anna)
    cancelled, flagged = scene.owe(anna, status="flagged", order_id=order.pk), scene.owe(boris, status="flagged")
    refund(order, 10_000)

    assert [each.id for each in release(cancelled, flagged)] == [flagged]
    assert (balance_of(anna), balance_of(boris)) == (0, 100)


def test_rejecting_pays_nothing(scene, anna):
    reward_id = scene.owe(anna, status="flagged")

    (moved,) = reject(reward_id)

    assert (moved.status, status_of(reward_id)) == ("rejected", "rejected")
    assert not Posting.objects.exists()
    assert release(reward_id) == []


def test_what_was_never_flagged_cannot_be_rejected(scene, anna):
    reward_id = scene.owe(anna, status="granted")

    assert reject(reward_id) == []
    assert status_of(reward_id) == "granted"


def test_undoing_a_release_posts_back(scene, anna):
    reward_id = scene.owe(anna, status="flagged")
    release(reward_id)

    (moved,) = reopen(reward_id, decision=7)

    assert (moved.status, moved.amount) == ("flagged", 100)
    assert balance_of(anna) == 0
    grant, back = Posting.objects.order_by("id")
    assert (back.key, back.reverses) == (f"reward:{reward_id}:undo:7", grant)
    assert Reward.objects.get().granted_at is None
    assert ledger.verify() == []


def test_what_was_undone_can_be_released_again(scene, anna):
    reward_id = scene.owe(anna, status="flagged")
    release(reward_id)
    reopen(reward_id, decision=7)

    release(reward_id)
    reopen(reward_id, decision=9)
    release(reward_id)

    assert [key.partition(f"reward:{reward_id}:")[2] for key, _amount in posted()] == [
        "grant:1",
        "undo:7",
        "grant:2",
        "undo:9",
        "grant:3",
    ]
    assert balance_of(anna) == 100
    assert ledger.verify() == []


@pytest.mark.parametrize("decide", [release, reject])
def test_undoing_what_was_not_paid_posts_nothing(scene, anna, decide):
    reward_id = scene.owe(anna, status="flagged", matures_at=LATER)
    decide(reward_id)

    reopen(reward_id)

    assert status_of(reward_id) == "flagged"
    assert not Posting.objects.exists()


def test_a_decision_about_what_is_spent_cannot_be_undone(scene, anna):
    reward_id = scene.owe(anna, status="flagged")
    release(reward_id)
    with transaction():
        ledger.post(moves=[ledger.Move("spent", "refund", anna.pk, scene.points.pk, -1, reward_id)], at=NOON)

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        releases.reopen(reward_ids=[reward_id], decision=7, at=NOON)

    assert status_of(reward_id) == "granted"
    assert balance_of(anna) == 99


def test_a_decision_is_not_undone_where_a_part_is_lost(scene, anna):
    order = scene.order(anna)
    reward_id = scene.owe(anna, status="flagged", order_id=order.pk)
    release(reward_id)
    other = scene.owe(anna, status="granted", given=1)
    with transaction():
        ledger.post(moves=[ledger.Move("spent", "refund", anna.pk, scene.points.pk, -101, other)], at=NOON)
    refund(order, 5_000)

    with transaction(), pytest.raises(NotReopenable), savepoint():
        releases.reopen(reward_ids=[reward_id], decision=7, at=NOON)

    assert status_of(reward_id) == "granted"


def test_a_rejected_reward_whose_order_was_refunded_is_not_flagged_again(scene, anna):
    order = scene.order(anna)
    reward_id = scene.owe(anna, status="flagged", order_id=order.pk)
    reject(reward_id)
    refund(order, 10_000)

    assert reopen(reward_id) == []
    assert status_of(reward_id) == "rejected"


# Maturing


def test_what_is_mature_is_paid_the_oldest_first(scene, anna):
    late = scene.owe(anna, matures_at=LATER)
    newer = scene.owe(anna, matures_at=NOON)
    older = scene.owe(anna, matures_at=NOON - timedelta(days=1))

    assert [each.id for each in mature(limit=1, at=NOON)] == [older]
    assert [each.id for each in mature(at=NOON)] == [newer]
    assert mature(at=NOON) == []

    assert [status_of(each) for each in (late, newer, older)] == ["pending", "granted", "granted"]
    assert balance_of(anna) == 200


def test_a_flag_never_lapses_into_payment(scene, anna):
    reward_id = scene.owe(anna, status="flagged", matures_at=NOON - timedelta(days=365))

    assert mature(at=NOON) == []
    assert status_of(reward_id) == "flagged"
    assert balance_of(anna) == 0


def test_maturing_takes_four_statements_for_any_number(scene, anna):
    event = scene.event()
    write([scene.new(anna, event_id=event.pk) for _ in range(50)])

    with transaction(), CaptureQueriesContext(connection) as statements:
        releases.release_matured(limit=100, at=NOON)

    assert len(statements) == 4
    assert balance_of(anna) == 50 * 100


# Races


@pytest.mark.django_db(transaction=True)
def test_two_releases_at_once_pay_once(scene, anna):
    reward_id = scene.owe(anna, status="flagged")

    results = race(*[lambda: len(releases.release(reward_ids=[reward_id], at=NOON))] * 4)

    assert sorted(results) == [0, 0, 0, 1]
    assert balance_of(anna) == 100
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_rejection_at_once_are_one_decision(scene, anna):
    reward_id = scene.owe(anna, status="flagged")

    released, rejected = race(
        lambda: len(releases.release(reward_ids=[reward_id], at=NOON)),
        lambda: len(releases.reject(reward_ids=[reward_id])),
    )

    assert sorted([released, rejected]) == [0, 1]
    assert status_of(reward_id) == ("granted" if released else "rejected")
    assert balance_of(anna) == (100 if released else 0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_mature_each_reward_once(scene, anna, boris):
    for n in range(40):
        scene.owe([anna, boris][n % 2])

    results = race(*[lambda: len(releases.release_matured(limit=30, at=NOON))] * 4)

    assert all(isinstance(each, int) for each in results)
    mature()
    assert (balance_of(anna), balance_of(boris)) == (2_000, 2_000)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_two_undos_at_once_post_back_once(scene, anna):
    reward_id = scene.owe(anna, status="flagged")
    release(reward_id)

    results = race(
        lambda: len(releases.reopen(reward_ids=[reward_id], decision=7, at=NOON)),
        lambda: len(releases.reopen(reward_ids=[reward_id], decision=8, at=NOON)),
    )

    assert sorted(results) == [0, 1]
    assert balance_of(anna) == 0
    assert ledger.verify() == []


def test_one_occurrence_is_rewarded_once_whoever_writes(scene, anna):
    new = scene.new(anna, occurrence="order:1001", status="granted")
    (reward_id,) = write([new])
    with transaction():
        pay(reward_id, anna, 100)

    with pytest.raises(IntegrityError) as broken, transaction(), savepoint():
        Reward.objects.create(**{name: getattr(new, name) for name in new._fields})

    assert conflict_of(broken.value) == "reward_once_an_occurrence"
