from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from core.db import NoTransaction, execute, savepoint, transaction
from rewards import ledger
from rewards.ledger import AlreadyPosted, InsufficientBalance, Move
from rewards.models import Account, Posting
from rewards.tests.stage import NOON
from tests.races import race

pytestmark = pytest.mark.django_db

WITHOUT_REWARD = "Posting about what it follows from, of its member"


@pytest.fixture
def move(scene):
    """Make moves of points without a reward."""

    def make(key, member, amount):
        return Move(key, "grant", member.pk, scene.points.pk, amount)

    return make


@transaction
def post(*moves):
    ledger.post(moves=moves, at=NOON)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def differences():
    """Return what does not add up, except that these tests post without rewards."""
    return [each for each in ledger.verify() if each.what != WITHOUT_REWARD]


def test_issues_to_a_member_who_had_no_account(anna, move):
    post(move("k", anna, 100))

    assert balance_of(anna) == 100
    posting = Posting.objects.get()
    assert (posting.source.kind, posting.target.member, posting.amount, posting.at) == ("issue", anna, 100, NOON)


def test_takes_back_to_the_tenant_s_issue(anna, move):
    post(move("give", anna, 100))
    post(move("back", anna, -30))

    assert balance_of(anna) == 70
    posting = Posting.objects.get(key="back")
    assert (posting.source.member, posting.target.kind, posting.amount) == (anna, "issue", 30)


def test_one_statement_makes_any_number_of_postings(anna, boris, move):
    moves = [move(f"k{n}", [anna, boris][n % 2], n) for n in range(1, 301)]

    with transaction(), CaptureQueriesContext(connection) as statements:
        ledger.post(moves=moves, at=NOON)

    assert len(statements) == 1
    assert balance_of(anna) == sum(range(2, 301, 2))
    assert balance_of(boris) == sum(range(1, 301, 2))
    assert list(Posting.objects.order_by("id").values_list("key", flat=True)) == [m.key for m in moves]
    assert differences() == []


def test_one_more_statement_reads_the_lots_that_something_is_taken_from(anna, boris, move):
    post(move("start", anna, 50))
    moves = [move(f"k{n}", [anna, boris][n % 2], n) for n in range(1, 301)] + [move("back", anna, -40)]

    with transaction(), CaptureQueriesContext(connection) as statements:
        ledger.post(moves=moves, at=NOON)

    assert len(statements) == 2
    assert balance_of(anna) == 50 + sum(range(2, 301, 2)) - 40
    assert balance_of(boris) == sum(range(1, 301, 2))
    assert list(Posting.objects.order_by("id").values_list("key", flat=True)[1:]) == [m.key for m in moves]
    assert differences() == []


def test_what_is_taken_comes_from_what_was_there_before(anna, move):
    post(move("give", anna, 110))

    post(move("more", anna, 100), move("back", anna, -110))

    assert balance_of(anna) == 100
    assert differences() == []


def test_refuses_to_take_what_is_only_given_along_with_it(anna, move):
    post(move("give", anna, 10))

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[move("more", anna, 100), move("back", anna, -11)], at=NOON)

    assert balance_of(anna) == 10
    assert Posting.objects.count() == 1
    assert differences() == []


def test_refuses_to_take_more_than_there_is(anna, move):
    post(move("give", anna, 100))

    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[move("back", anna, -101)], at=NOON)

    assert balance_of(anna) == 100
    assert Posting.objects.count() == 1


def test_refuses_to_take_from_somebody_who_never_had_anything(anna, boris, move):
    with transaction(), pytest.raises(InsufficientBalance), savepoint():
        ledger.post(moves=[move("give", boris, 5), move("back", anna, -1)], at=NOON)

    assert not Posting.objects.exists()
    assert not Account.objects.filter(kind="member").exists()


def test_a_key_is_posted_once(anna, move):
    post(move("k", anna, 100))

    with transaction(), pytest.raises(AlreadyPosted), savepoint():
        ledger.post(moves=[move("k", anna, 100)], at=NOON)

    assert balance_of(anna) == 100


@pytest.mark.django_db(transaction=True)
def test_posts_in_somebody_s_transaction_only(anna, move):
    with pytest.raises(NoTransaction):
        ledger.post(moves=[move("k", anna, 100)], at=NOON)

    assert not Posting.objects.exists()


def test_a_member_has_no_balance_before_the_first_posting(anna):
    assert balance_of(anna) == 0
    assert ledger.balances(member_id=anna.pk) == {}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE rewards_posting SET amount = 1",
        "DELETE FROM rewards_posting",
        "TRUNCATE rewards_posting CASCADE",
    ],
)
def test_what_is_posted_stays(anna, move, sql):
    post(move("k", anna, 100))
    # TRUNCATE says something else while foreign keys wait to be checked at the end.
    execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match="append-only"), transaction(), savepoint():
        execute(sql)

    assert Posting.objects.get().amount == 100


@pytest.mark.parametrize(
    ("sql", "differences"),
    [
        (
            "UPDATE rewards_account SET balance = 90 WHERE kind = 'member'",
            [
                "Sum over all accounts of an asset, points: 0 expected, -10 found",
                "Balance of an account, account {account}: 100 expected, 90 found",
                "Lots of an account, account {account}: 90 expected, 100 found",
            ],
        ),
        (
            "UPDATE rewards_reward SET reversed = 1",
            ["Posted for a reward, reward {reward}: 99 expected, 100 found"],
        ),
        (
            "UPDATE rewards_reward SET status = 'rejected', granted_at = NULL",
            ["Posted for a reward, reward {reward}: 0 expected, 100 found"],
        ),
    ],
)
def test_verify_tells_what_does_not_add_up(scene, anna, sql, differences):
    reward_id = scene.owe(anna, status="granted")
    assert ledger.verify() == []

    execute(sql)

    account = Account.objects.get(kind="member")
    wanted = [each.format(account=account.pk, reward=reward_id) for each in differences]
    assert [str(each) for each in ledger.verify()] == wanted


def test_verify_tells_of_a_posting_without_a_reward(anna, move):
    post(move("k", anna, 100))

    assert [each.what for each in ledger.verify()] == [WITHOUT_REWARD]


@pytest.mark.django_db(transaction=True)
def test_two_who_take_the_last_points_at_once_get_them_once(anna, move):
    post(move("give", anna, 100))

    results = race(
        lambda: ledger.post(moves=[move("first", anna, -60)], at=NOON),
        lambda: ledger.post(moves=[move("second", anna, -60)], at=NOON),
    )

    assert sorted(type(each).__name__ for each in results) == ["InsufficientBalance", "NoneType"]
    assert balance_of(anna) == 40


@pytest.mark.django_db(transaction=True)
def test_moves_in_opposite_order_wait_for_each_other_and_do_not_lock_up(scene, move):
    people = [scene.member(f"member-{n}") for n in range(40)]
    post(*[move(f"give-{each.pk}", each, 100) for each in people])

    def act(name, order, sign):
        moves = [move(f"{name}-{n}-{m.pk}", m, sign if m.pk % 2 else 1) for n in range(5) for m in order]
        return lambda: ledger.post(moves=moves, at=NOON + timedelta(seconds=1))

    results = race(act("a", people, -1), act("b", people[::-1], 1), act("c", people[::-1], -1), act("d", people, 1))

    assert results == [None] * 4
    assert sum(ledger.balances(member_id=each.pk)["points"] for each in people) == 40 * 100 + 20 * 20
