from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from core.db import execute, savepoint, transaction
from events.models import Event
from rewards import adjustments, ledger
from rewards.actors import Actor
from rewards.adjustments import AdjustmentDecided, BalanceTooLarge, InvalidAdjustment, NeedsAnother, Wish
from rewards.ledger import InsufficientBalance
from rewards.models import Adjustment, Asset, Lot, Posting, RewardPolicy
from rewards.redemptions import KeyReused
from rewards.tests.stage import NOON
from rewards.tests.units import ANTON, MARTA, make_asset
from tenants.staff.models import AuditEntry
from tests.races import race

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def ask(anna):
    """Ask for a change of Anna's points."""

    @transaction
    def act(amount, *, key="k", reason="goodwill", by=MARTA, at=NOON, asset=None, member=anna):
        asset_id = (asset or Asset.objects.get(code="points")).pk
        return adjustments.ask(wish=Wish(key, member.pk, asset_id, amount, reason), by=by, at=at)

    return act


@transaction
def confirm(adjustment, by=ANTON, at=NOON):
    return adjustments.confirm(adjustment=adjustment, by=by, at=at)


@transaction
def refuse(adjustment, by=ANTON, at=NOON):
    return adjustments.refuse(adjustment=adjustment, by=by, at=at)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def nothing_happened():
    return not Posting.objects.exists() and not Event.objects.filter(kind="balance.adjusted").exists()


# Asked


def test_a_small_change_is_posted_at_once_with_its_reason(anna, ask):
    made = ask(999)

    assert (made.status, made.asked_by, made.decided_by, made.decided_at) == ("posted", "marta", "", NOON)
    posting = Posting.objects.get()
    assert (posting.key, posting.reason, posting.note, posting.source.kind) == (
        f"adjustment:{made.pk}",
        "adjust",
        "goodwill",
        "issue",
    )
    assert balance_of(anna) == 999
    assert ledger.verify() == []


def test_what_is_taken_is_written_off(anna, ask):
    ask(100, key="give")

    ask(-40, key="take")

    assert Posting.objects.get(amount=40).target.kind == "writeoff"
    assert balance_of(anna) == 60
    assert ledger.verify() == []


def test_more_than_there_is_cannot_be_taken(anna, ask):
    ask(30, key="give")

    with pytest.raises(InsufficientBalance):
        ask(-31, key="take")

    assert (balance_of(anna), Adjustment.objects.count()) == (30, 1)


def test_nothing_is_taken_from_whoever_never_had_anything(ask):
    with pytest.raises(InsufficientBalance):
        ask(-1)

    assert nothing_happened()
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize(("amount", "reason"), [(0, "why"), (5, ""), (5, "  "), (10**12 + 1, "why")])
def test_a_change_changes_something_and_says_why(ask, amount, reason):
    with pytest.raises(InvalidAdjustment):
        ask(amount, reason=reason)

    assert nothing_happened()


def test_it_is_told_as_a_fact_and_in_the_audit_log(anna, ask):
    made = ask(5)

    fact = Event.objects.get(kind="balance.adjusted")
    assert (fact.member_id, fact.data) == (
        anna.pk,
        {"adjustment_id": made.pk, "asset": "points", "amount": 5, "reason": "goodwill"},
    )
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor, entry.action, entry.target) == (
        "staff",
        "marta",
        "adjustment.posted",
        f"adjustment:{made.pk}",
    )
    assert (entry.changes["amount"], entry.changes["reason"]) == (5, "goodwill")


def test_what_is_given_expires_as_the_asset_says(anna, ask):
    Asset.objects.filter(code="points").update(expiry="days", expiry_count=30)

    ask(5)

    # Thirty days after 17 March 2026 the last day is 16 April: it ends at midnight in Moscow.
    assert Lot.objects.get().expires_at == datetime(2026, 4, 16, 21, tzinfo=UTC)


# Idempotency


def test_the_same_again_is_the_same_change(anna, ask):
    first, second = ask(5), ask(5, at=NOON + HOUR)

    assert first.pk == second.pk
    assert balance_of(anna) == 5


@pytest.mark.parametrize("other", [{"amount": 6}, {"amount": 5, "reason": "another"}])
def test_a_key_is_not_used_for_another_change(anna, ask, other):
    ask(5)

    with pytest.raises(KeyReused):
        ask(other.pop("amount"), **other)

    assert (balance_of(anna), Adjustment.objects.count()) == (5, 1)


# Two people


@pytest.mark.parametrize("amount", [1000, 5000, -1000])
def test_a_large_change_waits(anna, ask, amount):
    made = ask(amount)

    assert (made.status, made.decided_at) == ("waiting", None)
    assert nothing_happened()
    assert adjustments.count_waiting() == 1
    assert AuditEntry.objects.get().action == "adjustment.asked"


def test_a_second_person_confirms(anna, ask):
    made = ask(1000)

    done = confirm(made, at=NOON + HOUR)

    assert (done.status, done.decided_by, done.decided_at) == ("posted", "anton", NOON + HOUR)
    assert (balance_of(anna), Posting.objects.get().at) == (1000, NOON + HOUR)
    assert ledger.verify() == []


