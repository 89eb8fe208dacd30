"""What a refund takes back of what was granted: as the campaign said when it gave it."""

from datetime import timedelta

import pytest

from core.db import transaction
from events.models import Event
from rewards import ledger
from rewards.ledger import Move
from rewards.models import Account, Asset, Entitlement, Lot, Posting, Redemption, Reward
from rewards.tests.gifts import gift
from tests.cast import NOON, codes_of, edit, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
DAY = timedelta(days=1)


@transaction
def spends(shop, name, amount):
    """Spend points on something."""
    points = Asset.objects.get(code="points")
    spent = Redemption.objects.create(
        key=f"spent:{next(shop.numbers)}",
        purpose="order",
        member_id=shop.id_of(name),
        asset=points,
        amount=amount,
        captured=amount,
        status="captured",
        created_at=shop.at,
        settled_at=shop.at,
    )
    move = Move(spent.key, "spend", spent.member_id, points.pk, -amount, other="spend", redemption_id=spent.pk)
    ledger.post(moves=[move], at=shop.at)


def state():
    reward = Reward.objects.order_by("pk").first()
    return reward.status, reward.reversed, reward.lost, reward.lost_why


def lots():
    return list(Lot.objects.order_by("pk").values_list("remaining", flat=True))


# Only what is pending


def test_what_was_granted_is_forgiven(shop):
    make_campaign(rule=EACH_ORDER, refund_policy="pending_only", budget_points=100)
    shop.pays("anna", "500", order="1001")

    refunded = shop.refunds("anna", "250", order="1001")

    assert codes_of(refunded) == ["not_taken_back"]
    assert trace_of(refunded)[0]["params"] == {"lost": 50, "lost_why": "forgiven"}
    assert state() == ("granted", 0, 50, "forgiven")
    assert shop.balance_of("anna") == 100
    shop.cancels("anna", order="1001")
    assert state() == ("reversed", 0, 100, "forgiven")
    assert (shop.balance_of("anna"), Posting.objects.count()) == (100, 1)


def test_what_is_pending_is_cancelled_whatever_the_policy(shop):
    make_campaign(rule={**EACH_ORDER, "hold_days": 14}, refund_policy="pending_only")
    shop.pays("anna", "500", order="1001")

    assert codes_of(shop.cancels("anna", order="1001")) == ["refunded"]
    assert state() == ("cancelled", 100, 0, "")


# Down to zero


def test_what_is_spent_is_lost(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 70)

    refunded = shop.cancels("anna", order="1001")

    assert codes_of(refunded) == ["refunded"]
    assert trace_of(refunded)[0]["params"] == {"lost": 70, "lost_why": "spent"}
    assert state() == ("reversed", 30, 70, "spent")
    assert (shop.balance_of("anna"), lots()) == (0, [0])


def test_what_was_spent_and_what_was_earned_are_two_things(shop):
    """Points spent on an order that comes back are their own story: a refund of it takes what it earned."""
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 40)
    shop.pays("anna", "500", order="1002")

    shop.cancels("anna", order="1002")

    assert shop.balance_of("anna") == 60
    assert lots() == [60, 0]


# Into debt


@pytest.fixture
def owed(shop):
    Asset.objects.filter(code="points").update(may_owe=True)


def test_all_of_it_is_taken_and_later_earnings_pay_the_debt(shop, owed):
    make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 70)

    refunded = shop.cancels("anna", order="1001")

    assert trace_of(refunded)[0]["params"] == {"lost": 0}
    assert state() == ("reversed", 100, 0, "")
    assert (shop.balance_of("anna"), lots()) == (-70, [0])
    shop.pays("anna", "500", order="1002")
    assert (shop.balance_of("anna"), lots()) == (30, [0, 30])


def test_a_debt_of_one_campaign_is_no_loss_for_another(shop, owed):
    make_campaign(name="Debt", rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    make_campaign(name="Zero", rule={**EACH_ORDER, "trigger": "order.paid", "amount_points": 10})
    shop.pays("anna", "500", order="1002")
    spends(shop, "anna", 210)
    shop.cancels("anna", order="1001")

    shop.cancels("anna", order="1002")

    assert shop.balance_of("anna") == -200
    zero = Reward.objects.get(given=10)
    assert (zero.status, zero.reversed, zero.lost, zero.lost_why) == ("reversed", 0, 10, "spent")


def test_what_may_not_be_owed_any_more_is_taken_down_to_zero(shop, owed):
    make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 70)
    Asset.objects.update(may_owe=False)

    shop.cancels("anna", order="1001")

    assert (state(), shop.balance_of("anna")) == (("reversed", 30, 70, "spent"), 0)
    assert not Account.objects.filter(may_owe=True).exists()


