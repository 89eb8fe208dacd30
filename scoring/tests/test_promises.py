"""A promise: a reward that waits for something that its member has yet to do."""

from datetime import timedelta

import pytest

from antifraud.models import Case
from antifraud.moderation import deciding
from events.models import Event
from rewards import maturing
from rewards.models import Entitlement, Posting, Reward
from rewards.tests.gifts import gift
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# 200 points for signing up, usable on one's first order.
WELCOME = {"trigger": "member.joined", "recipient": "actor", "order_number": "any", "amount_points": 200}
PROMISE = {**WELCOME, "awaits": "order.paid"}


def promise(**rule):
    return make_campaign(rule={**PROMISE, **rule}, budget_points=1_000)


def reward():
    return Reward.objects.order_by("pk").first()


def test_what_is_promised_waits_whatever_its_maturity(shop):
    promise(awaits_days=30)

    joined = shop.joins("boris")

    assert codes_of(joined)[-1:] == ["promised"]
    assert maturing.release_due(schema="t_acme", limit=10, at=NOON + 365 * DAY) == 0
    assert not maturing.is_due(at=NOON + 365 * DAY)
    assert (reward().status, reward().awaits, reward().awaits_until) == ("pending", "order.paid", NOON + 30 * DAY)
    assert not Posting.objects.exists()


def test_the_event_it_waits_for_makes_it_usable_at_once(shop):
    promise()
    shop.joins("boris")
    shop.at = NOON + DAY

    paid = shop.pays("boris", "500")

    (entry, _no_rule) = trace_of(paid)
    assert (entry["outcome"], entry["code"], entry["points"], entry["reward_id"]) == (
        "rewarded",
        "promise_kept",
        200,
        reward().pk,
    )
    assert (reward().status, reward().awaits, reward().granted_at) == ("granted", "", NOON + DAY)
    assert shop.balance_of("boris") == 200


def test_both_the_promise_and_its_keeping_are_told(shop):
    promise()
    joined = shop.joins("boris")
    paid = shop.pays("boris", "500")

    told = Event.objects.filter(kind__startswith="reward.").order_by("pk").values_list("kind", "cause_id")
    assert list(told) == [
        ("reward.pending", joined.pk),
        ("reward.promise_kept", paid.pk),
        ("reward.granted", paid.pk),
    ]
    assert Event.objects.get(kind="reward.pending").data["awaits"] == "order.paid"


def test_it_is_kept_once(shop):
    promise()
    shop.joins("boris")

    codes = [codes_of(shop.pays("boris", "500")) for _ in range(2)]

    assert codes == [["promise_kept", "no_rule"], ["no_rule"]]
    assert shop.balance_of("boris") == 200


def test_what_somebody_else_does_keeps_nobodys_promise(shop):
    promise()
    shop.joins("boris")

    assert codes_of(shop.pays("anna", "500")) == ["no_rule"]
    assert reward().status == "pending"


def test_a_promise_is_not_kept_by_the_event_that_makes_it(shop):
    make_campaign(rule={**PROMISE, "trigger": "order.paid"})

    first, second = (shop.pays("anna", "500") for _ in range(2))

    assert codes_of(first) == ["promised"]
    assert codes_of(second) == ["promise_kept", "promised"]
    assert [each.status for each in shop.rewards_of("anna")] == ["granted", "pending"]
    assert shop.balance_of("anna") == 200


def test_it_is_kept_within_the_batch_in_which_it_was_made(shop):
    promise()
    shop.report("member.joined", "boris")
    paid = shop.report("order.paid", "boris", order_id="1001", amount_minor=100, currency="RUB")

    shop.handle()

    paid.refresh_from_db()
    assert codes_of(paid) == ["promise_kept", "no_rule"]
    assert trace_of(paid)[0]["reward_id"] == reward().pk
    assert (reward().status, shop.balance_of("boris")) == ("granted", 200)


@pytest.mark.parametrize(("late", "code"), [(timedelta(), "promise_kept"), (timedelta(microseconds=1), "no_rule")])
def test_it_holds_until_its_last_instant(shop, late, code):
    promise(awaits_days=30)
    shop.joins("boris")
    shop.at = NOON + 30 * DAY + late

    assert codes_of(shop.pays("boris", "500"))[0] == code


def test_what_was_done_before_it_was_made_does_not_keep_it(shop):
    promise()
    shop.at = NOON + DAY
    shop.joins("boris")

    shop.pays("boris", "500", occurred_at=NOON)

    assert reward().status == "pending"


def test_a_kept_promise_that_is_not_mature_is_pending(shop):
    promise(hold_days=14)
    shop.joins("boris")
    shop.at = NOON + DAY

    paid = shop.pays("boris", "500")

    assert trace_of(paid)[0]["params"] == {"matures_at": (NOON + 14 * DAY).isoformat()}
    assert (reward().status, reward().awaits, shop.balance_of("boris")) == ("pending", "", 0)
    assert maturing.release_due(schema="t_acme", limit=10, at=NOON + 14 * DAY) == 1
    assert shop.balance_of("boris") == 200


