"""Whatever happens to what members have, in whatever order, and twice: no unit appears or disappears."""

from datetime import timedelta

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from campaigns.models import CampaignVersion
from core.db import fetch, savepoint, transaction
from core.errors import Failure
from rewards import adjustments, expiry, grants, ledger, payouts, purchases, releases, reservations
from rewards.actors import Actor
from rewards.grants import TakeBack
from rewards.models import Account, Asset, Gift, Posting, Redemption, Reward, RewardPolicy
from rewards.refunds import Refund, settle
from rewards.tests.stage import NOON

pytestmark = pytest.mark.django_db

STATUSES = ("flagged", "pending", "granted")
ORDER_MINOR = 1_000
VERBS = (
    "earn",
    "earn_more",
    "earn_at_once",
    "earn_at_once",
    "reserve",
    "capture",
    "release",
    "reject",
    "reopen",
    "mature",
    "refund",
    "refund",
    "expire",
    "reserve",
    "capture",
    "let_go",
    "lapse",
    "give_back",
    "buy",
    "cancel",
    "adjust",
    "prepare",
    "pay_out",
    "fail_payout",
)
POLICIES = ("pending_only", "to_zero", "debt")
MAX = Actor("staff", "max")


class Undone(Exception):
    """Ends an example: what it did is rolled back."""


# Truly random: hypothesis likes to repeat itself, and most of these verbs need others before them.
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=True))
def test_any_history_keeps_every_unit(scene, anna, rng):
    history = [("earn", 2, rng.randint(1, 999))]
    history += [(rng.choice(VERBS), rng.randint(0, 3), rng.randint(1, 999)) for _nth in range(14)]
    policy, may_owe = rng.choice(POLICIES), rng.choice([True, False])
    note(f"{policy}, {may_owe}: {history}")

    with pytest.raises(Undone), transaction(), savepoint():
        play(World(scene, anna, policy, may_owe=may_owe), history)


@pytest.mark.parametrize(
    ("policy", "history"),
    [
        ("debt", [("earn", 2, 900), ("reserve", 0, 9), ("capture", 0, 10), ("refund", 0, 999), ("give_back", 0, 5)]),
        ("to_zero", [("earn", 2, 301), ("buy", 0, 1), ("expire", 3, 1), ("cancel", 0, 1), ("expire", 0, 1)]),
        (
            "to_zero",
            [("adjust", 0, 999), ("prepare", 0, 1), ("fail_payout", 0, 1), ("prepare", 0, 2), ("pay_out", 1, 1)],
        ),
        ("pending_only", [("earn", 1, 999), ("earn", 2, 99), ("refund", 0, 500), ("mature", 0, 1), ("refund", 0, 999)]),
    ],
    ids=["spent and refunded into debt", "called off after its day", "paid out in the end", "forgiven"],
)
def test_these_histories_keep_every_unit(scene, anna, policy, history):
    with pytest.raises(Undone), transaction(), savepoint():
        play(World(scene, anna, policy, may_owe=policy == "debt"), history)


def play(world, history):
    for verb, place, number in history:
        world.nth += 1
        if verb == "expire":
            world.at += timedelta(days=place)
        world.act(verb, place, number)
        after = world.seen()
        world.check()
        world.act(verb, place, number)
        # Whatever is done a second time is the same thing, or refused.
        assert (verb, world.seen()) == (verb, after)
    raise Undone


