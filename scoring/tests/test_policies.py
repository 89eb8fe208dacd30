"""Who was known, listed or exempt, and what the tenant chose, decides about a reward; what is read has bounds."""

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from antifraud.judging import observing
from antifraud.judging.ties import MEMBERS_MAX
from antifraud.lists import ranges
from antifraud.models import Case, FraudPolicy, Signal
from antifraud.moderation import deciding
from core import sealing
from members.models import Identity, Member
from rewards.models import Reward
from scoring.tests.suspects import DAY, HOUR, MINUTE, buys, listed, lookup_of, seen_for, sign_up
from tenants.staff.models import Staff
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db


# --- Known before, records, debts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["email", "external_id", "telegram"])
def test_an_erased_person_who_comes_again_is_known(shop, by):
    make_campaign()
    told = {"email": "old@example.com", "telegram": "700"}
    sign_up(shop, "old", **told)
    member_id = shop.id_of("old")
    erase(member_id)
    shop.at += 30 * DAY
    again = {"email": {"email": "old@example.com"}, "telegram": {"telegram": "700"}, "external_id": {}}[by]
    sign_up(shop, "old" if by == "external_id" else "new", invited_by="anna", **again)

    buys(shop, "old" if by == "external_id" else "new")

    assert Member.objects.count() == 3
    assert seen_for(shop, "anna") == [("known_before", 50, "flag")]


def erase(member_id):
    """Leave of a member what erasing leaves: keyed indexes, no values."""
    for each in Identity.objects.filter(member_id=member_id):
        is_plain = each.kind in {"external_id", "telegram"}
        lookup = sealing.index(schema="t_acme", kind=each.kind, lookup=each.lookup) if is_plain else each.lookup
        Identity.objects.filter(pk=each.pk).update(value="", resolves=False, lookup=lookup)
    Member.objects.filter(pk=member_id).update(status="erased")


def test_a_rejection_weighs_on_the_inviters_next_friends_and_approvals_lighten_it(shop, max_):
    make_campaign()
    sign_up(shop, "zoe", device="phone-1")
    for name, verb in (("a", deciding.reject), ("b", None)):
        shop.at += 3 * HOUR
        sign_up(shop, name, invited_by="zoe", device="phone-1")
        shop.at += HOUR
        buys(shop, name)
        if verb:
            verb(case=Case.objects.get(status="open"), by=max_, at=shop.at)

    assert seen_for(shop, "zoe") == [
        ("self_referral_device", 60, "flag"),
        ("self_referral_device", 60, "flag"),
        ("inviter_record", 25, "flag"),
    ]


def test_a_rejection_of_long_ago_weighs_no_more(shop, max_):
    make_campaign()
    sign_up(shop, "zoe", device="phone-1")
    sign_up(shop, "a", invited_by="zoe", device="phone-1")
    buys(shop, "a")
    deciding.reject(case=Case.objects.get(), by=max_, at=shop.at)
    shop.at += 91 * DAY
    sign_up(shop, "b", invited_by="zoe")
    shop.at += HOUR

    assert codes_of(buys(shop, "b")) == ["granted"]


def test_whoever_keeps_what_a_refund_should_have_taken_back_waits_for_the_next_reward(shop):
    make_campaign()
    sign_up(shop, "boris", invited_by="anna")
    buys(shop, "boris")
    Reward.objects.update(lost=40, lost_why="used")
    sign_up(shop, "clara", invited_by="anna")

    assert codes_of(buys(shop, "clara")) == ["flagged"]
    assert seen_for(shop, "anna") == [("owes", 50, "flag")]


# --- Lists ----------------------------------------------------------------------------------------------------------


def test_a_stop_list_says_what_becomes_of_a_reward_by_member_or_identity(shop):
    make_campaign(rule={"recipient": "both"})
    sign_up(shop, "boris", invited_by="anna", email="boris@example.com")
    sign_up(shop, "clara", invited_by="anna")
    listed("block", "email", lookup_of(email="Boris@example.com"), answer="refuse")
    listed("block", "member", str(shop.id_of("clara")))

    assert codes_of(buys(shop, "boris")) == ["refused", "refused"]
    assert codes_of(buys(shop, "clara")) == ["flagged", "flagged"]


