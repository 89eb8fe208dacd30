"""What others plant on somebody, and how people come back: nobody is refused, lifted or let in by that alone."""

import pytest

from antifraud.judging import observing
from antifraud.lists import bans, lines, listings
from antifraud.models import Case, Listing, Signal
from antifraud.moderation import deciding
from core.db import transaction
from members import erasing
from members.models import Member
from scoring.tests.suspects import DAY, buys, listed, lookup_of, seen_for, sign_up
from tests.cast import NOON, codes_of, make_campaign

pytestmark = pytest.mark.django_db

CHECK_IN = {"trigger": "check_in", "recipient": "actor", "order_number": "any", "amount_points": 1}


def erase(shop, name):
    with transaction():
        erasing.erase(member=Member.objects.get(pk=shop.id_of(name)), actor_kind="staff", actor="marta", at=shop.at)


def ban(shop, name, *, by):
    with transaction():
        bans.ban(member=Member.objects.get(pk=shop.id_of(name)), by=by, note="a farm", at=shop.at)


def test_an_erased_telegram_account_does_not_stop_the_scoring(shop):
    make_campaign()
    for place in range(101):
        sign_up(shop, f"old-{place}", telegram=str(1_000 + place))
    erase(shop, "old-0")
    observing.forget()
    shop.at = NOON + 31 * DAY
    sign_up(shop, "boris", invited_by="anna", telegram="5000")

    assert codes_of(buys(shop, "boris")) == ["granted"]
    assert seen_for(shop, "anna") == [("young_telegram", 15, "allow")]
    observing.forget()


def test_an_exemption_is_of_whoever_owns_the_address_and_nobody_who_names_it(shop):
    make_campaign()
    sign_up(shop, "vera", email="vera@example.com")
    listed("exempt", "email", lookup_of(email="vera@example.com"), until=NOON + DAY)
    sign_up(shop, "zoe", card="token-1", email="vera@example.com")
    sign_up(shop, "zoe2", invited_by="zoe", card="token-1")

    assert codes_of(buys(shop, "zoe2")) == ["flagged"]


def test_what_somebody_planted_on_their_account_shuts_nobody_else_out(shop, max_):
    make_campaign()
    sign_up(shop, "vera", email="vera@example.com", device="tablet")
    sign_up(shop, "zoe", email="vera@example.com", phone="+7 916 123-45-67", device="tablet", card="token-1")
    with transaction():
        bans.shut_out(member=Member.objects.get(pk=shop.id_of("zoe")), by=max_, note="a farm", at=NOON)

    lines = dict(Listing.objects.values_list("kind", "answer"))
    assert lines == {"external_id": "refuse", "phone": "refuse", "card": "refuse", "device": "flag"}


def test_a_data_centre_is_seen_behind_any_number_of_other_addresses(shop):
    make_campaign()
    line = lines.line_of(kind="ip_range", text="198.51.100.0/24", schema="t_acme", region="RU")
    with transaction():
        listings.put(wishes=[listings.Wish(list="datacenter", line=line)], by="marta", at=NOON)
    sign_up(shop, "boris", invited_by="anna", ip="198.51.100.7")
    for place in range(25):
        shop.tells("check_in", {"external_id": "boris", "ip": f"203.0.{place}.1"})

    buys(shop, "boris")

    assert ("datacenter", 30, "allow") in seen_for(shop, "anna")


def test_whoever_is_banned_and_then_erased_comes_back_to_the_stop_list(shop, max_):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    sign_up(shop, "zoe", phone="+7 916 123-45-67")
    ban(shop, "zoe", by=max_)
    erase(shop, "zoe")
    sign_up(shop, "zoe-again", phone="8 916 123-45-67")

    assert codes_of(buys(shop, "zoe-again")) == ["flagged"]


def test_a_telegram_account_that_was_erased_tells_also_when_it_is_linked_later(shop):
    make_campaign()
    sign_up(shop, "boris", telegram="700")
    erase(shop, "boris")
    shop.at = NOON + 30 * DAY
    sign_up(shop, "boris-again", invited_by="anna")
    shop.tells("check_in", {"external_id": "boris-again", "telegram": "700"})

    buys(shop, "boris-again")

    assert ("known_before", 50, "flag") in seen_for(shop, "anna")


def test_check_ins_do_not_cover_up_what_moderators_have_rejected(shop, max_):
    make_campaign()
    make_campaign(name="Check-ins", rule=CHECK_IN, at=NOON - 300 * DAY)
    sign_up(shop, "zoe", card="token-1")
    sign_up(shop, "zoe2", invited_by="zoe", card="token-1")
    buys(shop, "zoe2")
    deciding.reject(case=Case.objects.get(), by=max_, note="", at=shop.at)
    shop.may_backfill = True
    for place in range(1, 202):
        shop.report("check_in", "zoe", occurred_at=NOON - place * DAY)
    shop.handle()
    shop.may_backfill = False
    sign_up(shop, "carl", invited_by="zoe")

    buys(shop, "carl")

    assert [each.name for each in Signal.objects.filter(evidence__rejected=1)] == ["inviter_record"]


def test_who_signs_up_by_somebodys_link_to_harm_them_costs_them_time_and_no_reward(shop):
    make_campaign(rule={"recipient": "both"})
    for place in range(12):
        sign_up(shop, f"crook-{place}", invited_by="anna", device="farm", ip="203.0.113.7")
        paid = buys(shop, f"crook-{place}")
        shop.refunds(f"crook-{place}", "500", order=paid.data["order_id"])
    sign_up(shop, "boris", invited_by="anna", email="boris@example.com")

    assert codes_of(buys(shop, "boris")) == ["flagged", "flagged"]
    found = seen_for(shop, "boris")
    assert {"velocity", "refund_rate", "friends_suspected", "habit"} <= {name for name, _weight, _verdict in found}
    assert sum(weight for _name, weight, _verdict in found) >= 150
