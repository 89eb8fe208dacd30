"""A rejection takes both sides of a referral or one of them, and then the other is settled with it."""

from datetime import timedelta

import pytest

from antifraud.limits import counters
from antifraud.models import Case, Decision, FraudPolicy
from antifraud.moderation import deciding, sides
from antifraud.moderation.deciding import NotUndoable
from antifraud.moderation.sides import NothingToReject, UnknownSides
from events.models import Event
from rewards import ledger
from rewards.models import Account, Posting, Reward
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag

LATER = NOON + timedelta(minutes=5)


def status_of(shop: Shop, name: str) -> list[str]:
    return [reward.status for reward in shop.rewards_of(name)]


def all_is_well() -> bool:
    return ledger.verify() == [] and counters.verify(zone=context.current().time_zone) == []


# What is chosen


@pytest.mark.parametrize(
    ("waiting", "wanted", "policy", "chosen"),
    [
        (["inviter", "invitee"], None, "both", "both"),
        (["inviter", "invitee"], None, "inviter", "inviter"),
        (["inviter", "invitee"], "invitee", "inviter", "invitee"),
        (["inviter", "invitee"], "both", "invitee", "both"),
        # A policy that would let everything go, though somebody pressed "reject", is not followed.
        (["inviter"], None, "invitee", "both"),
        (["invitee"], None, "inviter", "both"),
        (["actor"], None, "inviter", "inviter"),
        ([], None, "inviter", "inviter"),
    ],
)
def test_the_moderator_says_it_or_else_the_policy(waiting, wanted, policy, chosen):
    assert sides.choose(waiting=waiting, wanted=wanted, policy=policy) == chosen


def test_a_side_without_a_reward_cannot_be_rejected():
    with pytest.raises(NothingToReject):
        sides.choose(waiting=["inviter"], wanted="invitee", policy="both")


def test_there_are_no_other_sides():
    with pytest.raises(UnknownSides):
        sides.choose(waiting=["inviter"], wanted="everybody", policy="both")


@pytest.mark.parametrize(("chosen", "spared"), [("both", set()), ("inviter", {"invitee"}), ("invitee", {"inviter"})])
def test_what_is_nobodys_side_is_never_spared(chosen, spared):
    assert {side for side in Reward.Side.values if sides.is_spared(side=side, sides=chosen)} == spared


# What comes of it


def test_rejecting_the_inviter_releases_the_friend_in_the_same_decision(case, shop, max_):
    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)

    assert (status_of(shop, "anna"), status_of(shop, "boris")) == (["rejected"], ["granted"])
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)
    case.refresh_from_db()
    decision = Decision.objects.get()
    assert (case.status, decision.action, decision.sides) == ("rejected", "reject", "inviter")
    assert all_is_well()


def test_rejecting_the_friend_releases_the_inviter(case, shop, max_):
    deciding.reject(case=case, by=max_, sides="invitee", at=NOON)

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 0)
    assert all_is_well()


def test_the_policy_decides_when_the_moderator_does_not(case, shop, max_):
    FraudPolicy.objects.update(on_reject="inviter")

    deciding.reject(case=case, by=max_, at=NOON)

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)
    assert Decision.objects.get().sides == "inviter"


def test_a_policy_that_spares_the_only_reward_does_not_turn_a_rejection_into_a_payment(shop, max_):
    make_campaign(rule={"recipient": "inviter"})
    FraudPolicy.objects.update(on_reject="invitee")
    flag(shop)

    deciding.reject(case=Case.objects.get(), by=max_, at=NOON)

    assert status_of(shop, "anna") == ["rejected"]
    assert Decision.objects.get().sides == "both"


def test_naming_a_side_that_has_no_reward_decides_nothing(shop, max_):
    make_campaign(rule={"recipient": "inviter"})
    flag(shop)
    case = Case.objects.get()

    with pytest.raises(NothingToReject):
        deciding.reject(case=case, by=max_, sides="invitee", at=NOON)

    assert status_of(shop, "anna") == ["flagged"]
    assert Case.objects.get().status == "open"
    assert not Decision.objects.exists()