class World:
    def __init__(self, scene, anna, policy, *, may_owe):
        self.scene, self.anna, self.at = scene, anna, NOON
        scene.version = CampaignVersion.objects.create(
            campaign=scene.campaign,
            number=2,
            valid_from=NOON,
            definition={**scene.version.definition, "refund_policy": policy},
        )
        Asset.objects.update(may_owe=may_owe)
        RewardPolicy.objects.update(four_eyes_from=500)
        self.order = scene.order(anna, amount_minor=ORDER_MINOR)
        self.event = scene.event()
        self.money = with_accounts(Asset(code="rub", name="Roubles", kind="money", currency="RUB", scale=2))
        self.mug = Gift.objects.create(
            code="mug",
            kind="product",
            name="Mug",
            asset=scene.points,
            price=70,
            stock=3,
            terms={"needs_address": False},
        )
        self.refunded = 0
        self.nth = 0
        self.asked = {}

    def act(self, verb, place, number):
        try:
            with savepoint():
                getattr(self, verb)(place, number)
        except Failure:
            pass

    # Earning

    def earn(self, place, number, *, percent=100):
        amount = number * percent // 100 or 1
        new = self.scene.new(
            self.anna,
            status=STATUSES[place % 3],
            given=amount,
            order_id=self.order.pk,
            event_id=self.event.pk,
            occurrence=f"order:{self.nth}",
        )
        (reward_id,) = grants.write(new=[new])
        if reward_id and new.status == "granted":
            move = grants.grant_move(
                reward_id=reward_id, member_id=self.anna.pk, asset_id=self.scene.points.pk, amount=amount
            )
            expires_at = self.at + timedelta(days=place) if place else None
            ledger.post(moves=[move._replace(expires_at=expires_at)], at=self.at)

    def earn_at_once(self, _place, number):
        self.earn(2, number)

    def earn_more(self, place, number):
        """Earn on a higher level."""
        self.earn(place, number, percent=150)

    def release(self, place, _number):
        releases.release(reward_ids=self.one_of(Reward, place), at=self.at)

    def reject(self, place, _number):
        releases.reject(reward_ids=self.one_of(Reward, place))

    def reopen(self, place, _number):
        found = Reward.objects.filter(pk__in=self.one_of(Reward, place)).exclude(reasons=[])
        releases.reopen(reward_ids=[each.pk for each in found], decision=self.nth, at=self.at)

    def mature(self, _place, _number):
        releases.release_matured(limit=100, at=self.at)

    def refund(self, _place, number):
        """Refund one more part of the order, as scoring does: the second report of it tells nothing new."""
        refunded = min(ORDER_MINOR, number)
        if refunded <= self.refunded:
            return
        money = Refund(amount_minor=ORDER_MINOR, refunded_minor=refunded)
        balance = ledger.balance_of(member_id=self.anna.pk)
        taken, moves = [], []
        found = grants.existing(occurrences=[], order_ids=[self.order.pk])
        for held in found.of_orders:
            settled = settle(held, refund=money, balance=balance)
            if settled is not None:
                balance = settled.after.balance
                taken.append(TakeBack(settled.before, settled.after))
                if settled.taken:
                    moves.append(grants.refund_move(held=held, amount=settled.taken, refund_id=str(self.nth)))
        grants.write(new=[], taken=taken)
        ledger.post(moves=moves, lots=found.lots, at=self.at)
        self.refunded = refunded

    def expire(self, _place, _number):
        expiry.expire_due.__wrapped__(schema="t_acme", limit=100, at=self.at)

    # Spending

    def reserve(self, _place, number):
        amount = share(ledger.balance_of(member_id=self.anna.pk), number)
        wanted = reservations.Wanted(key=f"reserve:{self.nth}", member_id=self.anna.pk, amount=self.once(amount))
        reservations.reserve(wanted=wanted, actor=MAX, at=self.at)

    def capture(self, place, number):
        for each in self.one_of(Redemption, place, purpose="order"):
            amount = share(Redemption.objects.get(pk=each).amount, number)
            reservations.capture(redemption_id=each, amount=amount, at=self.at)

    def let_go(self, place, _number):
        for each in self.one_of(Redemption, place, purpose="order"):
            reservations.release(redemption_id=each, at=self.at)

    def lapse(self, _place, _number):
        reservations.release_due(schema="t_acme", limit=100, at=self.at + timedelta(days=1))

    def give_back(self, place, number):
        for each in self.one_of(Redemption, place, purpose="order"):
            amount = share(Redemption.objects.get(pk=each).captured, number)
            reservations.give_back(redemption_id=each, amount=amount, key=f"back:{self.nth}", at=self.at)

    def buy(self, _place, _number):
        wanted = purchases.Wanted(key=f"buy:{self.nth}", member_id=self.anna.pk, gift_code="mug")
        purchases.buy(wanted=wanted, actor=MAX, at=self.at)

    def cancel(self, place, _number):
        for each in self.one_of(Redemption, place, purpose="purchase"):
            purchases.cancel(redemption_id=each, reason="Broken.", actor=MAX, at=self.at)

    # By hand

    def adjust(self, place, number):
        asset_id = self.money.pk if place % 2 == 0 else self.scene.points.pk
        amount = -number if place > 1 else number
        wish = adjustments.Wish(f"adjust:{self.nth}", self.anna.pk, asset_id, amount, "By hand.")
        made = adjustments.ask(wish=wish, by=MAX, at=self.at)
        if made.status == "waiting":
            adjustments.confirm(adjustment=made, by=Actor("staff", "marta"), at=self.at)

    def prepare(self, _place, _number):
        payouts.prepare(asset=self.money, key=f"run-{self.nth}", by=MAX, at=self.at)

    def pay_out(self, place, _number):
        for each in self.one_of(Redemption, place, purpose="payout"):
            payouts.settle(redemption=Redemption.objects.get(pk=each), reference="ref", by=MAX, at=self.at)

    def fail_payout(self, place, _number):
        for each in self.one_of(Redemption, place, purpose="payout"):
            payouts.fail(redemption=Redemption.objects.get(pk=each), reason="No such card.", by=MAX, at=self.at)

    def once(self, amount):
        """Return what was asked for the first time, also the second time."""
        return self.asked.setdefault(self.nth, amount)

    # What must hold

    def one_of(self, model, place, **conditions):
        ids = list(model.objects.filter(**conditions).order_by("pk").values_list("pk", flat=True))
        return [ids[place % len(ids)]] if ids else []

    def seen(self):
        """Return all that a second time could change."""
        return [
            list(Account.objects.order_by("pk").values_list("pk", "balance")),
            list(Reward.objects.order_by("pk").values_list("pk", "status", "reversed", "lost")),
            list(Redemption.objects.order_by("pk").values_list("pk", "status", "captured")),
            list(Posting.objects.order_by("pk").values_list("key", flat=True)),
            Gift.objects.get().stock,
        ]

    def check(self):
        # Sums are zero, lots are balances, rewards are posted, what is set aside lies in escrow.
        assert ledger.verify() == []
        assert not Reward.objects.filter(given__lt=F("reversed") + F("lost")).exists()
        assert not Account.objects.filter(may_owe=False, balance__lt=0).exists()
        assert fetch(REVERSED_TWICE) == []
        bought = Redemption.objects.filter(purpose="purchase", status="captured").count()
        assert Gift.objects.get().stock == 3 - bought


def share(amount, number):
    """Return some part of an amount, now and then all of it, or too much."""
    return max(1, amount * (number % 12) // 10)


def with_accounts(asset):
    asset.save()
    for kind in ("issue", "escrow", "spend", "expiry", "writeoff"):
        Account.objects.create(kind=kind, asset=asset)
    return asset


REVERSED_TWICE = """
SELECT reward_id, split_part(key, ':', 4) FROM rewards_posting WHERE reason = 'refund'
GROUP BY 1, 2 HAVING count(*) > 1
UNION ALL
SELECT p.reward_id, 'more than was given' FROM rewards_posting p JOIN rewards_reward r ON r.id = p.reward_id
WHERE p.reason = 'refund' GROUP BY p.reward_id, r.given HAVING sum(p.amount) > r.given
"""
