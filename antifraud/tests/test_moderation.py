"""What a moderator decides, and takes back."""

from datetime import timedelta

import pytest

from antifraud.limits import counters
from antifraud.limits.counters import LimitReached
from antifraud.models import Case, Decision
from antifraud.moderation import deciding
from antifraud.moderation.deciding import AlreadyDecided, NotUndoable
from core.db import transaction
from events.models import Event, Order
from rewards import ledger
from rewards.models import Account, Posting, Reward
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag

LATER = NOON + timedelta(minutes=10)


def statuses() -> list[str]:
    return list(Reward.objects.order_by("pk").values_list("status", flat=True))


def counted() -> list[str]:
    return counters.verify(zone=context.current().time_zone)


def test_both_sides_of_a_referral_stand_in_one_case(case, shop):
    members = set(case.case_rewards.values_list("reward__member_id", flat=True))

    assert members == {shop.id_of("anna"), shop.id_of("boris")}
    assert statuses() == ["flagged", "flagged"]
    assert not Posting.objects.exists()


def test_approving_pays_both_sides(case, shop, max_):
    deciding.approve(case=case, by=max_, note="They are married.", at=NOON)

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)
    case.refresh_from_db()
    assert (case.status, case.decided_by, case.decided_at) == ("approved", max_, NOON)
    assert Decision.objects.get().note == "They are married."
    assert ledger.verify() == []
    assert counted() == []


def test_approving_what_is_not_mature_leaves_it_pending(shop, max_):
    make_campaign(rule={"recipient": "both", "hold_days": 14})
    flag(shop)

    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)

    assert statuses() == ["pending", "pending"]
    assert shop.balance_of("anna") == 0


def test_rejecting_pays_nothing_and_frees_the_budget(shop, max_):
    campaign = make_campaign(rule={"recipient": "both"}, budget_points=200)
    flag(shop)

    deciding.reject(case=Case.objects.get(), by=max_, at=NOON)

    assert statuses() == ["rejected", "rejected"]
    assert shop.balance_of("anna") == 0
    assert counted() == []
    shop.joins("clara", invited_by="anna")
    shop.pays("clara", "500")
    assert sorted(Reward.objects.filter(campaign=campaign).values_list("status", flat=True)) == [
        "granted",
        "granted",
        "rejected",
        "rejected",
    ]


def test_the_second_moderator_is_told_who_decided(case, shop, max_, mia):
    seen_by_mia = Case.objects.get()
    deciding.approve(case=case, by=max_, at=NOON)

    with pytest.raises(AlreadyDecided, match="max"):
        deciding.reject(case=seen_by_mia, by=mia, at=NOON)

    assert statuses() == ["granted", "granted"]
    assert Decision.objects.count() == 1


def test_an_approval_is_undone_by_reversing_postings(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)

    deciding.undo(case=case, by=max_, at=LATER)

    assert statuses() == ["flagged", "flagged"]
    assert shop.balance_of("anna") == 0
    assert Posting.objects.filter(reason="undo", reverses__reason="grant").count() == 2
    case.refresh_from_db()
    assert (case.status, case.decided_by) == ("open", None)
    assert ledger.verify() == []
    assert counted() == []


def test_a_rejection_is_undone_and_can_then_be_approved(case, shop, max_):
    deciding.reject(case=case, by=max_, at=NOON)
    deciding.undo(case=case, by=max_, at=LATER)

    deciding.approve(case=case, by=max_, at=LATER)

    assert shop.balance_of("anna") == 100
    assert list(Decision.objects.order_by("pk").values_list("action", flat=True)) == ["reject", "undo", "approve"]
    assert counted() == []


def test_undoing_a_rejection_counts_nothing_for_what_a_refund_has_used_up(shop, max_):
    make_campaign(rule={"recipient": "both"}, budget_points=1000)
    flag(shop)
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, at=NOON)
    shop.refunds("boris", "500", order=Order.objects.get().number)

    deciding.undo(case=case, by=max_, at=NOON)

    assert statuses() == ["rejected", "rejected"]
    assert counted() == []


