"""A fact of our own starts a rule: earned points lead to a level, and the level to a personal discount code."""

from datetime import timedelta

import pytest

from antifraud.models import Case, FraudPolicy
from antifraud.moderation import deciding
from core.db import current_schema
from events.models import Event
from rewards import ledger, maturing
from rewards.levels.review import review_all
from rewards.models import Entitlement, Reward, RewardPolicy, Standing
from rewards.tests.gifts import gift
from scoring import why
from scoring.tests.promos import CODE, EARN, ON_LEVEL, asks_for, codes_given, reached
from tests.cast import NOON, codes_of, make_campaign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# From an order to a code


def test_a_thousand_points_earned_give_a_personal_code(shop, promo):
    shop.pays("anna", "900")
    assert codes_given() == []

    paid = shop.pays("anna", "100")

    (fact,) = reached(data__code="gold")
    anna = shop.id_of("anna")
    assert (fact.cause_id, fact.depth, fact.status, fact.member_id) == (paid.pk, 1, "handled", anna)
    reward = Reward.objects.get(kind="discount")
    assert (reward.event_id, reward.side, reward.occurrence) == (fact.pk, "actor", f"member:{anna}:level:gold")
    given = Entitlement.objects.get()
    assert (given.member_id, given.reward_id, given.status) == (anna, reward.pk, "issued")
    granted = Event.objects.get(kind="reward.granted", cause=fact)
    assert (granted.depth, granted.status) == (2, "handled")


def test_whoever_does_not_earn_enough_gets_none_and_the_trace_says_why(shop, promo):
    shop.pays("anna", "100")

    (fact,) = reached()
    assert codes_of(fact) == ["condition"]
    (entry,) = why.rendered(fact.trace)
    assert entry["sentence"] == "The rule asks that level is one of “Gold”; here it is “Silver”."
    assert not Entitlement.objects.exists()


def test_a_level_that_is_jumped_over_is_reached_as_well(shop, promo):
    shop.pays("anna", "2500")

    assert [(fact.data["code"], codes_of(fact)) for fact in reached()] == [
        ("silver", ["condition"]),
        ("gold", ["granted"]),
        ("platinum", ["condition"]),
    ]
    assert Entitlement.objects.count() == 1


def test_the_same_order_reported_twice_gives_one_code(shop, promo):
    for _ in range(2):
        shop.pays("anna", "1000", order="1001", key="the-order")

    assert len(reached(data__code="gold")) == 1
    assert Entitlement.objects.count() == 1


def test_a_rule_on_any_level_rewards_each_once(shop, ladder):
    make_campaign(name="Points", rule=EARN)
    make_campaign(name="Steps", rule={**ON_LEVEL, "amount_points": 5})

    shop.pays("anna", "1000")

    anna = shop.id_of("anna")
    rewards = Reward.objects.filter(event__kind="level.reached").order_by("pk")
    assert [row.occurrence for row in rewards] == [f"member:{anna}:level:silver", f"member:{anna}:level:gold"]
    assert shop.balance_of("anna") == 1_010


def test_falling_and_rising_again_gives_no_second_code(shop, promo):
    RewardPolicy.objects.update(level_window="month", level_fall="match", level_grace_days=0)
    shop.pays("anna", "1000")
    shop.at = NOON + 40 * DAY
    review_all(schema=current_schema(), at=shop.at)
    assert not Standing.objects.exists()

    shop.pays("anna", "1000")

    first, second = reached(data__code="gold")
    assert (codes_of(first), codes_of(second)) == (["granted"], ["already_rewarded"])
    assert Entitlement.objects.count() == 1


def test_what_matures_later_leads_to_the_code_later(shop, ladder):
    make_campaign(name="Held", rule={"recipient": "actor", "amount_points": 1_000, "hold_days": 14})
    make_campaign(name="A thousand", rule={**ON_LEVEL, **CODE, **asks_for("gold")})
    paid = shop.pays("anna", "100")
    assert reached() == []

    shop.at = NOON + 14 * DAY
    maturing.release_due(schema=current_schema(), limit=10, at=shop.at)
    (fact,) = reached(data__code="gold")
    assert (fact.status, fact.cause_id, fact.depth) == ("waiting", paid.pk, 1)
    shop.handle()

    assert codes_given() == [("granted", f"member:{shop.id_of('anna')}:level:gold")]


