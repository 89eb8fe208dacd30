"""What one friend may show by chance, and what the first to give an order back shows, tells of those who came first."""

from datetime import timedelta

import pytest

from antifraud.judging import second_look
from antifraud.limits import counters
from antifraud.models import Case, FraudPolicy, Signal
from rewards import ledger, maturing
from tests.cast import Shop, make_campaign

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FORTNIGHT = 14 * DAY
SCHEMA = "t_acme"


def on_hold(days: int = 14) -> Shop:
    """Let Anna, who has a tablet and a phone of her own, invite. All is on hold for some days."""
    shop = Shop()
    make_campaign(at=shop.at, rule={"recipient": "both", "hold_days": days})
    shop.joins({"external_id": "anna", "device": "tablet", "phone": "+7 916 000-00-00"})
    return shop


def brings(shop: Shop, *names: str, **identities: str) -> None:
    """Anna brings some, who buy: each pays an order of their own name, and takes an hour longer than the last one."""
    for name in names:
        shop.at += DAY
        shop.joins({"external_id": name, **identities}, invited_by="anna")
        shop.at += HOUR * (1 + len(shop.rewards_of("anna")))
        shop.pays(name, "500", order=name)


def status(shop: Shop, name: str) -> str:
    (reward,) = shop.rewards_of(name)
    return str(reward.status)


# --- The same, friend after friend ----------------------------------------------------------------------------------


def on_the_tablet(shop: Shop, count: int) -> list[str]:
    """Anna brings so many on her tablet, each with a phone of their own; return their names."""
    names = [f"child-{number}" for number in range(count)]
    for number, name in enumerate(names, start=1):
        brings(shop, name, device="tablet", phone=f"+7 916 000-00-0{number}")
    return names


def test_what_the_fourth_friend_shows_like_three_before_makes_those_wait_too(acme):
    shop = on_hold()
    brings(shop, "honest")
    names = on_the_tablet(shop, 4)
    assert [status(shop, name) for name in names] == ["pending", "pending", "pending", "flagged"]

    assert second_look.look(at=shop.at) == 6

    assert [status(shop, name) for name in names] == ["flagged"] * 4
    (reward,) = shop.rewards_of("child-0")
    assert [each["signal"] for each in reward.reasons] == ["self_referral_device", "habit"]
    assert reward.reasons[1]["evidence"] == {"friends": 3, "of": 5, "seen": "self_referral_device"}
    assert Signal.objects.filter(name="habit", verdict="flag").count() == 8
    assert Case.objects.get(case_rewards__reward=reward).case_rewards.count() == 2
    assert second_look.look(at=shop.at) == 0


def test_a_friend_of_whom_nothing_was_seen_does_not_wait_for_a_habit(acme):
    shop = on_hold()
    brings(shop, "honest")
    on_the_tablet(shop, 4)

    second_look.look(at=shop.at)

    assert status(shop, "honest") == "pending"


def test_a_family_of_four_on_one_tablet_does_not_wait(acme):
    shop = on_hold()
    names = on_the_tablet(shop, 3)

    assert second_look.look(at=shop.at) == 0

    assert [status(shop, name) for name in names] == ["pending"] * 3


def test_what_was_seen_of_them_by_a_signal_that_is_off_by_now_does_not_count(acme):
    shop = on_hold()
    names = on_the_tablet(shop, 4)
    FraudPolicy.objects.update(signals={"self_referral_device": {"mode": "off"}})

    assert second_look.look(at=shop.at) == 0

    assert [status(shop, name) for name in names[:3]] == ["pending"] * 3


# --- Given back once it was rewarded --------------------------------------------------------------------------------


def after_the_hold(*, days: int = 14) -> Shop:
    """Anna brings five, a day apart. What is for the first two was given, and what is for the third is in an hour."""
    shop = on_hold(days)
    brings(shop, "a", "b")
    brings(shop, "c")
    third = shop.at
    brings(shop, "d", "e")
    shop.at = third + FORTNIGHT - HOUR
    maturing.release_due(schema=SCHEMA, limit=20, at=shop.at)
    return shop


def test_what_is_on_hold_waits_once_two_friends_have_given_back_what_was_rewarded(acme):
    shop = after_the_hold()
    assert [status(shop, name) for name in "abcde"] == ["granted", "granted", "pending", "pending", "pending"]
    for name in "ab":
        shop.refunds(name, "500", order=name)

    assert second_look.look(at=shop.at) == 6

    assert [status(shop, name) for name in "abcde"] == ["reversed", "reversed", "flagged", "flagged", "flagged"]
    (reward,) = shop.rewards_of("c")
    assert reward.reasons == [
        {"signal": "refund_rate", "evidence": {"orders": 5, "returned": 2}},
        {"signal": "returned_after_hold", "evidence": {"friends": 2, "of": 2}},
    ]
    assert Case.objects.get(case_rewards__reward=reward).case_rewards.count() == 2
    assert second_look.look(at=shop.at) == 0
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


def test_it_is_asked_in_the_hour_before_the_next_one_is_paid(acme):
    shop = after_the_hold()
    for name in "ab":
        shop.refunds(name, "500", order=name)

    assert not second_look.is_due(at=shop.at - timedelta(minutes=1))
    assert second_look.is_due(at=shop.at)


def test_one_who_gives_back_says_nothing_of_the_others(acme):
    shop = after_the_hold()
    shop.refunds("a", "500", order="a")

    assert second_look.is_due(at=shop.at)
    assert second_look.look(at=shop.at) == 0

    assert [status(shop, name) for name in "bcde"] == ["granted", "pending", "pending", "pending"]


def test_who_gives_back_a_part_or_before_the_reward_is_given_does_what_customers_do(acme):
    shop = after_the_hold()
    shop.refunds("a", "250", order="a")
    shop.refunds("d", "500", order="d")

    assert not second_look.is_due(at=shop.at)
    assert second_look.look(at=shop.at) == 0

    assert [status(shop, name) for name in "abcde"] == ["granted", "granted", "pending", "cancelled", "pending"]


def test_what_friends_give_back_of_rewards_without_a_hold_does_not_tell_of_it(acme):
    shop = on_hold(0)
    brings(shop, "a", "b")
    for name in "ab":
        shop.refunds(name, "500", order=name)
    brings(shop, "c")

    assert status(shop, "c") == "granted"
    assert not Signal.objects.exists()


def test_of_who_has_given_back_before_the_next_reward_waits_from_the_start(acme):
    shop = after_the_hold()
    for name in "ab":
        shop.refunds(name, "500", order=name)

    brings(shop, "f")

    assert status(shop, "f") == "flagged"
    assert [each["signal"] for each in shop.rewards_of("f")[0].reasons] == ["refund_rate", "returned_after_hold"]
