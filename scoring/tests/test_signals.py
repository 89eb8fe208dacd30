"""What antifraud looks at is read for whole batches, and what it sees is kept, flagged, refused or let pass."""

from datetime import timedelta

import pytest

from antifraud.models import Case, Signal
from rewards.models import Reward
from scoring.tests.suspects import DAY, HOUR, MINUTE, buys, seen_for, sign_up
from tenants import context
from tests.cast import NOON, Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db


# --- Ties -----------------------------------------------------------------------------------------------------------


def test_inviter_and_friend_who_share_with_a_third_are_flagged(shop):
    make_campaign()
    sign_up(shop, "zoe", card="token-1")
    sign_up(shop, "third", card="token-1", phone="+7 916 123-45-67")
    sign_up(shop, "zoe2", invited_by="zoe")

    paid = buys(shop, "zoe2", phone="+7 916 123-45-67")

    assert codes_of(paid) == ["flagged"]
    (reason,) = shop.rewards_of("zoe")[0].reasons
    third = shop.id_of("third")
    assert reason == {
        "signal": "tied_through",
        "evidence": {"member": third, "members": 1, "kinds": ["card", "phone"]},
    }


def test_the_same_card_in_two_tenants_ties_nobody(shop, bolt):
    with context.in_tenant(bolt.schema_name):
        Shop().joins({"external_id": "zoe", "card": "token-1", "device": "phone-1", "ip": "203.0.113.7"})
    make_campaign()
    sign_up(shop, "zoe", card="token-2")
    sign_up(shop, "boris", invited_by="zoe", card="token-1", device="phone-1", ip="203.0.113.7")

    assert codes_of(buys(shop, "boris")) == ["granted"]
    assert seen_for(shop, "zoe") == []


def test_a_family_of_four_on_one_tablet_behind_one_address_passes(shop):
    make_campaign(rule={"recipient": "both"})
    home = {"device": "tablet", "ip": "203.0.113.7"}
    sign_up(shop, "mother", phone="+7 916 000-00-01", **home)
    for number, name in enumerate(("father", "son", "daughter"), start=2):
        shop.at += HOUR
        sign_up(shop, name, invited_by="mother", phone=f"+7 916 000-00-0{number}", **home)
        shop.at += 2 * HOUR + number * 7 * MINUTE
        assert codes_of(buys(shop, name, **home)) == ["granted", "granted"]

    assert set(Reward.objects.values_list("status", flat=True)) == {"granted"}


def test_an_office_of_thirty_behind_one_address_passes_and_all_is_kept(shop):
    make_campaign()
    sign_up(shop, "boss", ip="203.0.113.7")
    for number in range(30):
        shop.at += timedelta(minutes=25)
        sign_up(shop, f"desk-{number}", invited_by="boss", ip="203.0.113.7")
        shop.at += timedelta(minutes=7 + number)
        buys(shop, f"desk-{number}")

    assert set(Reward.objects.values_list("status", flat=True)) == {"granted"}
    assert set(Signal.objects.values_list("name", "verdict")) == {("shared_ip", "allow")}
    assert Signal.objects.count() == 30


def test_an_ipv6_line_is_one_address_and_its_neighbours_a_subnet(shop):
    make_campaign()
    sign_up(shop, "anna", ip="2001:db8:1:2::1")
    sign_up(shop, "boris", invited_by="anna", ip="2001:db8:1:2:ffff::9")
    sign_up(shop, "clara", invited_by="anna", ip="2001:db8:1:3::1")
    for name in ("boris", "clara"):
        buys(shop, name)

    assert [name for name, _weight, _verdict in seen_for(shop, "anna")] == ["shared_ip", "shared_subnet"]


def test_more_accounts_on_a_device_than_a_household_has_are_flagged(shop):
    make_campaign(rule={"trigger": "member.joined", "order_number": "any", "recipient": "inviter"})
    sign_up(shop, "zoe")
    for number in range(6):
        shop.at += 3 * HOUR
        sign_up(shop, f"zoe-{number}", invited_by="zoe", device="farm", phone=f"+7 916 000-00-0{number}")

    statuses = [each.status for each in shop.rewards_of("zoe")]
    assert statuses == ["granted"] * 4 + ["flagged"] * 2
    last = {each["signal"]: each["evidence"] for each in shop.rewards_of("zoe")[-1].reasons}
    assert last["many_accounts_device"] == {"members": 6, "allowed": 5, "value": "device …"}