def test_the_policy_is_that_of_the_version_that_gave(shop, owed):
    campaign = make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    shop.at = NOON + DAY
    edit(campaign, at=shop.at, refund_policy="pending_only")
    shop.pays("anna", "500", order="1002")

    shop.cancels("anna", order="1001")
    shop.cancels("anna", order="1002")

    assert [(each.reversed, each.lost) for each in Reward.objects.order_by("pk")] == [(100, 0), (0, 100)]
    assert shop.balance_of("anna") == 100


def test_two_refunds_of_one_member_in_a_batch_go_into_one_debt(shop, owed):
    make_campaign(rule=EACH_ORDER, refund_policy="debt")
    for number in ("1001", "1002"):
        shop.pays("anna", "500", order=number)
    spends(shop, "anna", 150)
    for number in ("1001", "1002"):
        shop.report("order.cancelled", "anna", order_id=number)

    shop.handle()

    assert (shop.balance_of("anna"), lots()) == (-150, [0, 0])


# Gifts


def give(kind, *, terms=None, **columns):
    gift(kind, code="it", terms=terms)
    make_campaign(rule={**EACH_ORDER, "reward_kind": kind, "reward_what": "it", "amount_points": 1}, **columns)


def test_a_gift_that_nobody_has_seen_is_taken_back(shop):
    give("content")
    shop.pays("anna", "500", order="1001")

    refunded = shop.cancels("anna", order="1001")

    assert codes_of(refunded) == ["refunded"]
    assert state() == ("reversed", 1, 0, "")
    assert Entitlement.objects.get().status == "cancelled"
    assert not Posting.objects.exists()


@pytest.mark.parametrize(
    ("kind", "columns", "why"),
    [
        ("content", {"shown_at": NOON}, "shown"),
        ("discount", {"status": "used", "used_at": NOON}, "used"),
        ("product", {"status": "sent"}, "sent"),
        ("product", {"status": "delivered"}, "sent"),
    ],
)
def test_what_is_out_of_reach_is_lost_and_said_why(shop, kind, columns, why):
    give(kind)
    shop.pays("anna", "500", order="1001")
    Entitlement.objects.update(**columns)
    was = Entitlement.objects.get().status

    refunded = shop.cancels("anna", order="1001")

    assert codes_of(refunded) == ["not_taken_back"]
    assert trace_of(refunded)[0]["params"] == {"lost": 1, "lost_why": why}
    assert state() == ("reversed", 0, 1, why)
    assert Entitlement.objects.get().status == was
    fact = Event.objects.get(kind="reward.taken_back")
    assert (fact.data["given"], fact.data["lost"], fact.data["lost_why"]) == (0, 1, why)


@pytest.mark.parametrize("kind", ["discount", "privilege"])
def test_what_still_has_to_be_used_is_taken_back_though_it_was_seen(shop, kind):
    give(kind)
    shop.pays("anna", "500", order="1001")
    Entitlement.objects.update(shown_at=NOON)

    shop.cancels("anna", order="1001")

    assert state() == ("reversed", 1, 0, "")
    assert Entitlement.objects.get().status == "cancelled"


def test_a_gift_is_forgiven_where_only_what_is_pending_is_taken(shop):
    give("privilege", refund_policy="pending_only")
    shop.pays("anna", "500", order="1001")

    shop.cancels("anna", order="1001")

    assert state() == ("reversed", 0, 1, "forgiven")
    assert Entitlement.objects.get().status == "issued"


def test_a_part_of_the_money_takes_no_part_of_a_gift(shop):
    give("privilege")
    shop.pays("anna", "500", order="1001")

    refunded = shop.refunds("anna", "499", order="1001")

    assert codes_of(refunded) == ["nothing_to_take_back"]
    assert state() == ("granted", 0, 0, "")


# Thresholds


FROM_300 = {"field": "amount_minor", "operator": "at_least", "value": 30_000}
MUG = {"field": "items.sku", "operator": "equals", "value": "MUG"}
TWO = {"field": "items.count", "operator": "at_least", "value": 2}
SITE = {"field": "channel", "operator": "equals", "value": "site"}
ITEMS = [{"sku": "MUG", "quantity": 1}, {"sku": "CUP", "quantity": 2}]


def test_an_order_that_falls_below_its_threshold_loses_the_whole_reward(shop):
    make_campaign(rule={**EACH_ORDER, "conditions": [FROM_300]})
    shop.pays("anna", "500", order="1001")

    enough = shop.refunds("anna", "200", order="1001", refund="1")
    below = shop.refunds("anna", "0.01", order="1001", refund="2")

    assert codes_of(enough) + codes_of(below) == ["refunded", "below_threshold"]
    assert (trace_of(enough)[0]["points"], trace_of(below)[0]["points"]) == (40, 60)
    assert (state(), shop.balance_of("anna")) == (("reversed", 100, 0, ""), 0)
    assert codes_of(shop.refunds("anna", "1", order="1001", refund="3")) == ["nothing_to_take_back"]