def test_a_side_that_does_not_exist_decides_nothing(case, shop, max_):
    with pytest.raises(UnknownSides):
        deciding.reject(case=case, by=max_, sides="neither", at=NOON)

    assert (status_of(shop, "anna"), status_of(shop, "boris")) == (["flagged"], ["flagged"])
    assert not Decision.objects.exists()


def test_approving_is_always_of_both_sides(case, shop, max_):
    FraudPolicy.objects.update(on_reject="inviter")

    deciding.approve(case=case, by=max_, at=NOON)

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)
    assert Decision.objects.get().sides == "both"


def test_the_released_side_waits_for_its_hold_like_any_other(shop, max_):
    make_campaign(rule={"recipient": "both", "hold_days": 14})
    flag(shop)

    deciding.reject(case=Case.objects.get(), by=max_, sides="inviter", at=NOON)

    assert (status_of(shop, "anna"), status_of(shop, "boris")) == (["rejected"], ["pending"])
    assert all_is_well()


def test_only_what_is_rejected_gives_its_limit_back(shop, max_):
    campaign = make_campaign(rule={"recipient": "both"}, budget_points=200)
    flag(shop)

    deciding.reject(case=Case.objects.get(), by=max_, sides="inviter", at=NOON)

    shop.joins("clara", invited_by="anna")
    shop.pays("clara", "500")
    going = Reward.objects.filter(campaign=campaign).exclude(status="rejected")
    assert sum(going.values_list("given", flat=True)) == 200
    assert all_is_well()


# And back


def test_a_mixed_decision_is_undone_on_both_sides(case, shop, max_):
    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)

    deciding.undo(case=case, by=max_, at=LATER)

    assert (status_of(shop, "anna"), status_of(shop, "boris")) == (["flagged"], ["flagged"])
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 0)
    assert Posting.objects.get(reason="undo").reverses == Posting.objects.get(reason="grant")
    assert list(Decision.objects.order_by("pk").values_list("action", "sides")) == [
        ("reject", "inviter"),
        ("undo", "inviter"),
    ]
    case.refresh_from_db()
    assert case.status == "open"
    assert all_is_well()


def test_undoing_a_mixed_decision_takes_the_limits_of_what_was_rejected_again_and_of_nothing_else(shop, max_):
    make_campaign(rule={"recipient": "both"}, budget_points=200)
    flag(shop)
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)

    deciding.undo(case=case, by=max_, at=LATER)

    assert all_is_well()
    deciding.approve(case=case, by=max_, at=LATER)
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)
    assert all_is_well()


def test_a_mixed_decision_stands_whole_when_the_released_side_has_spent_it(case, shop, max_):
    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)
    Account.objects.filter(member_id=shop.id_of("boris")).update(balance=40)

    with pytest.raises(NotUndoable, match="boris has spent 60 of 100"):
        deciding.undo(case=case, by=max_, at=LATER)

    assert (status_of(shop, "anna"), status_of(shop, "boris")) == (["rejected"], ["granted"])
    assert Decision.objects.count() == 1


def test_each_side_is_a_fact_of_what_became_of_it(case, shop, max_):
    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)

    told = Event.objects.filter(source="sarafan", data__case_id=case.pk).order_by("pk")
    assert list(told.values_list("kind", "member_id")) == [
        ("reward.approved", shop.id_of("boris")),
        ("reward.granted", shop.id_of("boris")),
        ("reward.rejected", shop.id_of("anna")),
        ("case.rejected", None),
    ]
    (anna,), (boris,) = shop.rewards_of("anna"), shop.rewards_of("boris")
    assert told.get(kind="case.rejected").data == {
        "case_id": case.pk,
        "campaign_id": case.campaign_id,
        "by": "max",
        "sides": "inviter",
        "rewards": {"approved": [boris.pk], "rejected": [anna.pk]},
        "cost_minor": anna.cost_minor + boris.cost_minor,
    }


def test_the_audit_log_tells_whose_reward_was_rejected(case, shop, max_):
    deciding.reject(case=case, by=max_, sides="inviter", note="A farm.", at=NOON)

    (boris,) = shop.rewards_of("boris")
    changes = AuditEntry.objects.get(action="case.rejected").changes
    assert (changes["sides"], changes["approved"], changes["note"]) == ("inviter", [boris.pk], "A farm.")