def test_whoever_buys_for_themselves_on_a_device_of_many_is_flagged_where_the_event_names_it(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    for number in range(6):
        sign_up(shop, f"zoe-{number}", device="farm")

    told = [codes_of(buys(shop, "zoe-0", device="farm")), codes_of(buys(shop, "zoe-0"))]

    assert told == [["flagged"], ["granted"]]
    assert seen_for(shop, "zoe-0") == [("many_accounts_device", 50, "flag")]


# --- Rings ----------------------------------------------------------------------------------------------------------


def ring(shop, size):
    """Return the names of so many who invite the one after the next, and have a device in common with the next."""
    names = [f"ring-{number}" for number in range(size)]
    for number, name in enumerate(names):
        shop.at += 3 * HOUR
        inviter = names[number - 2] if number > 1 else None
        sign_up(shop, name, invited_by=inviter, device=f"d-{number}")
        shop.tells("check_in", {"external_id": name, "device": f"d-{number + 1}"})
    return names


def test_a_ring_is_one_case_by_the_lowest_number_of_its_members(shop):
    make_campaign(rule={"recipient": "both"})
    names = ring(shop, 6)

    for name in (names[4], names[5]):
        shop.at += 5 * HOUR
        buys(shop, name)

    lowest = shop.id_of(names[0])
    assert {"ring"} <= {name for name, _weight, _verdict in seen_for(shop, names[4])}
    rewards = set(Reward.objects.values_list("pk", flat=True))
    case = Case.objects.get(group_key__startswith="ring:")
    assert case.group_key == f"ring:{lowest}:campaign:{case.campaign_id}"
    assert set(case.case_rewards.values_list("reward_id", flat=True)) == rewards
    assert len(rewards) >= 2


def test_a_chain_that_comes_back_is_seen_however_far_up(shop):
    make_campaign()
    sign_up(shop, "zoe", phone="+7 916 123-45-67")
    for name, inviter in (("a", "zoe"), ("b", "a"), ("c", "b")):
        shop.at += 3 * HOUR
        sign_up(shop, name, invited_by=inviter)

    buys(shop, "c", phone="+7 916 123-45-67")

    evidence = {each["signal"]: each["evidence"] for each in shop.rewards_of("b")[0].reasons}
    members = sorted(shop.id_of(name) for name in ("zoe", "a", "b", "c"))
    assert evidence["ring"] == {"members": members, "count": 4, "comes_back": True}


# --- Friends of an inviter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_one_batch", [False, True], ids=["one by one", "in one batch"])
def test_orders_that_keep_one_distance_from_the_signup_are_seen(shop, is_one_batch):
    make_campaign(at=NOON - 30 * DAY)
    code = shop.code_of("anna")
    shop.at = NOON + 10 * DAY
    for number in range(4):
        joined_at = NOON + number * DAY
        who = f"bot-{number}"
        shop.report("member.joined", who, code=code, occurred_at=joined_at)
        order = {"order_id": who, "amount_minor": 50_000, "currency": "RUB"}
        shop.report("order.paid", who, occurred_at=joined_at + timedelta(hours=5, minutes=number), **order)
        if not is_one_batch:
            shop.handle()

    shop.handle()

    assert [name for name, _weight, _verdict in seen_for(shop, "anna")] == ["copied_delay"]


def test_orders_just_above_what_the_rule_asks_for_are_seen(shop):
    conditions = [{"field": "amount_minor", "operator": "at_least", "value": 50_000}]
    make_campaign(rule={"conditions": conditions})
    for number, amount in enumerate(("500", "510", "525", "900")):
        shop.at += 3 * HOUR
        sign_up(shop, f"bot-{number}", invited_by="anna")
        shop.at += (number + 1) * HOUR
        buys(shop, f"bot-{number}", amount)

    assert [name for name, _weight, _verdict in seen_for(shop, "anna")] == ["above_threshold"]


def test_friends_who_give_back_what_they_bought_flag_the_next_one(shop):
    make_campaign()
    for number in range(5):
        shop.at += 3 * HOUR
        sign_up(shop, f"bot-{number}", invited_by="anna")
        shop.at += (number + 1) * HOUR
        shop.pays(f"bot-{number}", "500", order=f"o-{number}")
        if number % 2 == 0:
            shop.cancels(f"bot-{number}", order=f"o-{number}")
    shop.at += 3 * HOUR
    sign_up(shop, "boris", invited_by="anna")

    assert codes_of(buys(shop, "boris")) == ["flagged"]
    assert seen_for(shop, "anna")[-1] == ("refund_rate", 50, "flag")


def test_friends_with_variants_of_one_address_are_flagged_from_the_third_on(shop):
    make_campaign()
    for number in range(3):
        shop.at += 3 * HOUR
        sign_up(shop, f"bot-{number}", invited_by="anna", email=f"ivan.petrov{number}@mail.ru")
        shop.at += (number + 1) * HOUR
        buys(shop, f"bot-{number}")

    assert [each.status for each in shop.rewards_of("anna")] == ["granted", "granted", "flagged"]
    assert seen_for(shop, "anna") == [("emails_alike", 50, "flag")]


def test_a_throwaway_mailbox_is_seen_and_kept(shop):
    make_campaign()
    sign_up(shop, "boris", invited_by="anna", email="boris@mailinator.com")

    assert codes_of(buys(shop, "boris")) == ["granted"]
    kept = Signal.objects.get()
    assert (kept.name, kept.verdict, kept.evidence) == ("disposable_email", "allow", {"domain": "mailinator.com"})


def test_an_inviter_s_own_throwaway_mailbox_is_no_habit_of_their_friends(shop):
    make_campaign()
    sign_up(shop, "anna", email="anna@mailinator.com")
    for number in range(5):
        sign_up(shop, f"friend-{number}", invited_by="anna")
        shop.at += (number + 1) * HOUR
        buys(shop, f"friend-{number}")

    assert [each.status for each in shop.rewards_of("anna")] == ["granted"] * 5
    assert seen_for(shop, "anna") == [("disposable_email", 30, "allow")] * 5
    assert Signal.objects.first().evidence == {"domain": "mailinator.com", "of_inviter": True}


def test_throwaway_mailboxes_are_a_habit_of_friends_whatever_the_inviter_has(shop):
    make_campaign()
    sign_up(shop, "anna", email="anna@mailinator.com")
    for number in range(4):
        sign_up(shop, f"bot-{number}", invited_by="anna", email=f"{'abcd'[number] * 4}@mailinator.com")
        shop.at += (number + 1) * HOUR
        buys(shop, f"bot-{number}")

    assert [each.status for each in shop.rewards_of("anna")] == ["granted"] * 3 + ["flagged"]
