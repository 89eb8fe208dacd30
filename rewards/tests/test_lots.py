"""Which lots are taken from, and what the ledger makes of it."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError

from core.db import execute, fetch, savepoint, transaction
from rewards import ledger
from rewards.ledger import AlreadyPosted, InsufficientBalance, Move, Settlement
from rewards.lots import OpenLot, Take, Use, allocate
from rewards.models import Account, Lot, LotUse, Posting, Redemption
from rewards.tests.stage import NOON

SOON = NOON + timedelta(days=1)
LATER = NOON + timedelta(days=30)

ANNA, BORIS = (1, 1), (2, 1)


def taken(*takes, lots):
    return allocate(takes=takes, lots=lots, at=NOON)


# Which lot's turn it is


def test_what_expires_first_goes_first():
    lots = [OpenLot(1, ANNA, 10, LATER), OpenLot(2, ANNA, 10, SOON)]

    assert taken(Take("k", ANNA, 15), lots=lots).uses == (Use("k", 2, 10), Use("k", 1, 5))


def test_what_never_expires_goes_last_and_the_oldest_of_it_first():
    lots = [OpenLot(3, ANNA, 10), OpenLot(1, ANNA, 10), OpenLot(4, ANNA, 10, LATER)]

    assert taken(Take("k", ANNA, 25), lots=lots).uses == (Use("k", 4, 10), Use("k", 1, 10), Use("k", 3, 5))


def test_of_what_expires_together_the_oldest_goes_first():
    lots = [OpenLot(2, ANNA, 10, SOON), OpenLot(1, ANNA, 10, SOON)]

    assert taken(Take("k", ANNA, 10), lots=lots).uses == (Use("k", 1, 10),)


def test_what_a_reward_gave_is_taken_back_from_its_own_lot_first():
    lots = [OpenLot(1, ANNA, 10, SOON, 7), OpenLot(2, ANNA, 10, LATER, 8)]

    assert taken(Take("k", ANNA, 15, reward_id=8), lots=lots).uses == (Use("k", 2, 10), Use("k", 1, 5))


def test_what_is_spent_for_a_reward_still_takes_what_expires_first():
    lots = [OpenLot(1, ANNA, 10, SOON, 7), OpenLot(2, ANNA, 10, LATER, 8)]

    assert taken(Take("k", ANNA, 5, reward_id=8, is_spending=True), lots=lots).uses == (Use("k", 1, 5),)


def test_what_has_expired_is_not_spent_and_can_be_taken_back():
    lots = [OpenLot(1, ANNA, 10, NOON), OpenLot(2, ANNA, 10, SOON)]

    spent = taken(Take("k", ANNA, 15, is_spending=True), lots=lots)
    returned = taken(Take("k", ANNA, 15), lots=lots)

    assert (spent.uses, spent.short) == ((Use("k", 2, 10),), {"k": 5})
    assert (returned.uses, returned.short) == ((Use("k", 1, 10), Use("k", 2, 5)), {})


def test_a_lot_that_is_named_is_the_only_one():
    lots = [OpenLot(1, ANNA, 10, SOON), OpenLot(2, ANNA, 10, LATER)]

    found = taken(Take("k", ANNA, 15, lot_id=2), lots=lots)

    assert (found.uses, found.short) == ((Use("k", 2, 10),), {"k": 5})


def test_a_later_take_finds_what_the_earlier_ones_have_left():
    lots = [OpenLot(1, ANNA, 10), OpenLot(2, ANNA, 10)]

    found = taken(Take("first", ANNA, 12), Take("second", ANNA, 12), lots=lots)

    assert found.uses == (Use("first", 1, 10), Use("first", 2, 2), Use("second", 2, 8))
    assert found.short == {"second": 4}


def test_everybody_s_lots_are_their_own():
    lots = [OpenLot(1, ANNA, 10, SOON), OpenLot(2, BORIS, 10)]

    found = taken(Take("k", BORIS, 15), lots=lots)

    assert (found.uses, found.short) == ((Use("k", 2, 10),), {"k": 5})


# The ledger's lots

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_hand(scene):
    """Make moves that need nothing but a note."""

    def make(key, member, amount, **how):
        return Move(key, "adjust", member.pk, scene.points.pk, amount, note="A gift.", **how)

    return make


@pytest.fixture
def redemption(scene, anna):
    return Redemption.objects.create(
        key="r", purpose="order", member=anna, asset=scene.points, amount=20, status="reserved", created_at=NOON
    )


@transaction
def post(*moves, at=NOON):
    ledger.post(moves=moves, at=at)


def spending(redemption, amount, **how):
    return Move(
        "spend", "reserve", redemption.member_id, redemption.asset_id, -amount, other="escrow",
        redemption_id=redemption.pk, **how,
    )  # fmt: skip


def lots_of(member):
    """Return what is left of each earning, by its posting's key."""
    return dict(Lot.objects.filter(account__member=member).order_by("pk").values_list("posting__key", "remaining"))


