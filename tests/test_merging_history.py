"""Whatever two people have done before they turn out to be one, and do after: no unit appears or disappears."""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from core.db import savepoint, transaction
from members import merging
from rewards import ledger
from rewards.models import Account, Entitlement, Redemption, Reward
from rewards.tests.stage import Stage
from rewards.tests.test_conservation import POLICIES, VERBS, Undone, World, play

pytestmark = pytest.mark.django_db

MERGE = ("merge", 0, 0)


# Truly random, as there: most of these verbs need others before them.
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=True))
def test_any_two_histories_become_one(acme, rng):
    before = [(rng.choice(VERBS), rng.randint(0, 3), rng.randint(1, 999)) for _nth in range(12)]
    after = [(rng.choice(VERBS), rng.randint(0, 3), rng.randint(1, 999)) for _nth in range(6)]
    history = [("earn", 2, rng.randint(1, 499) * 2), ("earn", 2, rng.randint(1, 499) * 2 - 1), *before, MERGE, *after]
    policy, may_owe = rng.choice(POLICIES), rng.choice([True, False])
    note(f"{policy}, {may_owe}: {history}")

    with pytest.raises(Undone), transaction(), savepoint():
        play(Pair(policy, may_owe=may_owe), history)


@pytest.mark.parametrize(
    ("policy", "history"),
    [
        ("debt", [("earn", 2, 901), ("reserve", 0, 9), ("capture", 0, 10), ("refund", 0, 999), MERGE, ("earn", 2, 9)]),
        ("debt", [("earn", 2, 900), ("reserve", 0, 10), ("refund", 0, 998), ("earn", 2, 99), MERGE, ("let_go", 0, 1)]),
        ("to_zero", [("earn", 2, 301), ("buy", 0, 1), MERGE, ("expire", 3, 1), ("cancel", 0, 1), ("expire", 0, 1)]),
        ("to_zero", [("adjust", 0, 999), ("prepare", 0, 1), MERGE, ("fail_payout", 0, 1), ("prepare", 0, 2)]),
        ("to_zero", [("earn", 1, 99), ("earn", 0, 98), MERGE, ("mature", 0, 1), ("reject", 0, 1), ("refund", 0, 998)]),
    ],
    ids=[
        "whose debt it was",
        "set aside and owed",
        "bought and called off",
        "a payout that fails",
        "pending and flagged",
    ],
)
def test_these_histories_become_one(acme, policy, history):
    with pytest.raises(Undone), transaction(), savepoint():
        play(Pair(policy, may_owe=policy == "debt"), history)


class Pair(World):
    """Two people who act in turn, odd numbers and even ones, until they are one: each has an order of their own."""

    def __init__(self, policy, *, may_owe):
        scene = Stage()
        self.both = [scene.member("anna"), scene.member("anya")]
        super().__init__(scene, self.both[0], policy, may_owe=may_owe)
        theirs = [(self.order, self.event), (scene.order(self.both[1], amount_minor=1_000), scene.event())]
        self.mine = [{"order": order, "event": event, "refunded": 0} for order, event in theirs]
        self.is_one = False

    def act(self, verb, place, number):
        turn = number % 2
        self.anna = self.both[0] if self.is_one else self.both[turn]
        self.__dict__.update(self.mine[turn])
        super().act(verb, place, number)
        self.mine[turn]["refunded"] = self.refunded

    def merge(self, _place, _number):
        into, away = self.both
        had = together(into, away)
        merging.merge(into=into, away=away, actor_kind="staff", actor="marta", at=self.at)
        self.is_one = True
        assert (together(into), together(away)) == (had, {"points": 0, "rub": 0})
        for model in (Reward, Redemption, Entitlement):
            assert not model.objects.filter(member=away).exists()

    def check(self):
        super().check()
        if self.is_one:
            assert not Account.objects.filter(member=self.both[1]).exclude(balance=0).exists()


def together(*members):
    """Return what several members have, by asset."""
    held = [ledger.balances(member_id=member.pk) for member in members]
    return {code: sum(each.get(code, 0) for each in held) for code in ("points", "rub")}