def test_a_promised_gift_is_given_when_it_is_kept(shop):
    gift("privilege", code="vip")
    promise(reward_kind="privilege", reward_what="vip", amount_points=1)
    shop.joins("boris")
    assert not Entitlement.objects.exists()

    shop.pays("boris", "500")

    assert [each.status for each in Entitlement.objects.all()] == ["issued"]


def test_several_things_promised_at_once_are_kept_at_once(shop):
    gift("privilege", code="vip")
    promise(extras=[{"kind": "privilege", "what": "vip", "amount": 1}])
    shop.joins("boris")

    paid = shop.pays("boris", "500")

    assert codes_of(paid) == ["promise_kept", "promise_kept", "no_rule"]
    assert [each.status for each in shop.rewards_of("boris")] == ["granted", "granted"]


# Refunds


def test_a_refund_of_the_order_that_promised_cancels_the_promise(shop):
    make_campaign(rule={**PROMISE, "trigger": "order.paid", "awaits": "check_in"}, budget_points=200)
    shop.pays("anna", "500", order="1001")

    shop.cancels("anna", order="1001")

    assert codes_of(shop.tells("check_in", "anna")) == ["no_rule"]
    assert (reward().status, shop.balance_of("anna")) == ("cancelled", 0)
    assert codes_of(shop.pays("anna", "500")) == ["promised"]


@pytest.mark.parametrize(("refund_first", "balance"), [(True, 0), (False, 0)])
def test_a_promise_is_kept_and_refunded_in_one_batch(shop, refund_first, balance):
    make_campaign(rule={**PROMISE, "trigger": "order.paid", "awaits": "check_in"})
    shop.pays("anna", "500", order="1001")
    acts = [("order.cancelled", {"order_id": "1001"}), ("check_in", {})]
    for kind, data in acts if refund_first else acts[::-1]:
        shop.report(kind, "anna", **data)

    shop.handle()

    assert reward().status == ("cancelled" if refund_first else "reversed")
    assert shop.balance_of("anna") == balance


def test_what_is_left_of_a_promise_after_a_refund_in_part_is_kept(shop):
    make_campaign(rule={**PROMISE, "trigger": "order.paid", "awaits": "check_in"})
    shop.pays("anna", "500", order="1001")
    shop.report("order.refunded", "anna", order_id="1001", refund_id="1", amount_minor=12_500)
    shop.report("check_in", "anna")

    shop.handle()

    assert (reward().status, shop.balance_of("anna")) == ("granted", 150)


# Moderation


def test_an_approved_promise_goes_on_waiting(shop, max_):
    make_campaign(rule={"recipient": "inviter", "awaits": "check_in"})
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500")

    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)

    assert (reward().status, reward().awaits) == ("pending", "check_in")
    assert shop.balance_of("zoe") == 0
    shop.tells("check_in", "zoe")
    assert (reward().status, shop.balance_of("zoe")) == ("granted", 100)


def test_a_flagged_promise_that_is_kept_waits_for_its_moderator_alone(shop, max_):
    make_campaign(rule={"recipient": "inviter", "awaits": "check_in"})
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500")

    kept = shop.tells("check_in", "zoe")

    assert (trace_of(kept)[0]["code"], trace_of(kept)[0]["outcome"]) == ("promise_kept", "flagged")
    assert (reward().status, reward().awaits, shop.balance_of("zoe")) == ("flagged", "", 0)
    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)
    assert shop.balance_of("zoe") == 100


# Lapsing


def test_a_promise_lapses_after_its_time_and_frees_what_it_used(shop):
    promise(awaits_days=30)
    make_campaign(name="For ever", rule={**PROMISE, "awaits": "check_in"})
    shop.joins("boris")

    assert maturing.lapse_due(schema="t_acme", limit=10, at=NOON + 30 * DAY) == 0
    assert maturing.lapse_due(schema="t_acme", limit=10, at=NOON + 30 * DAY + DAY) == 1
    assert maturing.lapse_due(schema="t_acme", limit=10, at=NOON + 30 * DAY + DAY) == 0

    assert [each.status for each in shop.rewards_of("boris")] == ["cancelled", "pending"]
    fact = Event.objects.get(kind="reward.cancelled")
    assert (fact.member_id, fact.data["reward_id"], fact.data["points"]) == (shop.id_of("boris"), reward().pk, 200)
    shop.at = NOON + 31 * DAY
    assert codes_of(shop.pays("boris", "500")) == ["no_rule"]


def test_several_things_promised_at_once_lapse_at_once(shop):
    gift("privilege", code="vip")
    promise(awaits_days=1, extras=[{"kind": "privilege", "what": "vip", "amount": 1}])
    shop.joins("boris")

    assert maturing.lapse_due(schema="t_acme", limit=1, at=NOON + 2 * DAY) == 2
    assert [each.status for each in shop.rewards_of("boris")] == ["cancelled", "cancelled"]


def test_what_waits_for_a_moderator_does_not_lapse(shop):
    make_campaign(rule={"recipient": "inviter", "awaits": "check_in", "awaits_days": 1})
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500")

    assert maturing.lapse_due(schema="t_acme", limit=10, at=NOON + 9 * DAY) == 0
    assert reward().status == "flagged"
