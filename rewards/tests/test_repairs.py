"""What the release before has posted beside the migration that opened lots gets its lots, and nothing else changes."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import execute, fetch, transaction
from members import people
from rewards import ledger, night, repairs
from rewards.ledger import Move
from rewards.models import Account, Asset, Lot, LotUse, Posting
from rewards.tests.stage import NOON
from rewards.tests.units import has, make_asset
from tenants import context
from tenants.staff.models import AuditEntry
from tests.races import race

pytestmark = pytest.mark.django_db

NIGHT = NOON + timedelta(hours=10)
NUMBERS = count(1)

# As the release before wrote it: a balance, a posting, and no word of lots.
POSTED_BEFORE = """
WITH account AS (
    INSERT INTO rewards_account AS held (kind, member_id, asset_id, balance)
    VALUES ('member', %(member_id)s, %(asset_id)s, greatest(%(amount)s, 0))
    ON CONFLICT (member_id, asset_id) DO UPDATE SET balance = held.balance + %(amount)s
    RETURNING id, asset_id
)
INSERT INTO rewards_posting (key, source_id, target_id, amount, reason, reward_id, reverses_id, at)
SELECT %(key)s, CASE WHEN %(amount)s > 0 THEN issue.id ELSE account.id END,
    CASE WHEN %(amount)s > 0 THEN account.id ELSE issue.id END, abs(%(amount)s), %(reason)s, %(reward_id)s, NULL, %(at)s
FROM account JOIN rewards_account issue ON issue.asset_id = account.asset_id AND issue.kind = 'issue'
"""


@transaction
def before(member, amount, *, reward_id=None, reason="grant", asset=None, at=NOON):
    """Post as the release before did: what it grants or takes back is a reward's."""
    asset_id = (asset or Asset.objects.get(code="points")).pk
    told = {"key": f"before:{next(NUMBERS)}", "reward_id": reward_id, "reason": reason, "at": at}
    execute(POSTED_BEFORE, told | {"member_id": member.pk, "asset_id": asset_id, "amount": amount})


def owed(scene, member, amount=100):
    """Write a reward that the release before has granted, with its posting."""
    reward_id = scene.owe(member, given=amount)
    execute("UPDATE rewards_reward SET status = 'granted', granted_at = %(at)s", {"at": NOON})
    before(member, amount, reward_id=reward_id)
    return reward_id


def taken_back(reward_id, member, amount):
    execute(
        "UPDATE rewards_reward SET reversed = reversed + %(amount)s,"
        " status = CASE WHEN reversed + %(amount)s = given THEN 'reversed' ELSE status END WHERE id = %(id)s",
        {"id": reward_id, "amount": amount},
    )
    before(member, -amount, reward_id=reward_id, reason="refund")


def repair():
    return repairs.repair_all(schema="t_acme", at=NIGHT)


def lots_of(member):
    found = Lot.objects.filter(account__member=member).order_by("pk")
    return [(lot.posting.amount, lot.remaining, lot.expires_at) for lot in found]


def state():
    tables = (Account, Posting, Lot, LotUse)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


def test_what_was_granted_without_a_lot_gets_one(scene, anna, boris):
    owed(scene, anna)
    has(boris, 50, scene.points)
    assert [each.what for each in ledger.verify()] == ["Lots of an account", "Lot of each earning"]

    assert repair() == 1

    assert lots_of(anna) == [(100, 100, None)]
    assert Lot.objects.get(account__member=anna).available_at == NOON
    assert (lots_of(boris), ledger.verify()) == ([(50, 50, None)], [])


def test_what_it_opened_can_be_spent(scene, anna):
    owed(scene, anna)
    repair()

    with transaction():
        ledger.post(moves=[Move("spend", "adjust", anna.pk, scene.points.pk, -70, other="spend", note="x")], at=NIGHT)

    assert (lots_of(anna), ledger.verify()) == ([(100, 30, None)], [])


def test_what_was_granted_and_partly_taken_back_keeps_the_rest(scene, anna):
    taken_back(owed(scene, anna), anna, 40)

    assert repair() == 1

    assert (lots_of(anna), ledger.verify()) == ([(100, 60, None)], [])
    assert list(LotUse.objects.values_list("posting__reason", "amount")) == [("refund", 40)]


def test_what_came_and_went_wholly_has_its_lot_too(scene, anna):
    taken_back(owed(scene, anna), anna, 100)
    assert [each.what for each in ledger.verify()] == ["Lot of each earning"]

    assert repair() == 1

    assert (lots_of(anna), ledger.verify()) == ([(100, 0, None)], [])


def test_what_was_taken_from_an_older_lot_lessens_the_rewards_own(scene, anna):
    has(anna, 30, scene.points)
    reward_id = scene.owe(anna, status="granted", given=100)
    has(anna, 20, scene.points)
    taken_back(reward_id, anna, 100)

    assert repair() == 1

    assert lots_of(anna) == [(30, 30, None), (100, 0, None), (20, 20, None)]
    assert ledger.verify() == []