def uses():
    return list(LotUse.objects.order_by("pk").values_list("posting__key", "lot__posting__key", "amount"))


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def test_each_earning_is_a_lot_with_its_own_expiry(anna, by_hand):
    post(by_hand("a", anna, 100, expires_at=SOON), by_hand("b", anna, 50))

    assert list(Lot.objects.order_by("pk").values_list("posting__key", "remaining", "available_at", "expires_at")) == [
        ("a", 100, NOON, SOON),
        ("b", 50, NOON, None),
    ]
    assert ledger.verify() == []


def test_spending_remembers_which_lots_it_took(anna, by_hand, redemption):
    post(by_hand("old", anna, 100), by_hand("later", anna, 15, expires_at=LATER))
    post(by_hand("soon", anna, 10, expires_at=SOON))

    post(spending(redemption, 20))

    assert uses() == [("spend", "later", 10), ("spend", "soon", 10)]
    assert lots_of(anna) == {"old": 100, "later": 5, "soon": 0}
    assert ledger.verify() == []


def test_nobody_prolongs_points_by_earning_and_returning(scene, anna, by_hand):
    post(by_hand("expiring", anna, 100, expires_at=SOON))
    reward_id = scene.owe(anna)
    give = Move("give", "grant", anna.pk, scene.points.pk, 100, reward_id=reward_id, expires_at=LATER)
    back = Move("back", "refund", anna.pk, scene.points.pk, -100, reward_id=reward_id)

    post(give)
    post(back)

    assert lots_of(anna) == {"expiring": 100, "give": 0}
    assert Lot.objects.get(remaining__gt=0).expires_at == SOON


def test_what_has_expired_cannot_be_spent_before_the_night_has_taken_it(anna, by_hand, redemption):
    post(by_hand("expiring", anna, 100, expires_at=SOON), by_hand("other", anna, 19))

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[spending(redemption, 20)], at=SOON)

    assert lots_of(anna) == {"expiring": 100, "other": 19}
    assert uses() == []


def test_a_debt_is_paid_first_and_the_lot_is_of_the_rest(anna, by_hand):
    post(by_hand("owe", anna, -30, may_owe=True))
    assert balance_of(anna) == -30

    post(by_hand("a", anna, 20), by_hand("b", anna, 25, expires_at=LATER))
    post(by_hand("c", anna, 5))

    assert balance_of(anna) == 20
    assert lots_of(anna) == {"a": 0, "b": 15, "c": 5}
    assert uses() == [("a", "a", 20), ("b", "b", 10)]
    assert ledger.verify() == []


def test_a_debt_made_and_paid_in_one_call_leaves_the_rest(anna, by_hand):
    post(by_hand("start", anna, 10))

    post(by_hand("more", anna, 100), by_hand("back", anna, -60, may_owe=True))

    assert balance_of(anna) == 50
    assert lots_of(anna) == {"start": 0, "more": 50}
    assert ledger.verify() == []


def test_nobody_spends_on_credit_even_if_their_account_may_owe(anna, by_hand, redemption):
    post(by_hand("owe", anna, -30, may_owe=True))
    post(by_hand("a", anna, 49))

    for how in ({}, {"may_owe": True}):
        with transaction(), pytest.raises(InsufficientBalance), savepoint():
            ledger.post(moves=[spending(redemption, 20, **how)], at=NOON)

    assert balance_of(anna) == 19
    assert not Posting.objects.filter(key="spend").exists()