def test_whoever_asked_neither_confirms_nor_refuses(anna, ask):
    made = ask(1000)

    for act in (confirm, refuse):
        with pytest.raises(NeedsAnother):
            act(made, by=MARTA)

    made.refresh_from_db()
    assert made.status == "waiting"
    assert nothing_happened()


def test_the_database_wants_two_people_too(ask):
    made = ask(1000)

    with pytest.raises(IntegrityError, match="adjustment_needs_two_people"), transaction(), savepoint():
        execute(
            "UPDATE rewards_adjustment SET status = 'posted', decided_by = asked_by, decided_at = now() WHERE id = %s",
            [made.pk],
        )


def test_what_is_refused_comes_to_nothing(anna, ask):
    made = ask(1000)

    refuse(made)

    made.refresh_from_db()
    assert (made.status, made.decided_by) == ("refused", "anton")
    assert nothing_happened()
    with pytest.raises(AdjustmentDecided, match="anton"):
        confirm(made, by=Actor("staff", "third"))


def test_without_a_threshold_nothing_waits(anna, ask):
    RewardPolicy.objects.update(four_eyes_from=None)

    assert ask(10**9).status == "posted"


def test_the_threshold_counts_what_people_call_one(ask):
    cash, stars = make_asset("cash"), make_asset("stars", scale=1)

    assert ask(1_250, key="1", asset=cash).status == "posted"
    assert ask(100_000 - 1_250 - 1, key="2", asset=cash).status == "posted"
    assert ask(1, key="3", asset=cash).status == "waiting"
    assert ask(100_000, key="4", asset=cash, by=ANTON).status == "waiting"
    assert ask(9_999, key="5", asset=stars).status == "posted"
    assert ask(-1, key="6", asset=stars).status == "waiting"


def test_cutting_a_change_into_small_ones_does_not_help(anna, boris, ask):
    assert ask(600, key="1").status == "posted"
    assert ask(399, key="2").status == "posted"

    assert ask(1, key="3", at=NOON + HOUR).status == "waiting"
    assert ask(399, key="4", by=ANTON).status == "posted"
    assert ask(399, key="5", member=boris).status == "posted"
    assert ask(1, key="6", asset=make_asset("stars")).status == "posted"
    assert ask(1, key="7", at=NOON + 25 * HOUR).status == "posted"


def test_a_key_asks_under_its_own_name_and_is_no_second_person(ask):
    program = Actor("key", "till (abcd1234)")
    made = ask(1000, by=program)

    assert (made.status, made.asked_by) == ("waiting", "till (abcd1234)")
    with pytest.raises(NeedsAnother):
        confirm(made, by=program)
    assert AuditEntry.objects.get().actor_kind == "key"


def test_what_has_been_spent_meanwhile_cannot_be_taken_any_more(anna, ask):
    ask(900, key="give", by=ANTON)
    made = ask(-1000, key="take")

    with pytest.raises(InsufficientBalance):
        confirm(made)

    made.refresh_from_db()
    assert (made.status, balance_of(anna)) == ("waiting", 900)


# The largest balance


def test_the_largest_balance_counts_what_is_on_hold(scene, anna, ask):
    Asset.objects.filter(code="points").update(balance_max=100)
    scene.owe(anna, status="pending", given=60)
    scene.owe(anna, status="flagged", given=10)

    with pytest.raises(BalanceTooLarge) as refused:
        ask(31, key="too much")
    assert refused.value.extra == {"balance_max": 100, "held": 70}
    assert balance_of(anna) == 0
    ask(30, key="fits")
    assert balance_of(anna) == 30


def test_what_is_taken_needs_no_room(anna, ask):
    ask(50, key="give")
    Asset.objects.filter(code="points").update(balance_max=10)

    ask(-5, key="take")

    assert balance_of(anna) == 45


# Races


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_at_once_one_does(scene, anna):
    points = scene.points.pk
    with transaction():
        made = adjustments.ask(wish=Wish("k", anna.pk, points, 5000, "goodwill"), by=MARTA, at=NOON)
    others = [Actor("staff", f"person-{number}") for number in range(4)]

    results = race(*[lambda by=by: adjustments.confirm(adjustment=made, by=by, at=NOON) for by in others])

    assert sorted(type(each).__name__ for each in results) == ["Adjustment", *["AdjustmentDecided"] * 3]
    assert balance_of(anna) == 5000
    assert Posting.objects.count() == 1
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_changes_once(scene, anna):
    wish = Wish("k", anna.pk, scene.points.pk, 5, "goodwill")

    results = race(*[lambda: adjustments.ask(wish=wish, by=MARTA, at=NOON).pk for _ in range(6)])

    assert len(set(results)) == 1
    assert balance_of(anna) == 5
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_small_ones_at_once_do_not_get_below_the_threshold(scene, anna):
    points = scene.points.pk

    results = race(
        *[
            lambda number=number: (
                adjustments.ask(wish=Wish(f"k{number}", anna.pk, points, 400, "goodwill"), by=MARTA, at=NOON).status
            )
            for number in range(4)
        ]
    )

    assert sorted(results) == ["posted", "posted", "waiting", "waiting"]
    assert balance_of(anna) == 800