def test_an_earning_that_paid_a_debt_keeps_what_is_above_it(scene, anna):
    has(anna, -30, scene.points)
    owed(scene, anna, 100)

    assert repair() == 1

    assert (lots_of(anna), ledger.balance_of(member_id=anna.pk)) == ([(100, 70, None)], 70)
    assert ledger.verify() == []


def test_an_earning_that_leaves_a_debt_keeps_nothing(scene, anna):
    has(anna, -300, scene.points)
    owed(scene, anna, 100)

    assert repair() == 1

    assert (lots_of(anna), ledger.balance_of(member_id=anna.pk)) == ([(100, 0, None)], -200)
    assert ledger.verify() == []


def test_each_asset_is_an_account_of_its_own(scene, anna):
    stars = make_asset("stars")
    owed(scene, anna)
    before(anna, 7, asset=stars)

    assert repair() == 2

    assert lots_of(anna) == [(100, 100, None), (7, 7, None)]


def test_a_balance_that_is_not_its_postings_is_left_for_the_alarm(scene, anna, boris):
    owed(scene, anna)
    owed(scene, boris)
    Account.objects.filter(member=anna).update(balance=90)

    assert repair() == 1

    assert (lots_of(anna), lots_of(boris)) == ([], [(100, 100, None)])
    account = Account.objects.get(member=anna)
    assert "Balance of an account" in {each.what for each in ledger.verify()}
    assert {each.subject for each in ledger.verify() if "account" in each.subject} == {f"account {account.pk}"}


def test_a_difference_that_no_posting_explains_is_left_for_the_alarm(scene, anna):
    has(anna, 100, scene.points)
    execute("UPDATE rewards_lot SET remaining = 60")
    was = state()

    assert repair() == 0

    assert (state() == was, AuditEntry.objects.count()) == (True, 0)
    assert [each.what for each in ledger.verify()] == ["Lots of an account", "Lot of each earning"]


def test_once_more_changes_nothing(scene, anna):
    taken_back(owed(scene, anna), anna, 40)
    repair()
    was = state()

    assert repair() == 0

    assert state() == was
    assert AuditEntry.objects.count() == 1


def test_it_is_written_down(scene, anna, boris, caplog):
    taken_back(owed(scene, anna), anna, 40)
    owed(scene, boris, 25)

    repair()

    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.action) == ("system", "lots.repaired")
    assert entry.changes == {"accounts": 2, "lots": 2, "opened": 85, "taken": 40}
    assert [each.message for each in caplog.records] == ["Lots were repaired after an upgrade."]


def test_many_accounts_take_as_many_statements_as_one(scene):
    def statements_for(count):
        members = [scene.member(f"{count}-{nth}") for nth in range(count)]
        for member in members:
            before(member, 10)
        ids = list(Account.objects.filter(member__in=members).values_list("pk", flat=True))
        with transaction(), CaptureQueriesContext(connection) as captured:
            assert repairs.repair(schema="t_acme", account_ids=ids, at=NIGHT) == count
        return len(captured)

    assert statements_for(1) == statements_for(12)


def test_accounts_that_stay_broken_do_not_hold_up_the_next(scene, anna, boris):
    owed(scene, anna)
    owed(scene, boris)
    Account.objects.filter(member=anna).update(balance=90)

    assert repairs.repair_all(schema="t_acme", batch_size=1, at=NIGHT) == 1

    assert lots_of(boris) == [(100, 100, None)]


def test_another_tenants_accounts_stay_as_they_are(scene, anna, bolt):
    owed(scene, anna)
    with context.in_tenant("t_bolt"):
        assert repairs.repair_all(schema="t_bolt", at=NIGHT) == 0

    assert lots_of(anna) == []


def test_the_night_repairs_before_it_expires_anything(scene, anna, acme):
    Asset.objects.update(expiry="idle", expiry_count=1)
    owed(scene, anna)

    assert night.run(schema="t_acme", at=NOON + timedelta(days=5))

    assert (lots_of(anna), ledger.balance_of(member_id=anna.pk)) == ([(100, 0, None)], 0)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_of_many_repairs_at_once_one_opens_the_lot(scene, anna):
    owed(scene, anna)
    (account,) = Account.objects.filter(member=anna)

    results = race(*[lambda: repairs.repair(schema="t_acme", account_ids=[account.pk], at=NIGHT)] * 6)

    assert sorted(results) == [0, 0, 0, 0, 0, 1]
    assert (lots_of(anna), ledger.verify()) == ([(100, 100, None)], [])


@pytest.mark.django_db(transaction=True)
def test_whoever_posts_meanwhile_and_the_repair_wait_for_each_other(scene, anna):
    owed(scene, anna)
    (account,) = Account.objects.filter(member=anna)

    def earn():
        people.lock("t_acme")
        ledger.post(moves=[Move("more", "adjust", anna.pk, scene.points.pk, 5, note="x")], at=NIGHT)

    results = race(lambda: repairs.repair(schema="t_acme", account_ids=[account.pk], at=NIGHT), earn)

    assert results == [1, None]
    assert sorted(lots_of(anna)) == [(5, 5, None), (100, 100, None)]
    assert (ledger.verify(), len(fetch("SELECT FROM rewards_lotuse"))) == ([], 0)
