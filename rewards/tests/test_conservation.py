"""Whatever happens to rewards, in whatever order: no unit appears or disappears."""

from itertools import count

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db import savepoint, transaction
from core.errors import Conflict
from rewards import grants, ledger, releases
from rewards.grants import TakeBack
from rewards.models import Account, Reward
from rewards.refunds import Refund, settle
from rewards.tests.stage import NOON, pay

pytestmark = pytest.mark.django_db

STATUSES = ("flagged", "pending", "granted")
rewards = st.tuples(st.sampled_from(STATUSES), st.integers(1, 1_000))
acts = st.tuples(
    st.sampled_from(["release", "reject", "reopen", "mature", "refund", "spend"]),
    st.integers(0, 3),
    st.integers(1, 999),
)


class Undone(Exception):
    """Ends an example: what it did is rolled back."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owed=st.lists(rewards, min_size=1, max_size=4), history=st.lists(acts, max_size=12))
def test_any_history_keeps_every_unit(scene, anna, owed, history):
    with pytest.raises(Undone), transaction(), savepoint():
        play(scene, anna, owed, history)


def play(scene, anna, owed, history):
    order = scene.order(anna, amount_minor=1_000)
    ids = [owe(scene, anna, order, status=status, amount=amount) for status, amount in owed]
    world = World(scene, anna, order, ids)
    for verb, place, number in history:
        world.act(verb, ids[place % len(ids)], number)
        world.check()
    raise Undone


def owe(scene, anna, order, *, status, amount):
    (reward_id,) = grants.write(new=[scene.new(anna, status=status, given=amount, order_id=order.pk)])
    if status == "granted":
        pay(reward_id, anna, amount)
    return reward_id


class World:
    def __init__(self, scene, anna, order, ids):
        self.scene, self.anna, self.order, self.ids = scene, anna, order, ids
        self.numbers = count(1)
        self.refunded = self.spent = 0

    def act(self, verb, reward_id, number):
        try:
            with savepoint():
                getattr(self, verb)(reward_id, number)
        except Conflict:
            pass

    def release(self, reward_id, _number):
        releases.release(reward_ids=[reward_id], at=NOON)

    def reject(self, reward_id, _number):
        releases.reject(reward_ids=[reward_id])

    def reopen(self, reward_id, _number):
        if Reward.objects.get(pk=reward_id).reasons:
            releases.reopen(reward_ids=[reward_id], decision=next(self.numbers), at=NOON)

    def mature(self, _reward_id, number):
        releases.release_matured(limit=number, at=NOON)

    def refund(self, _reward_id, number):
        refunded = min(1_000, self.refunded + number)
        money = Refund(amount_minor=1_000, refunded_minor=refunded)
        balance = ledger.balance_of(member_id=self.anna.pk)
        taken, moves, refund_id = [], [], next(self.numbers)
        for held in grants.existing(occurrences=[], order_ids=[self.order.pk]).of_orders:
            settled = settle(held, refund=money, balance=balance)
            if settled is not None:
                balance = settled.after.balance
                taken.append(TakeBack(settled.before, settled.after))
                moves += [grants.refund_move(held=held, amount=settled.taken, refund_id=str(refund_id))][
                    : settled.taken
                ]
        grants.write(new=[], taken=taken)
        ledger.post(moves=moves, at=NOON)
        self.refunded = refunded

    def spend(self, reward_id, number):
        # There is nothing to spend points on yet; a posting of the member's to the tenant stands for it.
        key = f"spent:{next(self.numbers)}"
        ledger.post(moves=[ledger.Move(key, "undo", self.anna.pk, self.scene.points.pk, -number, reward_id)], at=NOON)
        self.spent += number

    def check(self):
        # What was spent is the only thing that rewards do not account for.
        found = [each for each in ledger.verify() if each.what != "Posted for a reward"]
        assert found == []
        assert not Reward.objects.filter(given__lt=F("reversed") + F("lost")).exists()
        paid = sum(each.given - each.reversed for each in Reward.objects.filter(status__in=["granted", "reversed"]))
        account = Account.objects.filter(member=self.anna).first()
        assert (account.balance if account else 0) == paid - self.spent