def test_a_stop_list_holds_for_what_members_earn_for_themselves(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    listed("block", "member", str(shop.id_of("anna")), answer="refuse")

    assert codes_of(buys(shop, "anna")) == ["refused"]
    assert codes_of(buys(shop, "boris")) == ["granted"]


def test_a_line_counts_until_its_end(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    listed("block", "member", str(shop.id_of("anna")), until=NOON + HOUR)
    shop.at = NOON + HOUR - MINUTE
    before = codes_of(buys(shop, "anna"))
    shop.at = NOON + HOUR

    assert (before, codes_of(buys(shop, "anna"))) == (["flagged"], ["granted"])


def test_whoever_is_exempt_is_paid_and_what_was_seen_is_kept_until_the_exemption_ends(shop):
    make_campaign(rule={"order_number": "any"})
    sign_up(shop, "zoe", card="token-1")
    sign_up(shop, "zoe2", invited_by="zoe", card="token-1")
    listed("exempt", "member", str(shop.id_of("zoe")), until=NOON + HOUR)

    paid = buys(shop, "zoe2")
    shop.at = NOON + HOUR
    later = buys(shop, "zoe2")

    assert (codes_of(paid), codes_of(later)) == (["granted"], ["flagged"])
    (entry,) = trace_of(paid)
    assert entry["params"]["because"] == {"exempt": True}
    assert entry["sentence"] == "Granted: 100 points. What was seen does not count: they are exempt."
    assert seen_for(shop, "zoe") == [("self_referral_card", 100, "allow"), ("self_referral_card", 100, "flag")]


def test_own_staff_is_known_by_the_address_that_they_log_in_with(shop):
    Staff.objects.create_user("marta", email="Marta@Example.com")
    make_campaign()
    sign_up(shop, "marta", email="marta@example.com")
    sign_up(shop, "boris", invited_by="marta")

    assert codes_of(buys(shop, "boris")) == ["flagged"]
    assert seen_for(shop, "marta") == [("own_staff", 50, "flag")]


# --- Telegram -------------------------------------------------------------------------------------------------------


def test_a_telegram_number_above_all_that_were_known_a_month_ago_is_young(shop):
    observing.forget()
    make_campaign()
    known(100, first_seen_at=NOON - 31 * DAY)
    sign_up(shop, "young", invited_by="anna", telegram="1100")
    sign_up(shop, "old", invited_by="anna", telegram="999")
    for name in ("young", "old"):
        buys(shop, name)
    observing.forget()

    assert seen_for(shop, "anna") == [("young_telegram", 15, "allow")]


def test_with_fewer_than_a_hundred_known_nobody_is_young(shop):
    observing.forget()
    make_campaign()
    known(99, first_seen_at=NOON - 31 * DAY)
    sign_up(shop, "young", invited_by="anna", telegram="9999")
    buys(shop, "young")
    observing.forget()

    assert seen_for(shop, "anna") == []


def known(count, *, first_seen_at):
    members = Member.objects.bulk_create([Member(first_seen_at=first_seen_at) for _each in range(count)])
    Identity.objects.bulk_create(
        Identity(
            member=each, kind="telegram", lookup=str(1000 + place), value="", resolves=True, added_at=first_seen_at
        )
        for place, each in enumerate(members)
    )


@pytest.mark.parametrize("is_one_batch", [False, True], ids=["later", "in one batch"])
def test_an_empty_telegram_account_is_known_by_what_the_bot_said(shop, is_one_batch):
    make_campaign()
    code = shop.code_of("anna")
    told = {"telegram_username": False, "telegram_photo": False}
    shop.report("member.joined", "boris", code=code, **told)
    if not is_one_batch:
        shop.handle()
    buys(shop, "boris")

    assert seen_for(shop, "anna") == [("empty_telegram", 15, "allow")]


# --- Policy ---------------------------------------------------------------------------------------------------------


def test_a_campaigns_own_policy_decides_about_its_rewards_alone(shop):
    strict = make_campaign(name="Strict")
    make_campaign(name="Loose")
    FraudPolicy.objects.create(campaign=strict, singleton=None, flag_from=5, refuse_from=150)
    sign_up(shop, "anna", ip="203.0.113.7")
    sign_up(shop, "boris", invited_by="anna", ip="203.0.113.7")

    assert codes_of(buys(shop, "boris")) == ["flagged", "granted"]


def test_what_only_a_shadow_sees_is_kept_as_such_and_not_acted_on(shop):
    shadow = {"flag_from": 5, "signals": {"quick_order": {"seconds": 3600}}}
    FraudPolicy.objects.update(signals={"shared_ip": {"mode": "shadow"}}, shadow=shadow)
    make_campaign()
    sign_up(shop, "anna", ip="203.0.113.7")
    sign_up(shop, "boris", invited_by="anna", ip="203.0.113.7")
    shop.at += 30 * MINUTE

    assert codes_of(buys(shop, "boris")) == ["granted"]
    kept = list(Signal.objects.order_by("pk").values_list("name", "verdict", "is_shadow"))
    assert kept == [("shared_ip", "allow", True), ("quick_order", "allow", True)]


def test_the_trace_says_what_a_verdict_rests_on(shop):
    make_campaign()
    sign_up(shop, "zoe", device="phone-1", ip="203.0.113.7")
    sign_up(shop, "zoe2", invited_by="zoe", device="phone-1", ip="203.0.113.7")

    (entry,) = trace_of(buys(shop, "zoe2"))

    assert entry["params"]["because"] == {"weights": [60, 10], "sum": 70, "from": 50}
    said = "100 points, waiting for a moderator: Same device, Same IP address (weight 60 + 10 = 70, from 50 on)."
    assert entry["sentence"] == said


def test_a_signal_that_always_refuses_says_so(shop):
    FraudPolicy.objects.update(signals={"shared_ip": {"always": "refuse"}})
    make_campaign()
    sign_up(shop, "anna", ip="203.0.113.7")
    sign_up(shop, "boris", invited_by="anna", ip="203.0.113.7")

    (entry,) = trace_of(buys(shop, "boris"))

    assert entry["sentence"] == "Refused: Same IP address (always decided so: Same IP address)."
    assert not Reward.objects.exists()


def test_a_rush_on_a_campaign_is_seen_and_decides_nothing(shop):
    FraudPolicy.objects.update(signals={"velocity_campaign": {"allowed": 2}})
    make_campaign(rule={"trigger": "member.joined", "order_number": "any"})
    for number in range(3):
        shop.at += 10 * MINUTE
        sign_up(shop, f"friend-{number}", invited_by="anna")

    assert seen_for(shop, "anna") == [("velocity_campaign", 10, "allow")]


# --- Bounds ---------------------------------------------------------------------------------------------------------


def test_of_a_crowd_on_one_device_the_latest_sixty_are_looked_at(shop):
    make_campaign()
    crowd = Member.objects.bulk_create([Member(first_seen_at=NOON - 9 * DAY) for _each in range(300)])
    lookup = lookup_of(device="kiosk-0001")
    Identity.objects.bulk_create(
        Identity(member=each, kind="device", lookup=lookup, value="", resolves=False, added_at=NOON) for each in crowd
    )
    sign_up(shop, "boris", invited_by="anna", device="kiosk-0001")

    buys(shop, "boris")

    evidence = {each["signal"]: each["evidence"] for each in shop.rewards_of("anna")[0].reasons}
    # Sixty-one of the tie, and Boris, should a table as small as this be read in another order.
    assert evidence["many_accounts_device"]["members"] in {MEMBERS_MAX + 1, MEMBERS_MAX + 2}
    assert evidence["many_accounts_device"]["value"] == "device …0001"


@pytest.mark.parametrize("listed_kind", ["ip_range", "email_domain"])
def test_a_stop_list_holds_for_ranges_and_domains_and_for_nobody_beside_them(shop, listed_kind):
    make_campaign()
    lookup = {"ip_range": "203.0.113.0/25", "email_domain": "crooks.example"}[listed_kind]
    listed("block", listed_kind, lookup, answer="refuse")
    FraudPolicy.objects.update(lists_version=F("lists_version") + 1)
    sign_up(shop, "boris", invited_by="anna", ip="203.0.113.7", email="boris@mail.crooks.example")
    sign_up(shop, "clara", invited_by="anna", ip="203.0.113.200", email="clara@notcrooks.example")

    assert (codes_of(buys(shop, "boris")), codes_of(buys(shop, "clara"))) == (["refused"], ["granted"])
    ranges.forget()


def test_an_address_of_a_data_centre_adds_to_what_else_is_seen(shop):
    make_campaign()
    listed("datacenter", "ip_range", "2001:db8::/32")
    FraudPolicy.objects.update(lists_version=F("lists_version") + 1)
    sign_up(shop, "boris", invited_by="anna", ip="2001:db8::7", email="boris@mailinator.com")

    assert codes_of(buys(shop, "boris")) == ["flagged"]
    assert seen_for(shop, "anna") == [("datacenter", 30, "flag"), ("disposable_email", 30, "flag")]
    ranges.forget()


def test_an_event_of_nobody_who_was_invited_asks_for_nothing_of_this(shop):
    make_campaign(rule={"trigger": "check_in", "recipient": "actor", "order_number": "any"})
    with CaptureQueriesContext(connection) as queries:
        told = codes_of(shop.tells("check_in", "anna"))

    (people,) = [
        each["sql"] for each in queries if "FROM members_member m" in each["sql"] and "promises" in each["sql"]
    ]
    assert told == ["granted"]
    assert "reached" not in people
    assert "antifraud_listing" not in people