def test_what_was_approved_twice_is_paid_once(case, shop, max_):
    for at in (NOON, LATER):
        deciding.approve(case=case, by=max_, at=at)
        deciding.undo(case=case, by=max_, at=at)

    deciding.approve(case=case, by=max_, at=LATER)

    assert shop.balance_of("anna") == 100
    assert ledger.verify() == []


def test_what_is_rejected_after_it_was_paid_is_posted_back_and_not_deleted(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)
    deciding.undo(case=case, by=max_, at=LATER)

    deciding.reject(case=case, by=max_, at=LATER)

    assert statuses() == ["rejected", "rejected"]
    assert list(Posting.objects.order_by("pk").values_list("reason", flat=True)) == [*["grant"] * 2, *["undo"] * 2]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 0)
    assert ledger.verify() == []
    assert counted() == []


def test_a_decision_stands_when_its_minutes_are_over(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)

    with pytest.raises(NotUndoable):
        deciding.undo(case=case, by=max_, at=LATER + timedelta(microseconds=1))

    assert shop.balance_of("anna") == 100


def test_an_open_case_has_nothing_to_undo(case, max_):
    with pytest.raises(NotUndoable):
        deciding.undo(case=case, by=max_, at=NOON)

    assert not Decision.objects.exists()


def test_a_rejection_stands_when_others_have_used_what_it_freed(shop, max_):
    make_campaign(rule={"recipient": "inviter"}, budget_points=100)
    flag(shop)
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, at=NOON)
    shop.joins("clara", invited_by="anna")
    shop.pays("clara", "500")

    with pytest.raises(LimitReached):
        transaction(deciding.undo)(case=case, by=max_, at=LATER)

    case.refresh_from_db()
    assert case.status == "rejected"
    assert shop.balance_of("anna") == 100
    assert counted() == []


def test_an_approval_stands_when_the_points_are_spent(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)
    spend_all(shop, "boris")

    with pytest.raises(NotUndoable, match="boris has spent 100 of 100"):
        deciding.undo(case=case, by=max_, at=LATER)

    case.refresh_from_db()
    assert case.status == "approved"
    assert shop.balance_of("anna") == 100


def test_an_undone_case_cannot_stand_beside_a_new_one_of_the_same_people(case, max_):
    deciding.reject(case=case, by=max_, at=NOON)
    Case.objects.create(group_key=case.group_key, campaign=case.campaign, opened_at=NOON)

    with pytest.raises(NotUndoable):
        transaction(deciding.undo)(case=case, by=max_, at=LATER)

    assert statuses() == ["rejected", "rejected"]


def test_a_reward_that_a_refund_cancelled_is_not_paid_by_approving(shop, campaign, max_):
    shop.joins({"external_id": "anna", "card": "token"})
    shop.joins({"external_id": "boris", "card": "token"}, invited_by="anna")
    shop.pays("boris", "500", order="A-1")
    shop.tells("order.cancelled", "boris", order_id="A-1")

    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)

    assert statuses() == ["cancelled", "cancelled"]
    assert shop.balance_of("anna") == 0


def test_each_decision_is_a_fact_and_stands_in_the_audit_log(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)
    deciding.undo(case=case, by=max_, at=LATER)

    facts = Event.objects.filter(source="sarafan", data__case_id=case.pk).order_by("pk")
    assert list(facts.values_list("kind", flat=True)) == [
        *["reward.approved", "reward.granted"] * 2,
        "case.approved",
        *["reward.reopened"] * 2,
        "case.reopened",
    ]
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "action")) == [
        ("max", "case.approved"),
        ("max", "case.reopened"),
    ]


def test_nobody_but_the_machine_changes_decisions(case, max_):
    deciding.approve(case=case, by=max_, at=NOON)

    with pytest.raises(Exception, match="append-only"):
        Decision.objects.all().delete()


def spend_all(shop: Shop, name: str) -> None:
    # The account is emptied as a purchase would do it.
    Account.objects.filter(member_id=shop.id_of(name)).update(balance=0)
