"""Rewards issued by hand or by a program: once under a key, granted at once, told, and taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from campaigns.models import Campaign, CampaignVersion
from core.db import transaction
from events.models import Event
from rewards import adjustments, cancelling, entitlements, issuing, ledger, redemptions, statement
from rewards.actors import Actor
from rewards.issuing import Wanted
from rewards.models import Asset, Entitlement, Level, Lot, Posting, Reward, RewardPolicy, Standing
from rewards.tests import gifts
from rewards.tests.stage import NOON
from rewards.tests.units import make_asset
from tenants.staff.models import AuditEntry
from tests.races import race

pytestmark = pytest.mark.django_db

MARTA, SHOP = Actor("staff", "marta"), Actor("key", "shop")


def wanted(member: Any, **columns: Any) -> Wanted:
    usual = {"key": "k-1", "member_id": member.pk, "kind": "points", "what": "", "amount": 50, "reason": "a bad parcel"}
    return Wanted(**{**usual, **columns})


def issue(member: Any, *, actor: Actor = SHOP, at: Any = NOON, **columns: Any) -> Reward:
    with transaction():
        return issuing.issue(wanted=wanted(member, **columns), actor=actor, at=at)


def cancel(reward: Reward, *, reason: str = "a mistake", at: Any = NOON) -> Reward:
    with transaction():
        return cancelling.cancel(reward=reward, reason=reason, actor=MARTA, at=at)


def told(kind: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("data", flat=True))


# Issuing


def test_issues_points_that_can_be_spent_at_once(anna):
    reward = issue(anna)

    assert (reward.status, reward.due, reward.given, reward.occurrence) == ("granted", 50, 50, "key:k-1")
    assert (reward.granted_at, reward.matures_at) == (NOON, NOON)
    assert ledger.balance_of(member_id=anna.pk) == 50
    assert ledger.verify() == []


def test_what_is_issued_belongs_to_a_campaign_of_its_own(anna, boris):
    first, second = issue(anna), issue(boris, key="k-2")

    campaign = Campaign.objects.get(is_builtin=True)
    assert (first.campaign, second.campaign) == (campaign, campaign)
    assert (campaign.status, campaign.rules.get().is_active) == ("active", False)
    version = CampaignVersion.objects.get(campaign=campaign)
    assert (version.number, version.definition["rules"]) == (1, [])


def test_says_who_issued_what_and_why(anna):
    reward = issue(anna, actor=MARTA)

    (issued,), (granted,) = told("reward.issued"), told("reward.granted")
    assert {name: issued[name] for name in ("kind", "what", "amount", "reason", "actor")} == {
        "kind": "points",
        "what": "",
        "amount": 50,
        "reason": "a bad parcel",
        "actor": "marta",
    }
    assert (granted["reward_id"], granted["reason"], granted["actor"]) == (reward.pk, "a bad parcel", "marta")
    assert reward.event == Event.objects.get(kind="reward.issued")
    assert [(each["code"], each["reward_id"]) for each in reward.event.trace] == [("granted", reward.pk)]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == ("marta", "reward.issued", f"reward:{reward.pk}")
    assert entry.changes["reason"] == "a bad parcel"


def test_tells_of_it_as_of_one_that_was_earned(anna):
    reward = issue(anna, actor=MARTA)

    (granted,) = told("reward.granted")
    assert granted == {
        "reward_id": reward.pk,
        "campaign_id": reward.campaign_id,
        "rule_id": reward.rule_id,
        "side": "actor",
        "points": 50,
        "given": 50,
        "kind": "points",
        "what": "",
        "asset": "points",
        "occurrence": reward.occurrence,
        "amount": 50,
        "reason": "a bad parcel",
        "actor": "marta",
    }


@pytest.mark.parametrize("kind", ["discount", "privilege", "content", "product"])
def test_issues_gifts(anna, kind):
    gift = gifts.gift(kind)

    reward = issue(anna, kind=kind, what=gift.code, amount=1)

    given = Entitlement.objects.get()
    assert (given.reward_id, given.gift_id, given.member_id) == (reward.pk, gift.pk, anna.pk)
    assert given.status == ("placed" if kind == "product" else "issued")
    assert not Posting.objects.exists()


def test_what_expires_is_issued_with_its_expiry(anna):
    Asset.objects.filter(code="points").update(expiry="days", expiry_count=10)

    issue(anna)

    assert (Lot.objects.get().expires_at - NOON).days == 10


def test_the_same_request_gives_the_same_reward(anna):
    first = issue(anna)

    again = issue(anna, at=NOON + timedelta(days=1))

    assert (again.pk, again.granted_at) == (first.pk, NOON)
    assert ledger.balance_of(member_id=anna.pk) == 50
    assert (Event.objects.filter(kind="reward.issued").count(), AuditEntry.objects.count()) == (1, 1)


@pytest.mark.parametrize("other", [{"amount": 51}, {"reason": "another"}, {"kind": "spin"}])
def test_a_key_is_for_one_thing(anna, other):
    issue(anna)

    with pytest.raises(redemptions.KeyReused):
        issue(anna, **other)

    assert Reward.objects.count() == 1


def test_a_key_is_for_one_member(anna, boris):
    issue(anna)

    with pytest.raises(redemptions.KeyReused):
        issue(boris)

    assert ledger.balances(member_id=boris.pk) == {}


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"reason": "  "}, "/reason"),
        ({"amount": 0}, "/amount"),
        ({"amount": 10**13}, "/amount"),
        ({"kind": "discount", "what": "nothing", "amount": 1}, "/what"),
        ({"kind": "points", "what": "stars"}, "/what"),
        ({"kind": "car"}, "/kind"),
    ],
)
def test_refuses_what_cannot_be_issued_and_writes_nothing(anna, other, pointer):
    with pytest.raises(issuing.NotIssuable) as refused:
        issue(anna, **other)

    assert refused.value.errors[0]["pointer"] == pointer
    assert not Reward.objects.exists()
    assert not Event.objects.filter(source="sarafan").exists()
    assert not AuditEntry.objects.exists()


def test_a_gift_is_given_one_at_a_time(anna):
    gift = gifts.gift("content")

    with pytest.raises(issuing.NotIssuable):
        issue(anna, kind="content", what=gift.code, amount=2)

    assert not Entitlement.objects.exists()


def test_one_person_of_the_staff_does_not_give_much_alone(anna, boris):
    RewardPolicy.objects.update(four_eyes_from=100)
    issue(anna, actor=MARTA, amount=60)

    with pytest.raises(issuing.NeedsSecondPerson):
        issue(anna, actor=MARTA, key="k-2", amount=40)

    assert ledger.balance_of(member_id=anna.pk) == 60
    issue(boris, actor=MARTA, key="k-3", amount=99)
    issue(anna, actor=SHOP, key="k-4", amount=500)
    issue(anna, actor=MARTA, key="k-5", amount=99, at=NOON + timedelta(days=2))


def test_how_much_is_much_is_counted_in_what_people_call_one(anna):
    RewardPolicy.objects.update(four_eyes_from=100)
    make_asset("cash")

    issue(anna, kind="money", what="cash", actor=MARTA, amount=9_999)
    with pytest.raises(issuing.NeedsSecondPerson):
        issue(anna, kind="money", what="cash", key="k-2", actor=MARTA, amount=1)

    assert ledger.balances(member_id=anna.pk) == {"cash": 9_999}


def test_rewards_and_changes_by_hand_are_counted_together(scene, anna):
    RewardPolicy.objects.update(four_eyes_from=100)

    def adjust(key: str, amount: int, actor: Actor) -> str:
        wish = adjustments.Wish(key, anna.pk, scene.points.pk, amount, "goodwill")
        with transaction():
            return str(adjustments.ask(wish=wish, by=actor, at=NOON).status)

    assert adjust("a-1", 60, MARTA) == "posted"
    with pytest.raises(issuing.NeedsSecondPerson):
        issue(anna, actor=MARTA, amount=40)
    issue(anna, actor=MARTA, amount=39)

    assert adjust("a-2", 1, MARTA) == "waiting"
    assert adjust("a-3", 99, Actor("staff", "anton")) == "posted"
    assert ledger.balance_of(member_id=anna.pk) == 60 + 39 + 99


def test_nobody_gets_more_than_the_largest_balance(scene, anna):
    Asset.objects.filter(code="points").update(balance_max=120)
    scene.owe(anna, status="pending", given=80)

    with pytest.raises(adjustments.BalanceTooLarge):
        issue(anna)

    assert ledger.balance_of(member_id=anna.pk) == 0


# Cancelling


@pytest.mark.parametrize("status", ["pending", "flagged"])
def test_what_is_not_granted_is_called_off(scene, anna, status):
    reward = Reward.objects.get(pk=scene.owe(anna, status=status))

    ended = cancel(reward)

    assert (ended.status, ended.reversed, ended.lost) == ("cancelled", 100, 0)
    assert ledger.balance_of(member_id=anna.pk) == 0


def test_what_is_granted_is_taken_back(anna):
    reward = issue(anna)

    ended = cancel(reward)

    assert (ended.status, ended.reversed, ended.lost) == ("reversed", 50, 0)
    assert ledger.balance_of(member_id=anna.pk) == 0
    back = Posting.objects.latest("pk")
    assert (back.reason, back.amount, back.reverses.reason) == ("refund", 50, "grant")
    (fact,) = told("reward.cancelled")
    assert (fact["reason"], fact["actor"], fact["taken_back"]) == ("a mistake", "marta", 50)
    assert AuditEntry.objects.latest("pk").action == "reward.cancelled"
    assert ledger.verify() == []


def test_what_a_rule_gave_at_once_is_cancelled_at_once(scene, anna, boris):
    event = scene.event()
    given = {"status": "granted", "event_id": event.pk}
    whole = scene.owe(anna, occurrence="order:1", **given)
    part = scene.owe(anna, occurrence="1#order:1", part=1, given=30, **given)
    held = scene.owe(anna, occurrence="2#order:1", part=2, given=7, status="pending", event_id=event.pk)
    others = [scene.owe(boris, occurrence="order:1", **given), scene.owe(anna, occurrence="order:2", **given)]

    ended = cancel(Reward.objects.get(pk=part))

    assert (ended.pk, ended.status, ended.reversed) == (part, "reversed", 30)
    assert [Reward.objects.get(pk=each).status for each in (whole, held)] == ["reversed", "cancelled"]
    assert {Reward.objects.get(pk=each).status for each in others} == {"granted"}
    assert (ledger.balance_of(member_id=anna.pk), ledger.balance_of(member_id=boris.pk)) == (100, 100)
    assert [fact["reward_id"] for fact in told("reward.cancelled")] == [part, whole, held]
    assert cancel(Reward.objects.get(pk=whole)).reversed == 100
    assert len(told("reward.cancelled")) == 3
    assert ledger.verify() == []


def test_what_is_spent_is_lost(anna):
    reward = issue(anna)
    with transaction():
        ledger.post(
            moves=[ledger.Move("away", "adjust", anna.pk, reward.asset_id, -20, other="writeoff", note="for the test")],
            at=NOON,
        )

    ended = cancel(reward)

    assert (ended.status, ended.reversed, ended.lost, ended.lost_why) == ("reversed", 30, 20, "spent")
    assert ledger.balance_of(member_id=anna.pk) == 0
    assert ledger.verify() == []


def test_a_code_that_was_used_is_lost(anna):
    gift = gifts.gift("discount")
    reward = issue(anna, kind="discount", what=gift.code, amount=1)
    with transaction():
        entitlements.mark_used(entitlement=Entitlement.objects.get(), used_for="1001", at=NOON)

    ended = cancel(reward)

    assert (ended.status, ended.reversed, ended.lost, ended.lost_why) == ("reversed", 0, 1, "used")
    assert Entitlement.objects.get().status == "used"


def test_a_code_that_was_not_used_is_cancelled(anna):
    reward = issue(anna, kind="discount", what=gifts.gift("discount").code, amount=1)

    ended = cancel(reward)

    assert (ended.status, ended.reversed, ended.lost) == ("reversed", 1, 0)
    assert (Entitlement.objects.get().status, Entitlement.objects.get().ended_why) == ("cancelled", "a mistake")


def test_the_statement_tells_what_was_done_by_hand(anna):
    cancel(issue(anna))

    with translation.override("en"):
        postings = list(statement.list_postings(member_id=anna.pk).order_by("-pk"))
        lines = list(statement.lines(member_id=anna.pk, postings=postings))
        campaign = Campaign.objects.get(is_builtin=True).name
        assert [line.sentence for line in lines] == [f"Taken back by hand ({campaign})", "Issued by hand: a bad parcel"]


def test_what_is_issued_may_raise_a_level(anna):
    level = Level.objects.create(code="gold", name="Gold", threshold=50)

    issue(anna)

    assert Standing.objects.get(member=anna).level == level


def test_cancelled_twice_is_cancelled_once(anna):
    reward = issue(anna)
    first = cancel(reward)

    again = cancel(reward, reason="once more")

    assert (again.status, again.reversed) == (first.status, first.reversed)
    assert len(told("reward.cancelled")) == 1
    assert ledger.verify() == []


def test_nothing_is_cancelled_without_a_reason(anna):
    reward = issue(anna)

    with pytest.raises(cancelling.NoReason):
        cancel(reward, reason=" ")

    assert Reward.objects.get().status == "granted"
    assert ledger.balance_of(member_id=anna.pk) == 50


def test_what_a_moderator_rejected_cannot_be_cancelled(scene, anna):
    reward = Reward.objects.get(pk=scene.owe(anna, status="rejected"))

    with pytest.raises(cancelling.NotCancellable):
        cancel(reward)

    assert Reward.objects.get().status == "rejected"


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_equal_requests_at_once_one_issues(anna):
    def attempt() -> Reward:
        return issuing.issue(wanted=wanted(anna), actor=SHOP, at=NOON)

    results = race(*[attempt] * 16)

    assert {each.pk for each in results} == {Reward.objects.get().pk}
    assert ledger.balance_of(member_id=anna.pk) == 50
    assert Campaign.objects.filter(is_builtin=True).count() == 1
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_cancelled_by_sixteen_at_once_it_is_taken_back_once(anna):
    reward = issue(anna)

    results = race(*[lambda: cancelling.cancel(reward=reward, reason="x", actor=MARTA, at=NOON)] * 16)

    assert {each.status for each in results} == {"reversed"}
    assert ledger.balance_of(member_id=anna.pk) == 0
    assert Posting.objects.filter(reason="refund").count() == 1
    assert ledger.verify() == []