def test_it_is_so_for_what_is_pending_and_for_gifts(shop):
    make_campaign(rule={**EACH_ORDER, "conditions": [FROM_300], "hold_days": 14})
    gift("privilege", code="vip")
    vip = {"reward_kind": "privilege", "reward_what": "vip", "amount_points": 1}
    make_campaign(rule={**EACH_ORDER, **vip, "conditions": [FROM_300]})
    shop.pays("anna", "500", order="1001")

    below = shop.refunds("anna", "300", order="1001")

    assert codes_of(below) == ["below_threshold", "below_threshold"]
    assert [each.status for each in Reward.objects.order_by("pk")] == ["cancelled", "reversed"]
    assert Entitlement.objects.get().status == "cancelled"


@pytest.mark.parametrize(
    ("condition", "back", "code"),
    [
        (MUG, [{"sku": "MUG", "quantity": 1}], "below_threshold"),
        (MUG, [{"sku": "CUP", "quantity": 2}], "refunded"),
        (TWO, [{"sku": "CUP", "quantity": 1}], "refunded"),
        (TWO, [{"sku": "CUP", "quantity": 2}], "below_threshold"),
        (TWO, [], "refunded"),
    ],
)
def test_a_rule_is_asked_again_about_the_articles_that_are_left(shop, condition, back, code):
    make_campaign(rule={**EACH_ORDER, "conditions": [condition]})
    shop.pays("anna", "500", order="1001", items=ITEMS)

    refunded = shop.tells("order.refunded", "anna", order_id="1001", refund_id="1", amount_minor=10_000, items=back)

    assert codes_of(refunded) == [code]
    assert shop.balance_of("anna") == (0 if code == "below_threshold" else 80)


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_articles_that_come_back_one_after_another_add_up(shop, in_one_batch):
    make_campaign(rule={**EACH_ORDER, "conditions": [TWO]})
    shop.pays("anna", "500", order="1001", items=ITEMS)
    tell = shop.report if in_one_batch else shop.tells

    for refund in "12":
        cup = [{"sku": "CUP", "quantity": 1}]
        last = tell("order.refunded", "anna", order_id="1001", refund_id=refund, amount_minor=100, items=cup)
    shop.handle()

    last.refresh_from_db()
    assert codes_of(last) == ["below_threshold"]


def test_what_else_a_rule_asks_is_not_asked_again(shop):
    member = {"field": "member.orders", "operator": "at_most", "value": 0}
    make_campaign(rule={**EACH_ORDER, "conditions": [FROM_300, SITE, member]})
    shop.pays("anna", "500", order="1001", channel="site")
    shop.pays("anna", "500", order="1002", channel="site")

    assert codes_of(shop.refunds("anna", "100", order="1001")) == ["refunded"]


def test_where_one_of_several_is_enough_the_other_may_hold(shop):
    make_campaign(rule={**EACH_ORDER, "match": "any", "conditions": [FROM_300, SITE]})
    shop.pays("anna", "500", order="1001", channel="site")
    shop.pays("anna", "500", order="1002", channel="shop")

    codes = [codes_of(shop.refunds("anna", "400", order=number)) for number in ("1001", "1002")]

    assert codes == [["refunded"], ["below_threshold"]]


def test_the_threshold_is_that_of_the_version_that_gave(shop):
    campaign = make_campaign(rule={**EACH_ORDER, "conditions": [FROM_300]})
    shop.pays("anna", "500", order="1001")
    shop.at = NOON + DAY
    edit(campaign, at=shop.at, rule={"conditions": [{**FROM_300, "value": 50_000}]})

    assert codes_of(shop.refunds("anna", "100", order="1001")) == ["refunded"]


def test_the_friends_order_below_its_threshold_costs_both_sides_all(shop):
    make_campaign(rule={"recipient": "both", "conditions": [FROM_300]})
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="1001")

    below = shop.refunds("boris", "250", order="1001")

    assert codes_of(below) == ["below_threshold", "below_threshold"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 0)


def test_what_is_below_the_threshold_and_spent_is_lost(shop):
    make_campaign(rule={**EACH_ORDER, "conditions": [FROM_300]})
    shop.pays("anna", "500", order="1001")
    spends(shop, "anna", 100)

    assert codes_of(shop.refunds("anna", "300", order="1001")) == ["not_taken_back"]
    assert state() == ("reversed", 0, 100, "spent")
