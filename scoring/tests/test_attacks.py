"""What somebody tries who wants more than they are owed."""

from datetime import timedelta

import pytest

from antifraud.models import Case
from antifraud.moderation import deciding
from antifraud.moderation.deciding import NotUndoable
from members.models import Member
from rewards import giving, maturing
from rewards.models import Asset, Entitlement, Level, Reward, Standing
from rewards.tests.gifts import gift
from rewards.tests.units import make_asset
from scoring.tests.test_refund_policies import spends
from tests.cast import NOON, codes_of, edit, make_campaign, trace_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
EACH_ORDER = {"recipient": "actor", "order_number": "any", "amount_points": 100}
PROMISE = {
    "trigger": "member.joined",
    "recipient": "actor",
    "order_number": "any",
    "amount_points": 200,
    "awaits": "order.paid",
}


def state(**which):
    each = Reward.objects.get(**which)
    return each.status, each.reversed, each.lost, each.lost_why


# Limits


def test_what_was_spent_before_the_order_was_cancelled_stays_used_of_the_budget(shop):
    make_campaign(rule=EACH_ORDER, budget_points=250)
    for number in range(3):
        shop.pays("anna", "500", order=f"{number}")
        if shop.balance_of("anna"):
            spends(shop, "anna", 100)
        shop.cancels("anna", order=f"{number}")

    assert codes_of(shop.pays("anna", "500")) == ["budget"]
    assert sum(Reward.objects.values_list("lost", flat=True)) == 200


def test_a_limit_of_one_is_used_up_by_what_was_spent(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "ever", "max_count": 1}])
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 30)
    shop.cancels("anna", order="1001")

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]


def test_a_gift_that_was_seen_is_not_given_again_for_a_second_order(shop):
    gift("content", code="notes")
    make_campaign(
        rule={**EACH_ORDER, "amount_points": 1, "reward_kind": "content", "reward_what": "notes"},
        limits=[{"per": "member", "period": "ever", "max_count": 1}],
    )
    shop.pays("anna", "500", order="1001")
    Entitlement.objects.update(shown_at=NOON)

    shop.cancels("anna", order="1001")

    assert state() == ("reversed", 0, 1, "shown")
    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]


# Batches


@pytest.mark.parametrize("at_once", [True, False])
def test_points_of_the_same_batch_pay_for_a_refund_after_them(shop, at_once):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 100)
    shop.report("order.paid", "anna", order_id="1002", amount_minor=100, currency="RUB")
    if not at_once:
        shop.handle()
    shop.report("order.cancelled", "anna", order_id="1001")

    shop.handle()

    assert state(occurrence="order:1001") == ("reversed", 100, 0, "")
    assert shop.balance_of("anna") == 0


@pytest.mark.parametrize("at_once", [True, False])
def test_a_promise_kept_in_the_same_batch_pays_for_a_refund_after_it(shop, at_once):
    make_campaign(rule=EACH_ORDER)
    make_campaign(name="Welcome", rule={**PROMISE, "awaits": "check_in"})
    shop.joins("boris")
    shop.pays("boris", "500", order="1001")
    spends(shop, "boris", 100)
    shop.report("check_in", "boris")
    if not at_once:
        shop.handle()
    shop.report("order.cancelled", "boris", order_id="1001")

    shop.handle()

    assert state(occurrence="order:1001") == ("reversed", 100, 0, "")
    assert shop.balance_of("boris") == 100


# Promises


def test_a_promise_kept_by_an_order_is_taken_back_with_it(shop):
    make_campaign(rule=PROMISE)
    shop.joins("boris")
    shop.pays("boris", "500", order="1001")

    shop.cancels("boris", order="1001")

    assert state() == ("reversed", 200, 0, "")
    assert shop.balance_of("boris") == 0


