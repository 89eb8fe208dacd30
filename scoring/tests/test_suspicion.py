"""What looks like cheating is flagged or refused, and what was seen is kept."""

from datetime import timedelta

import pytest

from antifraud.models import Case, FraudPolicy, Signal
from rewards.models import Posting, Reward
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db


def sign_up(shop, name, *, invited_by=None, **identities):
    return shop.joins({"external_id": name, **identities}, invited_by=invited_by)


def seen():
    return list(Signal.objects.order_by("pk").values_list("name", "verdict"))


@pytest.mark.parametrize(
    ("hers", "friends", "shown"),
    [
        ({"email": "zoe.m@gmail.com"}, {"email": "Zoe.M+shop@gmail.com"}, "z***@g***.com"),
        ({"email": "zoem@gmail.com"}, {"email": "z.o.e.m@googlemail.com"}, "z***@g***.com"),
        ({"phone": "+7 916 123-45-67"}, {"phone": "8 (916) 1234567"}, "+7 *** ** 67"),
        ({"card": "token-4242"}, {"card": "token-4242"}, "card …4242"),
        ({"device": "phone-1"}, {"device": "phone-1"}, "device …"),
    ],
    ids=["tag", "dots", "phone", "card", "device"],
)
def test_one_shared_identity_flags(shop, hers, friends, shown):
    make_campaign()
    sign_up(shop, "zoe", **hers)
    sign_up(shop, "zoe2", invited_by="zoe", **friends)

    paid = shop.pays("zoe2", "500")

    signal = f"self_referral_{next(iter(hers))}"
    (entry,) = trace_of(paid)
    assert (entry["outcome"], entry["code"], entry["points"]) == ("flagged", "flagged", 100)
    assert entry["params"]["signals"] == [signal]
    assert seen() == [(signal, "flag")]
    (reward,) = shop.rewards_of("zoe")
    assert reward.status == "flagged"
    assert reward.reasons == [{"signal": signal, "evidence": {"kind": signal[14:], "value": shown}}]
    assert shop.balance_of("zoe") == 0


def test_a_shared_email_and_device_are_refused_and_what_was_seen_is_kept(shop):
    make_campaign(rule={"recipient": "both"})
    sign_up(shop, "zoe", email="zoe@example.com", device="phone-1")
    sign_up(shop, "zoe2", invited_by="zoe", email="zoe@example.com", device="phone-1")

    paid = shop.pays("zoe2", "500")

    assert codes_of(paid) == ["refused", "refused"]
    assert [entry["params"]["signals"] for entry in trace_of(paid)] == [
        ["self_referral_email", "self_referral_device"]
    ] * 2
    assert seen() == [("self_referral_email", "refuse"), ("self_referral_device", "refuse")] * 2
    assert not Reward.objects.exists()
    assert not Case.objects.exists()


def test_an_honest_friend_raises_nothing(shop):
    make_campaign()
    sign_up(shop, "boris", invited_by="anna", email="boris@example.com", device="phone-2")

    assert codes_of(shop.pays("boris", "500")) == ["granted"]
    assert seen() == []


def test_an_identity_that_turns_up_after_the_signup_is_seen_too(shop):
    make_campaign()
    sign_up(shop, "zoe", card="token-1")
    sign_up(shop, "zoe2", invited_by="zoe")

    paid = shop.pays({"external_id": "zoe2", "card": "token-1"}, "500")

    assert codes_of(paid) == ["flagged"]


def test_what_does_not_weigh_enough_is_kept_and_allowed(shop):
    FraudPolicy.objects.update(flag_from=61)
    make_campaign()
    sign_up(shop, "zoe", device="tablet")
    sign_up(shop, "ivan", invited_by="zoe", device="tablet")

    paid = shop.pays("ivan", "500")

    assert codes_of(paid) == ["granted"]
    assert seen() == [("self_referral_device", "allow")]


def test_a_friend_who_was_known_for_days_is_flagged(shop):
    make_campaign()
    shop.tells("check_in", "boris")
    shop.at = NOON + timedelta(days=3)
    shop.joins("boris", invited_by="anna")

    shop.pays("boris", "500")

    assert seen() == [("known_before", "flag")]
    assert [reward.status for reward in shop.rewards_of("anna")] == ["flagged"]