def test_one_lot_cannot_be_taken_into_debt(anna, by_hand):
    post(by_hand("a", anna, 10), by_hand("b", anna, 10))
    lot_id = Posting.objects.get(key="a").pk

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[by_hand("k", anna, -15, lot_id=lot_id, may_owe=True)], at=NOON)

    assert lots_of(anna) == {"a": 10, "b": 10}


def test_whoever_owes_gives_no_more_without_leave(anna, by_hand):
    post(by_hand("owe", anna, -30, may_owe=True))

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[by_hand("k", anna, -1)], at=NOON)

    assert balance_of(anna) == -30
    assert Posting.objects.count() == 1


def test_lots_that_are_known_already_are_not_read_again(anna, by_hand, django_assert_num_queries):
    post(by_hand("a", anna, 10))
    account = (anna.pk, by_hand("a", anna, 1).asset_id)

    with transaction(), django_assert_num_queries(2):
        lots = ledger.open_lots(accounts=[account])
        ledger.post(moves=[by_hand("b", anna, -4)], lots=lots, at=NOON)

    assert lots == [OpenLot(Posting.objects.get(key="a").pk, account, 10)]
    assert lots_of(anna) == {"a": 6}


def test_lots_that_are_known_wrongly_break_a_constraint_and_nothing_is_posted(anna, by_hand):
    post(by_hand("a", anna, 10), by_hand("b", anna, 10))
    with transaction():
        stale = ledger.open_lots(accounts=[(anna.pk, by_hand("a", anna, 1).asset_id)])
    post(by_hand("c", anna, -10))

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[by_hand("d", anna, -5)], lots=stale, at=NOON)

    assert lots_of(anna) == {"a": 0, "b": 10}


def test_only_earning_and_spending_keep_an_account_from_lying_idle(scene, anna, by_hand, redemption):
    post(by_hand("a", anna, 100))
    assert Account.objects.get(member=anna).moved_at is None

    post(spending(redemption, 20), at=SOON)
    post(by_hand("b", anna, -1), at=LATER)

    assert Account.objects.get(member=anna).moved_at == SOON


# What was set aside


def test_what_was_set_aside_is_spent_in_one_statement(anna, by_hand, redemption, django_assert_num_queries):
    post(by_hand("a", anna, 100))
    post(spending(redemption, 20))
    assert ledger.verify() == []
    settlement = Settlement("capture", "spend", redemption.asset_id, 20, redemption.pk)

    with transaction(), django_assert_num_queries(1):
        ledger.settle(settlements=[settlement], at=NOON)
    Redemption.objects.update(status="captured", captured=20, settled_at=NOON)

    posting = Posting.objects.get(key="capture")
    assert (posting.source.kind, posting.target.kind, posting.amount) == ("escrow", "spend", 20)
    assert ledger.verify() == []
    with transaction(), pytest.raises(AlreadyPosted), savepoint():
        ledger.settle(settlements=[settlement], at=NOON)


def test_nothing_to_do_is_no_statement(acme, django_assert_num_queries):
    with transaction(), django_assert_num_queries(0):
        ledger.post(moves=[], at=NOON)
        ledger.settle(settlements=[], at=NOON)


