"""Two members were merged: what nights, second looks and repeated requests make of it afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from antifraud.judging import second_look
from antifraud.limits import counters
from antifraud.lists import bans
from antifraud.models import Case, StopRule, Trip
from antifraud.moderation import deciding, dossiers
from antifraud.moderation.owners import OwnCase
from antifraud.stops import firing, resuming
from antifraud.tests.test_second_look_rings import chain, statuses
from core.db import transaction
from events import facts
from events.models import Event
from members import merging, people
from rewards import adjustments, issuing, ledger, reservations
from rewards.actors import Actor
from rewards.certificates import issuing as certificates
from rewards.levels import review, standing
from rewards.models import Asset, Entitlement, Gift, Level, RewardPolicy
from rewards.reservations import Wanted
from tests.cast import NOON, Shop, make_campaign
from tests.people import staff_of

pytestmark = pytest.mark.django_db

BOT = Actor("key", "bot")


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    yield Shop()
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


@transaction
def merge(away: str, *, into: str) -> int:
    both = [people.get_by_external_id(each) for each in (into, away)]
    return merging.merge(into=both[0], away=both[1], actor_kind="staff", actor="marta", at=NOON).away.pk


def test_no_night_lifts_the_one_who_went_to_a_level_of_their_own(shop):
    RewardPolicy.objects.update(level_measure="spent")
    Level.objects.create(code="gold", name="Gold", threshold=60_000)
    make_campaign(rule={"trigger": "level.reached", "recipient": "actor", "order_number": ""})
    for name in ("anna", "anya"):
        shop.pays(name, "600")
    shop.handle()
    away = merge("anya", into="anna")
    assert shop.balance_of("anna") == 200

    shop.at = NOON + timedelta(days=1)
    review.review_all(schema="t_acme", at=shop.at)
    shop.handle()

    assert ledger.balance_of(member_id=away) == 0
    assert shop.balance_of("anna") == 200
    assert not Event.objects.filter(kind="level.reached", member_id=away).exists()
    assert standing.find(member_id=away) is None


def test_a_second_look_sees_what_was_seen_of_the_one_who_went(shop):
    make_campaign(rule={"recipient": "both", "hold_days": 14})
    shop.joins("anya")
    shop.joins("anna")
    for number in range(4):
        phone = {"device": f"phone-{number}"} if number else {}
        if number:
            shop.tells("check_in", {"external_id": "anna", **phone})
        shop.joins({"external_id": f"friend-{number}", **phone}, invited_by="anna")
        shop.pays(f"friend-{number}", "500")
    (reward,) = shop.rewards_of("friend-0")
    assert reward.status == "pending"
    merge("anna", into="anya")

    assert second_look.look(at=NOON) == 2

    (reward,) = shop.rewards_of("friend-0")
    assert reward.status == "flagged"
    assert [each.status for each in shop.rewards_of("anya")] == ["flagged"] * 4


def test_a_second_look_finds_the_first_links_of_a_ring_under_the_one_who_stays(shop):
    scene = chain()
    scene.joins("anna")
    merge("a", into="anna")
    assert statuses(scene, "anna", "b") == {"anna": ["pending"] * 2, "b": ["pending", "flagged"]}

    assert second_look.look(at=scene.at) == 4

    assert statuses(scene, "anna", "b") == {"anna": ["flagged"] * 2, "b": ["flagged"] * 2}
    assert second_look.look(at=scene.at) == 0


def test_a_moderator_is_told_what_was_seen_of_the_one_who_went(shop):
    make_campaign()
    shop.joins("maxim")
    shop.joins({"external_id": "max", "device": "phone"})
    shop.joins({"external_id": "boris", "device": "phone"}, invited_by="max")
    shop.pays("boris", "500")
    before = dossiers.basis_of(rewards=shop.rewards_of("max"))
    assert [each.signal for each in before.sights] == ["self_referral_device"]
    assert len(before.verdicts) == 1
    merge("max", into="maxim")

    assert dossiers.basis_of(rewards=shop.rewards_of("maxim")) == before


@pytest.mark.parametrize(("into", "away"), [("anna", "anya"), ("anya", "anna")])
def test_the_end_of_a_stop_rule_s_ban_of_one_is_not_the_end_of_the_ban_of_the_other(shop, into, away):
    for name in ("anna", "anya"):
        shop.joins(name)
    max_ = staff_of("moderator", username="max")
    stop_rule = StopRule.objects.create(scope="inviter", action="block", threshold=9)
    trip = Trip.objects.create(
        stop_rule=stop_rule,
        scope="inviter",
        subject=str(shop.id_of("anya")),
        metric="rewards",
        action="block",
        figure=10,
        threshold=9,
        window_minutes=60,
        tripped_at=NOON,
    )
    with transaction():
        bans.ban(member=people.get_by_external_id("anna"), by=max_, note="A farm.", at=NOON)
        facts.record(facts=firing.act(trips=[trip], at=NOON), at=NOON)
    merge(away, into=into)
    trip.refresh_from_db()

    resuming.resume(trip=trip, by=max_, at=NOON)

    assert people.get_by_external_id("anna").status == "blocked"
    assert not Event.objects.filter(kind="member.unbanned").exists()


def test_nobody_decides_about_the_friend_of_an_account_that_was_theirs(shop):
    make_campaign(rule={"recipient": "invitee"})
    shop.joins("maxim")
    shop.joins({"external_id": "max", "email": "max@example.com", "device": "phone"})
    shop.joins({"external_id": "boris", "device": "phone"}, invited_by="max")
    shop.pays("boris", "500")
    case = Case.objects.get()
    max_ = staff_of("moderator", username="max@example.com")
    merge("max", into="maxim")

    with pytest.raises(OwnCase), transaction():
        deciding.approve(case=case, by=max_, at=NOON)

    assert [each.status for each in shop.rewards_of("boris")] == ["flagged"]


def test_a_request_that_is_sent_again_after_the_merger_gives_what_the_first_made(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anya", "500")
    shop.joins("anna")
    points = Asset.objects.get(code="points").pk

    @transaction
    def ask():
        anya = shop.id_of("anya")
        wish = adjustments.Wish("credit", anya, points, 10, "Sorry.")
        wanted = issuing.Wanted("gift", anya, "points", "", 7, "Sorry.")
        return [
            adjustments.ask(wish=wish, by=BOT, at=NOON).pk,
            reservations.reserve(wanted=Wanted("order", anya, 5), actor=BOT, at=NOON).pk,
            issuing.issue(wanted=wanted, actor=BOT, at=NOON).pk,
        ]

    made = ask()
    merge("anya", into="anna")

    assert ask() == made
    assert shop.balance_of("anna") == 100 + 10 + 7 - 5


def test_a_certificate_for_whoever_was_looked_up_before_the_merger_is_the_one_s_who_stays(shop):
    Gift.objects.create(code="books", name="Books", kind="certificate", terms={"denominations": [50_000]})
    shop.joins("anna")
    shop.joins("anya")
    anna, anya = shop.id_of("anna"), shop.id_of("anya")

    @transaction
    def give(key, member_id):
        wanted = certificates.Wanted(key=key, member_id=member_id, gift_code="books", value_minor=50_000)
        return certificates.issue(wanted=wanted, actor=BOT, at=NOON)

    before = give("before", anya)
    merge("anya", into="anna")

    assert give("after", anya).member_id == anna
    assert give("before", anna) == before
    assert set(Entitlement.objects.values_list("member_id", flat=True)) == {anna}