def test_a_promise_kept_by_an_order_in_its_own_batch_is_taken_back_with_it(shop):
    make_campaign(rule=PROMISE)
    shop.report("member.joined", "boris")
    shop.report("order.paid", "boris", order_id="1001", amount_minor=100, currency="RUB")
    shop.report("order.cancelled", "boris", order_id="1001")

    shop.handle()

    assert state() == ("reversed", 200, 0, "")
    assert shop.balance_of("boris") == 0


def test_a_flagged_promise_kept_by_an_order_that_is_cancelled_pays_nobody(shop, max_):
    make_campaign(rule={"recipient": "inviter", "awaits": "order.paid"})
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500", order="1001")
    shop.pays("zoe", "500", order="1002")

    shop.cancels("zoe2", order="1001")
    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)

    assert state() == ("cancelled", 100, 0, "")
    assert shop.balance_of("zoe") == 0


def test_what_a_blocked_member_does_keeps_no_promise(shop):
    make_campaign(rule=PROMISE)
    shop.joins("boris")
    Member.objects.filter(pk=shop.id_of("boris")).update(status="blocked")

    paid = shop.pays("boris", "500")

    assert "promise_kept" not in codes_of(paid)
    assert (state()[0], shop.balance_of("boris")) == ("pending", 0)
    Member.objects.filter(pk=shop.id_of("boris")).update(status="active")
    assert codes_of(shop.pays("boris", "500"))[0] == "promise_kept"


def test_an_approved_promise_past_its_end_lapses(shop, max_):
    make_campaign(rule={"recipient": "inviter", "awaits": "check_in", "awaits_days": 1}, budget_points=100)
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500")
    shop.at = NOON + 3 * DAY
    deciding.approve(case=Case.objects.get(), by=max_, at=shop.at)

    assert codes_of(shop.tells("check_in", "zoe")) == ["no_rule"]
    assert maturing.lapse_due(schema="t_acme", limit=10, at=shop.at) == 1
    assert (state()[0], shop.balance_of("zoe")) == ("cancelled", 0)


# Levels


def on_level(name, multiplier_bps, shop):
    level = Level.objects.create(code="low", name="Low", threshold=10**6, multiplier_bps=multiplier_bps)
    Standing.objects.create(member_id=shop.id_of(name), level=level, since=NOON)


def test_an_extra_that_a_level_makes_nothing_of_breaks_nothing(shop):
    make_campaign(rule={**EACH_ORDER, "extras": [{"kind": "points", "what": "", "amount": 1}]})
    on_level("anna", 5_000, shop)

    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["incomplete"]
    assert trace_of(paid)[0]["params"]["why"] == "amount_zero"
    assert paid.status == "handled"
    assert not Reward.objects.exists()


def test_a_level_multiplies_before_the_cap_and_the_largest_balance(shop):
    Asset.objects.filter(code="points").update(balance_max=400)
    make_campaign(
        rule={"recipient": "inviter", "amount_kind": "tiers", "amount_points": None},
        tiers=((1, 100), (2, 200)),
        when_short="cap",
        budget_points=450,
    )
    on_level("anna", 15_000, shop)
    for friend in ("boris", "clara", "dora"):
        shop.joins(friend, invited_by="anna")
        shop.pays(friend, "500")

    assert [(each.due, each.given) for each in shop.rewards_of("anna")] == [(150, 150), (300, 250)]


# Refund policies