# What does not add up


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        (
            "UPDATE rewards_lot SET remaining = remaining - 1 WHERE remaining > 0",
            [
                "Lots of an account, account {account}: 80 expected, 79 found",
                "Lot of each earning, posting a: 100 expected, 99 found",
            ],
        ),
        (
            "DELETE FROM rewards_lotuse; DELETE FROM rewards_lot",
            [
                "Lots of an account, account {account}: 80 expected, 0 found",
                "Lot of each earning, posting a: 100 expected, -1 found",
            ],
        ),
        (
            "INSERT INTO rewards_lotuse (posting_id, lot_id, amount) SELECT posting_id, posting_id, 1 FROM rewards_lot",
            ["Lot of each earning, posting a: 100 expected, 101 found"],
        ),
        (
            "UPDATE rewards_redemption SET status = 'released', settled_at = now()",
            [
                "Set aside for redemptions, points: 0 expected, 20 found",
                "Spent for a redemption, redemption {redemption}: 0 expected, 20 found",
            ],
        ),
        (
            "UPDATE rewards_redemption SET status = 'returned', captured = 20, settled_at = now()",
            [
                "Given back of a redemption, redemption {redemption}: 20 expected, 0 found",
                "Set aside for redemptions, points: 0 expected, 20 found",
            ],
        ),
        (
            "UPDATE rewards_posting SET note = ''",
            ["Posting about what it follows from, of its member, posting a: 1 expected, 0 found"],
        ),
        (
            "UPDATE rewards_posting SET redemption_id = NULL WHERE key = 'spend'",
            [
                "Posting about what it follows from, of its member, posting spend: 1 expected, 0 found",
                "Spent for a redemption, redemption {redemption}: 20 expected, 0 found",
            ],
        ),
        (
            "UPDATE rewards_posting SET target_id = (SELECT id FROM rewards_account WHERE kind = 'spend'),"
            " reason = 'expire', redemption_id = NULL WHERE key = 'spend'",
            [
                "Posting about what it follows from, of its member, posting spend: 1 expected, 0 found",
                "Set aside for redemptions, points: 20 expected, 0 found",
                "Spent for a redemption, redemption {redemption}: 20 expected, 0 found",
            ],
        ),
        (
            "UPDATE rewards_posting SET source_id = (SELECT id FROM rewards_account WHERE kind = 'writeoff')"
            " WHERE key = 'spend'",
            [
                "Balance of an account, account {account}: 100 expected, 80 found",
                "Posting about what it follows from, of its member, posting spend: 1 expected, 0 found",
                "Posting between accounts of one asset, of a member or from escrow, posting spend: 1 expected, 0 found",
                "Spent for a redemption, redemption {redemption}: 20 expected, 0 found",
                "Sum over all accounts of an asset, points: 0 expected, -20 found",
            ],
        ),
    ],
    ids=["lot", "no-lot", "use", "released", "returned", "note", "orphan", "expiry", "accounts"],
)
def test_verify_tells_what_is_broken(anna, by_hand, redemption, sql, wanted):
    post(by_hand("a", anna, 100))
    post(spending(redemption, 20))
    assert ledger.verify() == []

    with transaction():
        # As if we were a replica: no trigger refuses to change what is append-only.
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET LOCAL session_replication_role = replica")
        execute(sql)

    account = Account.objects.get(member=anna)
    assert sorted(map(str, ledger.verify())) == sorted(
        each.format(account=account.pk, redemption=redemption.pk) for each in wanted
    )


def test_uses_of_lots_stay(anna, by_hand):
    post(by_hand("a", anna, 10))
    post(by_hand("b", anna, -4))
    execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match="append-only"), transaction(), savepoint():
        execute("UPDATE rewards_lotuse SET amount = 1")

    assert uses() == [("b", "a", 4)]


def test_balances_from_before_there_were_lots_get_theirs_from_the_latest_earnings(scene, anna, boris):
    for member, amounts in ((anna, [100, 50, -70, 30]), (boris, [10, -10])):
        reward_id = scene.owe(member)
        for nth, amount in enumerate(amounts):
            reason = "grant" if amount > 0 else "refund"
            post(Move(f"{member.pk}:{nth}", reason, member.pk, scene.points.pk, amount, reward_id=reward_id))
    migration = import_module("rewards.migrations.0005_accounts_and_lots")

    with transaction():
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET LOCAL session_replication_role = replica")
        execute("DELETE FROM rewards_lotuse; DELETE FROM rewards_lot")
        execute(migration.OPEN_LOTS)
        execute(migration.NOTE_USES)

    assert [row.remaining for row in fetch("SELECT remaining FROM rewards_lot ORDER BY posting_id")] == [30, 50, 30, 0]
    assert {each.what for each in ledger.verify()} == {"Posted for a reward"}