def test_a_customer_who_comes_again_under_another_name_is_flagged(shop):
    make_campaign()
    sign_up(shop, "anna")
    sign_up(shop, "boris", phone="+7 916 123-45-67")
    shop.at += timedelta(days=30)
    sign_up(shop, "boris-again", phone="8 916 123-45-67", invited_by="anna")

    shop.pays("boris-again", "500")

    assert [reward.status for reward in shop.rewards_of("anna")] == ["flagged"]
    assert seen() == [("known_before", "flag")]


@pytest.mark.parametrize("is_one_batch", [False, True], ids=["one by one", "in one batch"])
def test_more_signups_in_an_hour_than_the_policy_allows_are_flagged(shop, is_one_batch):
    FraudPolicy.objects.update(signals={"velocity": {"allowed": 2}})
    make_campaign(rule={"trigger": "member.joined", "order_number": "any"}, at=NOON - timedelta(days=1))
    code = shop.code_of("anna")
    for minutes in (0, 30, 59, 60):
        shop.report("member.joined", f"friend-{minutes}", code=code, occurred_at=NOON - timedelta(minutes=60 - minutes))
        if not is_one_batch:
            shop.handle()

    shop.handle()

    statuses = [(reward.status, reward.reasons) for reward in shop.rewards_of("anna")]
    velocity = [{"signal": "velocity", "evidence": {"signups": 3, "allowed": 2}}]
    assert [status for status, _reasons in statuses] == ["granted", "granted", "flagged", "flagged"]
    assert [reasons for _status, reasons in statuses[2:]] == [velocity, velocity]


def test_velocity_is_remembered_when_the_friend_pays(shop):
    FraudPolicy.objects.update(signals={"velocity": {"allowed": 1}})
    make_campaign()
    for name in ("boris", "clara"):
        shop.joins(name, invited_by="anna")
    shop.at = NOON + timedelta(days=2)

    told = [codes_of(shop.pays(name, "500")) for name in ("boris", "clara")]

    # Both signed up in the same moment: neither was before the other.
    assert told == [["flagged"], ["flagged"]]


def test_both_sides_of_a_referral_stand_in_one_case(shop):
    make_campaign(rule={"recipient": "both"})
    sign_up(shop, "zoe", device="phone-1")
    sign_up(shop, "zoe2", invited_by="zoe", device="phone-1")

    shop.pays("zoe2", "500")

    case = Case.objects.get()
    assert set(case.case_rewards.values_list("reward__member_id", flat=True)) == {
        shop.id_of("zoe"),
        shop.id_of("zoe2"),
    }
    assert (case.opened_at, case.group_key) == (NOON, f"referral:{shop.id_of('zoe2')}:campaign:{case.campaign_id}")
    assert not Posting.objects.exists()


def test_what_follows_joins_the_open_case_and_leaves_its_age(shop):
    make_campaign(rule={"order_number": "any"})
    sign_up(shop, "zoe", device="phone-1")
    sign_up(shop, "zoe2", invited_by="zoe", device="phone-1")
    shop.pays("zoe2", "500")
    shop.at = NOON + timedelta(hours=1)

    shop.pays("zoe2", "500")

    case = Case.objects.get()
    assert (case.opened_at, case.case_rewards.count()) == (NOON, 2)


def test_each_friend_has_a_case_of_their_own(shop):
    make_campaign()
    sign_up(shop, "zoe", device="phone-1")
    for name in ("zoe2", "zoe3"):
        sign_up(shop, name, invited_by="zoe", device="phone-1")
        shop.pays(name, "500")

    assert Case.objects.count() == 2


def test_what_a_member_earns_for_themselves_is_nobodys_referral(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    sign_up(shop, "zoe", device="phone-1")
    sign_up(shop, "zoe2", invited_by="zoe", device="phone-1")

    assert codes_of(shop.pays("zoe2", "500")) == ["granted"]
