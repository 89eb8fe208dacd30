"""Who brought whom, as the sign-up tells it."""

from datetime import timedelta

import pytest

from referrals.models import AttributionPolicy, Referral
from tests.cast import NOON, codes_of, make_campaign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def pairs():
    """Return who brought whom, by number."""
    return set(Referral.objects.values_list("inviter_id", "invitee_id"))


def test_a_code_makes_a_referral(shop):
    joined = shop.joins("boris", invited_by="anna", channel="telegram")

    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.invitee_id) == (shop.id_of("anna"), shop.id_of("boris"))
    assert (referral.attributed_at, referral.channel, referral.event) == (NOON, "telegram", joined)
    assert codes_of(joined) == ["referred", "no_rule"]


def test_a_code_is_read_as_people_type_it(shop):
    code = shop.code_of("anna")

    shop.joins("boris", code=f" {code.lower()} ")

    assert pairs() == {(shop.id_of("anna"), shop.id_of("boris"))}


def test_a_click_makes_a_referral(shop):
    shop.joins("boris", click_id=shop.clicks("anna"))

    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.click.key, referral.channel) == (shop.id_of("anna"), "click-1", "site")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({}, "not_invited"),
        ({"code": "0000000000"}, "unknown_code"),
        ({"click_id": "nobody-knows-it"}, "unknown_click"),
    ],
)
def test_without_a_touch_that_is_known_there_is_no_referral(shop, data, code):
    joined = shop.joins("boris", **data)

    assert codes_of(joined)[0] == code
    assert pairs() == set()


def test_a_click_counts_through_the_last_moment_of_the_window(shop):
    shop.at = NOON - 30 * DAY
    click = shop.clicks("anna")
    shop.at = NOON

    in_time = shop.joins("boris", click_id=click)
    too_late = shop.joins("clara", click_id=click, occurred_at=NOON + timedelta(microseconds=1))

    assert codes_of(in_time)[0] == "referred"
    assert codes_of(too_late)[0] == "outside_window"
    assert pairs() == {(shop.id_of("anna"), shop.id_of("boris"))}


@pytest.mark.parametrize(("touch", "credited"), [("last", "clara"), ("first", "anna")])
def test_of_two_clicks_the_policy_chooses(shop, touch, credited):
    AttributionPolicy.objects.update(touch=touch)
    shop.joins("clara")
    shop.clicks("anna")
    shop.at = NOON + DAY
    click = shop.clicks("clara", key="click-2")

    shop.joins("boris", click_id=click)

    assert pairs() == {(shop.id_of(credited), shop.id_of("boris"))}


@pytest.mark.parametrize(("touch", "credited"), [("last", "clara"), ("first", "anna")])
def test_a_code_typed_after_a_click_is_the_later_touch(shop, touch, credited):
    AttributionPolicy.objects.update(touch=touch)
    shop.joins("clara")
    click = shop.clicks("anna")

    shop.joins("boris", click_id=click, invited_by="clara")

    assert pairs() == {(shop.id_of(credited), shop.id_of("boris"))}


def test_nobody_invites_themselves(shop):
    shop.tells("check_in", "boris")

    joined = shop.joins("boris", invited_by="boris")

    assert codes_of(joined)[0] == "self_referral"
    assert pairs() == set()


def test_whoever_has_ordered_before_is_no_new_customer(shop):
    shop.pays("boris", "500")
    shop.at = NOON + DAY

    joined = shop.joins("boris", invited_by="anna")

    assert codes_of(joined)[0] == "existing_member"
    assert pairs() == set()


def test_an_order_that_was_cancelled_makes_nobody_a_customer(shop):
    shop.pays("boris", "500", order="1001")
    shop.cancels("boris", order="1001")

    joined = shop.joins("boris", invited_by="anna")

    assert codes_of(joined)[0] == "referred"


def test_an_order_told_before_the_signup_but_paid_after_it_makes_nobody_a_customer(shop):
    shop.pays("boris", "500", occurred_at=NOON)

    joined = shop.joins("boris", invited_by="anna", occurred_at=NOON - timedelta(minutes=5))

    assert codes_of(joined)[0] == "referred"


def test_whoever_joined_before_is_no_new_customer(shop):
    shop.joins("boris")

    joined = shop.joins("boris", invited_by="anna")

    assert codes_of(joined)[0] == "existing_member"


def test_a_referral_is_never_overwritten(shop):
    shop.joins("clara")
    shop.joins("boris", invited_by="anna")

    again = shop.joins("boris", invited_by="clara")

    assert codes_of(again)[0] == "already_referred"
    assert pairs() == {(shop.id_of("anna"), shop.id_of("boris"))}


def test_of_two_signups_in_one_batch_the_first_counts(shop):
    shop.joins("clara")
    for inviter in ("anna", "clara"):
        shop.report("member.joined", "boris", code=shop.code_of(inviter))

    shop.handle()

    assert pairs() == {(shop.id_of("anna"), shop.id_of("boris"))}


def test_two_people_do_not_invite_each_other(shop):
    shop.tells("check_in", "boris")
    shop.joins("clara", invited_by="boris")

    joined = shop.joins("boris", invited_by="clara")

    assert codes_of(joined)[0] == "existing_member"
    assert pairs() == {(shop.id_of("boris"), shop.id_of("clara"))}


def test_two_people_do_not_invite_each_other_in_one_batch(shop):
    for name in ("boris", "clara"):
        shop.tells("check_in", name)
    shop.report("member.joined", "clara", code=shop.code_of("boris"))
    shop.report("member.joined", "boris", code=shop.code_of("clara"))

    shop.handle()

    assert pairs() == {(shop.id_of("boris"), shop.id_of("clara"))}


def test_a_referral_qualifies_once_with_the_inviters_first_reward(shop):
    make_campaign(rule={"order_number": "any"})
    shop.joins("boris", invited_by="anna")
    assert Referral.objects.get().qualified_at is None

    for hours in (1, 2):
        shop.at = NOON + hours * timedelta(hours=1)
        shop.pays("boris", "500")

    assert Referral.objects.get().qualified_at == NOON + timedelta(hours=1)


def test_a_reward_for_the_friend_alone_qualifies_nothing(shop):
    make_campaign(rule={"recipient": "invitee"})
    shop.joins("boris", invited_by="anna")

    shop.pays("boris", "500")

    assert shop.balance_of("boris") == 100
    assert Referral.objects.get().qualified_at is None


def test_a_chain_of_inviters_pays_each_for_their_own_friend(shop):
    make_campaign()
    shop.joins("boris", invited_by="anna")
    shop.joins("clara", invited_by="boris")

    shop.pays("clara", "500")

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)