def test_a_debt_is_earned_and_refunded_again(shop):
    Asset.objects.filter(code="points").update(may_owe=True)
    campaign = make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 100)
    shop.refunds("anna", "250", order="1001")
    shop.pays("anna", "500", order="1002")
    assert shop.balance_of("anna") == 50
    edit(campaign, at=NOON + DAY, refund_policy="pending_only")
    shop.at = NOON + 2 * DAY

    shop.refunds("anna", "250", order="1001", refund="2")
    shop.cancels("anna", order="1002")

    assert shop.balance_of("anna") == -100
    assert {(each.status, each.reversed, each.lost) for each in shop.rewards_of("anna")} == {("reversed", 100, 0)}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_debt_of_the_batch_is_paid_by_the_batch(shop, at_once):
    Asset.objects.filter(code="points").update(may_owe=True)
    make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 100)
    for kind, data in [
        ("order.paid", {"order_id": "1002", "amount_minor": 100, "currency": "RUB"}),
        ("order.refunded", {"order_id": "1001", "refund_id": "1", "amount_minor": 25_000}),
        ("order.paid", {"order_id": "1003", "amount_minor": 100, "currency": "RUB"}),
        ("order.cancelled", {"order_id": "1001"}),
    ]:
        shop.report(kind, "anna", **data)
        if not at_once:
            shop.handle()

    shop.handle()

    assert state(occurrence="order:1001") == ("reversed", 100, 0, "")
    assert shop.balance_of("anna") == 100


# Moderation


def flagged(shop, **columns):
    make_campaign(**columns)
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    shop.pays("zoe2", "500", order="1001")
    return Case.objects.get()


def test_an_approval_whose_points_paid_a_debt_is_not_undone(shop, max_):
    make_asset("stars")
    Asset.objects.filter(code="points").update(may_owe=True)
    make_campaign(name="Debt", rule=EACH_ORDER, refund_policy="debt")
    case = flagged(shop, name="Friends")
    shop.pays("zoe", "500", order="1002")
    spends(shop, "zoe", 80)
    shop.cancels("zoe", order="1002")
    deciding.approve(case=case, by=max_, at=NOON)
    assert shop.balance_of("zoe") == 20

    with pytest.raises(NotUndoable, match="zoe has spent 80 of 100"):
        deciding.undo(case=case, by=max_, at=NOON)

    assert (Reward.objects.get(campaign__name="Friends").status, shop.balance_of("zoe")) == ("granted", 20)


def test_a_rejection_undone_after_a_refund_in_part_owes_the_rest(shop, max_):
    case = flagged(shop, budget_points=100)
    deciding.reject(case=case, by=max_, at=NOON)
    shop.refunds("zoe2", "250", order="1001")
    deciding.undo(case=case, by=max_, at=NOON)
    deciding.approve(case=case, by=max_, at=NOON)

    assert (state(), shop.balance_of("zoe")) == (("granted", 50, 0, ""), 50)


# Composites


def notes_and_points(**columns):
    gift("content", code="notes")
    extras = [{"kind": "content", "what": "notes", "amount": 1}]
    limits = [{"per": "member", "period": "ever", "max_count": 1}]
    make_campaign(rule={**EACH_ORDER, "extras": extras}, limits=limits, **columns)


def test_a_part_that_was_seen_keeps_the_place_of_all(shop):
    notes_and_points(budget_points=100)
    shop.pays("anna", "500", order="1001")
    Entitlement.objects.update(shown_at=NOON)
    shop.cancels("anna", order="1001")

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    assert [(each.status, each.lost) for each in shop.rewards_of("anna")] == [("reversed", 0), ("reversed", 1)]


def test_what_is_seen_while_it_is_taken_back_keeps_its_place_too(shop, monkeypatch):
    notes_and_points()
    shop.pays("anna", "500", order="1001")
    stop = giving.stop

    def seen_first(**asked):
        Entitlement.objects.update(shown_at=NOON)
        return stop(**asked)

    monkeypatch.setattr(giving, "stop", seen_first)
    shop.cancels("anna", order="1001")

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    assert [(each.status, each.lost) for each in shop.rewards_of("anna")] == [("reversed", 0), ("reversed", 1)]


def test_what_came_back_whole_is_free_again(shop):
    notes_and_points(budget_points=100)
    shop.pays("anna", "500", order="1001")
    shop.cancels("anna", order="1001")

    assert codes_of(shop.pays("anna", "500")) == ["granted", "granted"]