def test_money_spent_leads_up_with_the_order_as_cause(shop, ladder):
    RewardPolicy.objects.update(level_measure="spent")
    make_campaign(name="A thousand", rule={**ON_LEVEL, **CODE, **asks_for("gold")})

    paid = shop.pays("anna", "10")

    (fact,) = reached(data__code="gold")
    assert (fact.cause_id, fact.depth, codes_of(fact)) == (paid.pk, 1, ["granted"])


# Whom


def test_the_inviter_is_rewarded_for_each_friend_who_gets_there(shop, ladder):
    make_campaign(name="Points", rule=EARN)
    make_campaign(name="Steps", rule={**ON_LEVEL, **asks_for("silver"), "recipient": "inviter", "amount_points": 7})
    for friend in ("boris", "clara"):
        shop.joins(friend, invited_by="anna")

    for friend in ("boris", "clara", "nobody-invited-denis"):
        shop.pays(friend, "100")

    assert [(row.side, row.given) for row in shop.rewards_of("anna")] == [("inviter", 7), ("inviter", 7)]
    assert codes_of(reached(member=shop.id_of("nobody-invited-denis"))[0]) == ["not_referred"]


def test_both_get_something_when_a_friend_qualifies(shop):
    make_campaign(rule={"amount_points": 100})
    gift("discount", code="thousand")
    make_campaign(
        name="Together", rule={**CODE, "trigger": "referral.qualified", "recipient": "both", "order_number": "any"}
    )
    shop.joins("boris", invited_by="anna")

    for _ in range(2):
        shop.pays("boris", "500")

    boris = shop.id_of("boris")
    assert codes_given() == [("granted", f"member:{boris}:qualified")] * 2
    assert sorted(Entitlement.objects.values_list("member_id", flat=True)) == sorted([shop.id_of("anna"), boris])
    assert Event.objects.filter(kind="referral.qualified").count() == 1


def test_who_is_about_to_fall_is_brought_back_once(shop, ladder):
    RewardPolicy.objects.update(level_window="month", level_fall="match", level_grace_days=10, level_notice_days=5)
    make_campaign(name="Points", rule=EARN)
    make_campaign(name="Stay", rule={**CODE, "trigger": "level.will_fall", "recipient": "actor", "order_number": "any"})
    shop.pays("anna", "100")

    for days in range(20, 40):
        shop.at = NOON + days * DAY
        review_all(schema=current_schema(), at=shop.at)
        shop.handle()

    (fact,) = Event.objects.filter(kind="level.will_fall")
    assert codes_given() == [("granted", f"member:{shop.id_of('anna')}:level:silver:until:{fact.data['by']}")]


def test_what_makes_antifraud_look_twice_is_flagged_for_a_fact_too(shop):
    make_campaign(rule={"amount_points": 100})
    make_campaign(name="More", rule={"trigger": "referral.qualified", "order_number": "any", "amount_points": 10})
    shop.joins({"external_id": "anna2", "device": "one"})
    shop.tells("check_in", {"external_id": "anna", "device": "one"})
    shop.joins({"external_id": "boris", "device": "one"}, invited_by="anna")

    shop.pays("boris", "500")

    statuses = Reward.objects.order_by("pk").values_list("event__kind", "status")
    assert set(statuses) == {("order.paid", "flagged"), ("referral.qualified", "flagged")}
    assert ledger.balance_of(member_id=shop.id_of("anna")) == 0
    assert Case.objects.exists()


def test_a_level_that_a_moderator_lets_somebody_reach_starts_its_rule(shop, promo, max_):
    FraudPolicy.objects.update(flag_from=1)
    make_campaign(name="Friends", rule={"amount_points": 1_000})
    shop.tells("check_in", {"external_id": "anna", "device": "one"})
    shop.joins({"external_id": "boris", "device": "one"}, invited_by="anna")
    paid = shop.pays("boris", "1")
    assert reached(data__code="gold") == []

    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)
    shop.handle()

    (fact,) = reached(data__code="gold")
    assert (fact.member_id, fact.cause_id, fact.depth) == (shop.id_of("anna"), paid.pk, 1)
    assert [status for status, _occurrence in codes_given()] == ["granted"]
