"""Two members who are one: whom they brought and who brought them, nothing twice, and a look before it is done."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.limits import counters
from antifraud.models import Case
from core.db import transaction
from members import merging, people
from members.merging import Merged
from members.models import Member
from referrals import links, standings
from rewards import ledger, maturing, reservations
from rewards.actors import Actor
from rewards.models import Redemption, Reward
from rewards.reservations import Wanted
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
EACH_ORDER = {"recipient": "actor", "order_number": "any"}
BOTH = {"recipient": "both", "order_number": "any"}
BOT = Actor("key", "bot")


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    yield Shop()
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


@transaction
def merge(away: str | Member, *, into: str | Member, at=NOON) -> Merged:
    both = [people.get_by_external_id(each) if isinstance(each, str) else each for each in (into, away)]
    return merging.merge(into=both[0], away=both[1], actor_kind="staff", actor="marta", note="One phone", at=at)


@transaction
def reserve(shop: Shop, name: str, amount: int) -> Redemption:
    wanted = Wanted(key=f"{name}-{amount}", member_id=shop.id_of(name), amount=amount)
    return reservations.reserve(wanted=wanted, actor=BOT, at=shop.at)


# Whom they brought


def test_the_friends_of_both_are_the_one_persons(shop):
    make_campaign()
    for inviter, friend in (("anna", "boris"), ("anya", "clara")):
        shop.joins(inviter)
        shop.joins(friend, invited_by=inviter)
    merge("anya", into="anna")

    shop.pays("clara", "500")

    assert shop.balance_of("anna") == 100
    assert standings.count_referrals(inviter_id=shop.id_of("anna")) == (2, 1)


def test_codes_of_the_one_who_went_bring_friends_of_the_other(shop):
    make_campaign()
    shop.joins("anna")
    shop.joins("anya")
    code = shop.code_of("anya")
    merge("anya", into="anna")

    shop.tells("member.joined", "boris", code=code)
    shop.pays("boris", "500")

    assert shop.balance_of("anna") == 100
    assert links.get(code=code, campaign_id=None, at=NOON).code == code


def test_nobody_signs_up_by_their_own_former_code(shop):
    shop.joins("anya")
    code = shop.code_of("anya")
    shop.report("check_in", "anna")
    shop.handle()
    merge("anya", into="anna")

    assert codes_of(shop.tells("member.joined", "anna", code=code))[0] == "self_referral"


def test_an_invitee_keeps_the_inviter_of_either(shop):
    make_campaign()
    shop.joins("boris")
    shop.joins("anya", invited_by="boris")
    shop.pays("anna", "500", order="old")
    shop.joins("clara")
    shop.joins("dora", invited_by="clara")
    shop.joins("dasha", invited_by="boris")
    merge("anya", into="anna")
    merge("dasha", into="dora")

    shop.pays("anna", "500")
    shop.pays("dora", "500")

    # Anna has ordered before she was known to be Boris's friend: this order is not her first.
    assert (shop.balance_of("boris"), shop.balance_of("clara")) == (0, 100)


def test_whoever_had_invited_themselves_gets_no_more_for_it(shop):
    make_campaign(rule=BOTH | {"hold_days": 14})
    shop.joins("anna")
    shop.joins("anya", invited_by="anna")
    shop.pays("anya", "500")

    merged = merge("anya", into="anna")

    assert merged.moved["flagged"] == 2
    assert {(each.status, each.reasons[0]["signal"]) for each in shop.rewards_of("anna")} == {("flagged", "merged")}
    assert Case.objects.get().status == "open"
    assert codes_of(shop.pays("anya", "500")) == ["not_referred"]
    maturing.release_due(schema="t_acme", limit=10, at=NOON + 15 * DAY)
    assert shop.balance_of("anna") == 0


# Nothing twice


def test_a_first_order_is_the_first_of_both(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "first"})
    shop.pays("anya", "500")
    shop.joins("anna")
    merge("anya", into="anna")

    shop.pays("anna", "500")

    assert shop.balance_of("anna") == 100


def test_a_day_is_rewarded_once(shop):
    make_campaign(rule={**EACH_ORDER, "trigger": "check_in"})
    for name in ("anya", "ann"):
        shop.tells("check_in", name)
    shop.joins("anna")
    merge("anya", into="anna")
    merge("ann", into="anna")
    assert shop.balance_of("anna") == 200

    again = shop.tells("check_in", "anna")

    assert codes_of(again) == ["already_rewarded"]
    assert shop.balance_of("anna") == 200


def test_an_inviter_is_rewarded_once_for_what_a_friend_does_once(shop):
    make_campaign(rule={"trigger": "check_in", "recipient": "inviter", "order_number": "any"})
    shop.joins("boris")
    shop.joins("anya", invited_by="boris")
    shop.tells("check_in", "anya")
    shop.joins("anna")
    merge("anya", into="anna")

    assert codes_of(shop.tells("check_in", "anna")) == ["already_rewarded"]
    assert shop.balance_of("boris") == 100


def test_one_order_that_gave_both_something_goes_on_having_given_it(shop):
    make_campaign(rule=BOTH)
    shop.joins("anna")
    shop.joins("anya", invited_by="anna")
    shop.pays("anya", "500", order="1001")

    merge("anya", into="anna")

    assert shop.balance_of("anna") == 200
    assert len({each.occurrence for each in shop.rewards_of("anna")}) == 2
    shop.refunds("anna", "500", order="1001")
    assert shop.balance_of("anna") == 0


def test_a_promise_to_one_is_kept_by_what_the_other_does(shop):
    make_campaign(rule={**EACH_ORDER, "trigger": "member.joined", "awaits": "order.paid"})
    shop.joins("anya")
    shop.joins("anna")
    merge("anya", into="anna")

    shop.pays("anna", "500")

    assert shop.balance_of("anna") == 200


# Before it is done


def test_a_preview_says_what_would_go_over_and_changes_nothing(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    shop.pays("anya", "500")
    anna, anya = (people.get_by_external_id(name) for name in ("anna", "anya"))
    entries = AuditEntry.objects.count()

    with transaction():
        shown = merging.preview(into=anna, away=anya, at=NOON)

    assert shown.moved == {
        "identities": 1,
        "events": 2,
        "rewards": 1,
        "entitlements": 0,
        "redemptions": 0,
        "adjustments": 0,
        "balances": {"points": 100},
        "flagged": 0,
    }
    assert [shop.balance_of(name) for name in ("anna", "anya")] == [100, 100]
    assert (people.get_by_external_id("anya"), AuditEntry.objects.count()) == (anya, entries)
    assert Reward.objects.filter(member=anya).count() == 1


def test_it_takes_as_many_statements_for_much_as_for_little(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "month", "max_count": 100}])
    taken = []
    for away, orders in (("anya", 1), ("ann", 8)):
        shop.joins("anna")
        for _nth in range(orders):
            shop.pays(away, "500")
        with CaptureQueriesContext(connection) as told:
            merge(away, into="anna")
        taken.append(len(told))

    assert taken[0] == taken[1]
    assert taken[0] <= 45
