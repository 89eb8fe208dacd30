"""What a member reads of each posting, and of what is on its way."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from campaigns.models import Rule
from core.db import transaction
from events.models import Event
from members import people
from rewards import adjustments, cancelling, issuing, ledger, payouts, redemptions, statement, upcoming
from rewards.adjustments import Wish
from rewards.ledger import Move, Settlement
from rewards.models import Asset, Gift, Redemption, Reward
from rewards.tests.stage import NOON
from rewards.tests.units import MARTA, has, make_asset

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CAMPAIGN = "(Bring a friend)"


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def lines_of(member):
    postings = list(statement.list_postings(member_id=member.pk).order_by("-id"))
    return list(statement.lines(member_id=member.pk, postings=postings))


def texts_of(member):
    return [line.text for line in lines_of(member)]


def coming(member):
    rewards = upcoming.list_rewards(member_id=member.pk).order_by("-id")
    return list(upcoming.lines(rewards=rewards))


@transaction
def move(member, asset, amount, reason, redemption=None, **how):
    people.lock("t_acme")
    key = f"{reason}:{redemption.pk if redemption else 0}:{how.pop('nth', 1)}"
    redemption_id = redemption.pk if redemption else None
    ledger.post(moves=[Move(key, reason, member.pk, asset.pk, amount, redemption_id=redemption_id, **how)], at=NOON)


def redemption_of(member, asset, amount, *, purpose="order", status="reserved", **columns):
    usual = {"order_number": "A-17", "settled_at": None if status == "reserved" else NOON, "created_at": NOON}
    key = f"{purpose}:{amount}:{status}"
    columns = {**usual, **columns}
    return Redemption.objects.create(
        key=key, purpose=purpose, member=member, asset=asset, amount=amount, status=status, **columns
    )


# What was earned


def test_an_earning_says_why_and_how_long_it_is_usable(scene, anna):
    Rule.objects.update(order_number="first")
    scene.owe(anna, status="granted", side="inviter", given=100)
    ends = datetime(2026, 6, 5, 21, tzinfo=UTC)  # The 6th begins in Moscow.
    has(anna, 5, scene.points, expires_at=ends)
    has(anna, 5, scene.points, expires_at=datetime(2027, 1, 1, 21, tzinfo=UTC))

    assert texts_of(anna) == [
        "+5: changed by hand: in a test; usable from Mar 17, until Jan 1, 2027",
        "+5: changed by hand: in a test; usable from Mar 17, until Jun 5",
        f"+100: your friend paid the first order {CAMPAIGN}; usable from Mar 17",
    ]
    line = lines_of(anna)[1]
    assert (line.usable_from, line.usable_until, line.balance, line.sentence) == (
        NOON,
        ends,
        105,
        "Changed by hand: in a test",
    )


@pytest.mark.parametrize(
    ("side", "kind", "number", "sentence"),
    [
        ("inviter", "order.paid", "first", "Your friend paid the first order"),
        ("inviter", "order.paid", "any", "Your friend paid an order"),
        ("inviter", "member.joined", "any", "Your friend joined"),
        ("inviter", "check_in", "any", "For a friend who was invited"),
        ("invitee", "member.joined", "any", "You joined on a friend's invitation"),
        ("actor", "check_in", "any", "Earned"),
    ],
)
def test_each_earning_has_its_sentence(scene, anna, side, kind, number, sentence):
    Rule.objects.update(order_number=number)
    scene.owe(anna, status="granted", side=side, event_id=scene.event(kind).pk)

    assert [line.sentence for line in lines_of(anna)] == [f"{sentence} {CAMPAIGN}"]


@transaction
def issue(member, reason, key="k"):
    wanted = issuing.Wanted(key, member.pk, "points", "", 30, reason)
    return issuing.issue(wanted=wanted, actor=MARTA, at=NOON)


def test_what_was_issued_by_hand_says_why(scene, anna):
    reward = issue(anna, "For the lost parcel, 100%")
    with transaction():
        cancelling.cancel(reward=reward, reason="twice", actor=MARTA, at=NOON)

    assert [line.sentence for line in lines_of(anna)] == [
        f"Taken back by hand ({reward.campaign.name})",
        "Issued by hand: For the lost parcel, 100%",
    ]
    assert texts_of(anna)[1] == "+30: issued by hand: For the lost parcel, 100%; usable from Mar 17"


def test_a_friends_order_is_the_friends_own_business(scene, anna, boris):
    order = scene.order(boris)
    scene.owe(boris, status="granted", order_id=order.pk)
    scene.owe(anna, status="granted", side="inviter", order_id=order.pk)

    assert order.number in texts_of(boris)[0]
    assert order.number not in texts_of(anna)[0]


def test_a_debt_is_paid_first_and_that_is_said(scene, anna):
    has(anna, -20, scene.points)
    has(anna, 15, scene.points)
    scene.owe(anna, status="granted", given=100)

    assert texts_of(anna) == [
        f"+100: earned {CAMPAIGN}; 5 of it paid what you owed; usable from Mar 17",
        "+15: changed by hand: in a test; all of it paid what you owed",
        "−20: changed by hand: in a test",
    ]
    assert [(line.paid_debt, line.usable_from, line.balance) for line in lines_of(anna)] == [
        (5, NOON, 95),
        (15, None, -5),
        (0, None, -20),
    ]


# What was spent


def test_an_order_paid_in_part_with_points(scene, anna):
    has(anna, 100, scene.points, expires_at=NOON + 5 * DAY)
    order = redemption_of(anna, scene.points, 60)
    move(anna, scene.points, -60, "reserve", order, other="escrow")
    assert texts_of(anna)[0] == "−60: set aside for order A-17"

    with transaction():
        ledger.settle(settlements=[Settlement("c", "spend", scene.points.pk, 50, order.pk)], at=NOON)
        redemptions.give_back(redemption=order, amount=10, reason="release", key="r", at=NOON)
    Redemption.objects.update(status="captured", captured=50, settled_at=NOON)

    assert texts_of(anna)[:2] == [
        "+10: given back: order A-17 needed less; usable from Mar 17, until Mar 22",
        "−60: spent on order A-17",
    ]
    assert lines_of(anna)[0].redemption_id == order.pk
    assert ledger.verify() == []


def test_an_order_that_was_not_paid(scene, anna):
    has(anna, 100, scene.points)
    order = redemption_of(anna, scene.points, 60, status="released")
    move(anna, scene.points, -60, "reserve", order, other="escrow")
    move(anna, scene.points, 60, "release", order, other="escrow", expires_at=NOON - DAY)

    assert texts_of(anna)[:2] == [
        "+60: given back: order A-17 was not paid; its last day is over",
        "−60: set aside for order A-17, which was not paid",
    ]


def test_a_gift_that_was_bought_and_given_back(scene, anna):
    mug = Gift.objects.create(code="mug", kind="product", name="Mug")
    has(anna, 100, scene.points)
    bought = redemption_of(anna, scene.points, 30, purpose="purchase", status="returned", gift=mug, order_number="")
    move(anna, scene.points, -30, "spend", bought, other="spend")
    move(anna, scene.points, 30, "return", bought, other="spend")

    assert texts_of(anna)[:2] == [
        "+30: given back: “Mug” was cancelled; usable from Mar 17",
        "−30: spent on “Mug”",
    ]


def test_money_is_written_as_money_and_paid_out_with_its_reference(scene, anna):
    cash = make_asset("cash")
    has(anna, 123_450, cash)
    with transaction():
        (payout,) = payouts.prepare(asset=cash, key="k", by=MARTA, at=NOON)
    assert texts_of(anna)[0] == "−RUB\N{NO-BREAK SPACE}1,234.50: set aside to be paid out to you"

    with transaction():
        payouts.settle(redemption=payout, reference="PAY-1", by=MARTA, at=NOON)

    assert texts_of(anna)[0].endswith(": paid out to you, reference PAY-1")


def test_a_payout_that_failed(scene, anna):
    cash = make_asset("cash")
    has(anna, 2_000, cash)
    with transaction():
        (payout,) = payouts.prepare(asset=cash, key="k", by=MARTA, at=NOON)
    with transaction():
        payouts.fail(redemption=payout, reason="no", by=MARTA, at=NOON)

    sentences = [line.sentence for line in lines_of(anna)]
    assert sentences[:2] == [
        "Given back: it could not be paid out",
        "Set aside to be paid out to you, which failed",
    ]


def test_what_expires_and_what_is_changed_by_hand(scene, anna):
    stars = make_asset("stars", scale=1)
    has(anna, 125, stars)
    move(anna, stars, -25, "expire", other="expiry")
    with transaction():
        wish = Wish("k", anna.pk, stars.pk, 10, "Sorry for the wait")
        adjustments.ask(wish=wish, by=MARTA, at=NOON)

    assert texts_of(anna)[:2] == [
        "+1.0 (Stars): changed by hand: Sorry for the wait; usable from Mar 17",
        "−2.5 (Stars): expired: their last day was over",
    ]


def test_a_long_statement_takes_as_many_statements_as_a_short_one(scene, anna):
    def statements_for(count):
        for nth in range(count):
            scene.owe(anna, status="granted", order_id=scene.order(anna).pk)
            scene.owe(anna, status="granted", side="inviter", event_id=scene.event("member.joined").pk)
            issue(anna, "For nothing", key=f"{count}:{nth}")
        with CaptureQueriesContext(connection) as seen:
            lines_of(anna)
        return len(seen)

    assert statements_for(1) == statements_for(20) == 4


# What is on its way


def test_what_waits_for_its_time(scene, anna):
    scene.owe(anna, status="pending", given=100, matures_at=NOON + 14 * DAY)
    scene.owe(anna, status="granted")

    (line,) = coming(anna)

    assert (line.text, line.state, line.usable_from, line.amount, line.asset) == (
        f"+100: earned {CAMPAIGN}; usable from Mar 31",
        "pending",
        NOON + 14 * DAY,
        100,
        "points",
    )


def test_what_is_promised_says_for_what(scene, anna):
    reward_id = scene.owe(anna, status="pending", given=200, side="invitee", event_id=scene.event("member.joined").pk)
    promised = Reward.objects.filter(pk=reward_id)
    promised.update(awaits="order.paid")
    assert coming(anna)[0].text == (
        f"+200: you joined on a friend's invitation {CAMPAIGN}; usable once this happens: Order paid"
    )

    promised.update(awaits_until=NOON + 30 * DAY)

    (line,) = coming(anna)
    assert line.text.endswith("usable once this happens: Order paid, until Apr 16")
    assert (line.state, line.usable_from, line.awaits) == ("promised", None, "order.paid")


@pytest.mark.parametrize(
    ("kind", "words"),
    [("custom.review", "Review"), ("custom.quiz_done.v2", "Quiz done v2"), ("custom._", "custom._")],
)
def test_what_a_tenant_calls_an_event_is_said_in_words(scene, anna, kind, words):
    reward_id = scene.owe(anna, status="pending")
    Reward.objects.filter(pk=reward_id).update(awaits=kind)

    assert coming(anna)[0].text.endswith(f"usable once this happens: {words}")


def test_what_a_moderator_looks_at_says_no_more(scene, anna):
    scene.owe(anna, status="flagged", given=3)

    (line,) = coming(anna)

    assert (line.text, line.state, line.usable_from) == (f"+3: earned {CAMPAIGN}; it is being checked", "flagged", None)


def test_what_is_not_counted_is_told_by_its_name(scene, anna):
    Gift.objects.create(code="cafe", kind="certificate", name="Café certificate")
    scene.owe(anna, status="pending", given=100, asset_id=None, kind="certificate")
    Reward.objects.update(what="cafe")

    (line,) = coming(anna)

    assert (line.text, line.asset, line.what) == (
        f"+Café certificate: earned {CAMPAIGN}; usable from Mar 17",
        "",
        "cafe",
    )


def test_nothing_of_what_others_wait_for(scene, anna, boris):
    scene.owe(boris, status="pending")

    assert coming(anna) == []
    assert Event.objects.exists()
    assert Asset.objects.filter(code="points").exists()
