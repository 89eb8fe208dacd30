"""Two members turn out to be one person: what both are known by and have is the one's."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from antifraud.limits import counters
from antifraud.lists import bans
from antifraud.models import Listing
from core.db import transaction
from events.models import Event
from members import erasing, merging, names, people
from members.merging import MemberErased, MemberMerged, Merged, SameMember
from members.models import Identity, Member
from referrals import links
from rewards import adjustments, entitlements, expiry, ledger, maturing, reservations
from rewards.actors import Actor
from rewards.levels import standing
from rewards.models import Asset, Entitlement, Level, Posting, Redemption, RewardPolicy
from rewards.reservations import Wanted
from rewards.tests import gifts
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, codes_of, make_campaign
from tests.people import staff_of

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


# Who they are


def test_both_ids_lead_to_the_one_who_stays(shop):
    shop.joins({"external_id": "anna", "telegram": "700", "email": "anna@example.com"})
    shop.joins({"external_id": "anya", "telegram": "701", "email": "anna@example.com", "phone": "+79990000001"})
    anna, anya = shop.id_of("anna"), shop.id_of("anya")

    merged = merge("anya", into="anna")

    assert [shop.id_of("anna"), shop.id_of("anya")] == [anna, anna]
    assert people.find_external_id(anna) == "anna"
    former = Identity.objects.filter(member_id=anna, is_former=True)
    assert set(former.values_list("kind", "lookup")) == {("external_id", "anya"), ("telegram", "701")}
    assert Identity.objects.filter(member_id=anna, kind="email").count() == 1
    assert not Identity.objects.filter(member_id=anya).exists()
    gone = Member.objects.get(pk=anya)
    assert (gone.status, gone.merged_into_id, merged.moved["identities"]) == ("merged", anna, 3)
    assert names.names_of([anna, anya]) == {anna: "anna", anya: "anna"}


def test_whoever_had_no_id_of_ours_has_the_others(shop):
    shop.joins({"telegram": "700"})
    shop.joins({"external_id": "anya", "email": "anna@example.com"})
    nameless = Member.objects.get(pk=Identity.objects.get(kind="telegram").member_id)

    merge("anya", into=nameless)

    assert people.find_external_id(nameless.pk) == "anya"
    assert not Identity.objects.filter(is_former=True).exists()


def test_it_stands_in_the_log_and_is_told(shop):
    shop.joins("anna")
    shop.joins("anya")
    anna, anya = shop.id_of("anna"), shop.id_of("anya")

    merge("anya", into="anna")

    entry = AuditEntry.objects.latest("id")
    assert (entry.actor_kind, entry.actor, entry.action, entry.target) == (
        "staff",
        "marta",
        "member.merged",
        f"member:{anya}",
    )
    assert (entry.changes["into"], entry.changes["note"]) == (anna, "One phone")
    fact = Event.objects.get(source="sarafan", kind="member.merged")
    assert (fact.member_id, fact.data, fact.status) == (anna, {"into_id": anna, "away_id": anya}, "handled")


def test_whoever_was_here_first_was(shop):
    shop.joins("anya", occurred_at=NOON - DAY)
    shop.pays("anna", "500")

    merge("anya", into="anna")

    anna = people.get_by_external_id("anna")
    assert (anna.first_seen_at, anna.joined_at) == (NOON - DAY, NOON - DAY)


def test_what_either_reports_later_is_the_one_persons(shop):
    make_campaign(rule=EACH_ORDER)
    shop.joins("anna")
    shop.joins("anya")
    merge("anya", into="anna")

    event = shop.pays("anya", "500")

    assert event.member_id == shop.id_of("anna")
    assert shop.balance_of("anna") == 100


def test_whoever_went_into_the_one_who_goes_goes_along(shop):
    make_campaign(rule=EACH_ORDER)
    for name in ("anna", "anya", "ann"):
        shop.pays(name, "500")
    anna, anya, ann = (shop.id_of(name) for name in ("anna", "anya", "ann"))
    merge("ann", into="anya")

    merge("anya", into="anna")

    assert set(Member.objects.filter(merged_into=anna).values_list("pk", flat=True)) == {anya, ann}
    assert {shop.id_of(name) for name in ("anna", "anya", "ann")} == {anna}
    assert shop.balance_of("anna") == 300


def test_nobody_goes_twice_or_into_themselves(shop):
    shop.joins("anna")
    shop.joins("anya")
    shop.joins("ann")
    anna, anya, ann = (people.get_by_external_id(name) for name in ("anna", "anya", "ann"))
    merge(anya, into=anna)
    entries = AuditEntry.objects.count()

    for away, into, failure in (
        (anya, anna, SameMember),
        (anna, anya, SameMember),
        (anna, anna, SameMember),
        (anya, ann, MemberMerged),
        (ann, anya, MemberMerged),
    ):
        with pytest.raises(failure):
            merge(away, into=into)

    assert AuditEntry.objects.count() == entries
    assert [people.get_by_external_id(name) for name in ("anna", "anya", "ann")] == [anna, anna, ann]


def test_somebody_erased_is_not_merged_either_way(shop):
    shop.joins("anna")
    shop.joins("anya")
    anna, anya = (people.get_by_external_id(name) for name in ("anna", "anya"))
    with transaction():
        erasing.erase(member=anya, actor_kind="staff", actor="marta", at=NOON)

    for away, into in ((anya, anna), (anna, anya)):
        with pytest.raises(MemberErased):
            merge(away, into=into)

    assert not Member.objects.filter(status="merged").exists()


def test_erasing_the_one_who_stays_forgets_the_former_ids_too(shop):
    shop.joins({"external_id": "anna", "email": "anna@example.com"})
    shop.joins({"external_id": "anya", "telegram": "701"})
    code = shop.code_of("anya")
    anya = people.get_by_external_id("anya")
    merge("anya", into="anna")
    with transaction():
        with pytest.raises(MemberMerged):
            erasing.erase(member=anya, actor_kind="staff", actor="marta", at=NOON)
        erasing.erase(member=people.get_by_external_id("anna"), actor_kind="staff", actor="marta", at=NOON)

    assert [people.find_by_external_id(name) for name in ("anna", "anya")] == [None, None]
    assert set(Identity.objects.values_list("value", "resolves")) == {("", False)}
    with pytest.raises(links.UnknownCode):
        links.get(code=code, campaign_id=None, at=NOON)


def test_a_ban_wins(shop):
    shop.joins("anna")
    shop.joins("anya")
    moderator = staff_of("moderator")
    with transaction():
        bans.ban(member=people.get_by_external_id("anya"), by=moderator, note="A farm", at=NOON)
    Listing.objects.create(
        list="block", kind="member", lookup=str(shop.id_of("anya")), value="x", answer="refuse", added_at=NOON
    )

    merge("anya", into="anna")

    assert people.get_by_external_id("anna").status == "blocked"
    line = Listing.objects.get()
    assert (line.kind, line.lookup, line.answer) == ("member", str(shop.id_of("anna")), "refuse")


def test_an_exemption_of_one_is_not_the_others(shop):
    shop.joins("anna")
    shop.joins("anya")
    for name, columns in (("anna", {"list": "block", "answer": "flag"}), ("anya", {"list": "exempt"})):
        Listing.objects.create(
            kind="member", lookup=str(shop.id_of(name)), value="x", until=NOON + DAY, added_at=NOON, **columns
        )

    merge("anya", into="anna")

    assert list(Listing.objects.values_list("list", "lookup")) == [("block", str(shop.id_of("anna")))]


# What they have


def test_units_move_lot_by_lot_and_keep_their_expiry(shop):
    Asset.objects.filter(code="points").update(expiry="days", expiry_count=30)
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    shop.pays("anya", "500")
    shop.at += 10 * DAY
    shop.pays("anya", "500")
    anya = shop.id_of("anya")

    merged = merge("anya", into="anna", at=shop.at)

    assert merged.moved["balances"] == {"points": 200}
    assert (shop.balance_of("anna"), ledger.balance_of(member_id=anya)) == (300, 0)
    told = Posting.objects.filter(reason="adjust").order_by("pk")
    assert {(each.amount, each.note) for each in told} == {(100, f"Member {anya} is member {shop.id_of('anna')}")}
    expiry.night(schema="t_acme", day=None, at=NOON + 31 * DAY)
    assert shop.balance_of("anna") == 100
    expiry.night(schema="t_acme", day=None, at=NOON + 41 * DAY)
    assert shop.balance_of("anna") == 0


def test_what_is_owed_is_paid_to_the_one_who_stays(shop):
    make_campaign(rule=EACH_ORDER | {"hold_days": 14})
    shop.pays("anya", "500")
    shop.joins("anna")
    merge("anya", into="anna")

    granted = maturing.release_due(schema="t_acme", limit=10, at=NOON + 15 * DAY)

    assert (granted, shop.balance_of("anna")) == (1, 100)


def test_a_refund_takes_back_what_has_moved(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anya", "500", order="1001")
    shop.pays("anna", "500", order="1002")
    merge("anya", into="anna")

    event = shop.refunds("anya", "500", order="1001")

    assert codes_of(event) == ["refunded"]
    assert shop.balance_of("anna") == 100
    assert [each.status for each in shop.rewards_of("anna")] == ["reversed", "granted"]


def test_a_debt_moves_as_a_debt(shop):
    Asset.objects.filter(code="points").update(may_owe=True)
    make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anya", "500", order="1001")
    with transaction():
        asset = Asset.objects.get(code="points")
        wish = adjustments.Wish("spend", shop.id_of("anya"), asset.pk, -70, "Spent.")
        adjustments.ask(wish=wish, by=BOT, at=NOON)
    shop.refunds("anya", "500", order="1001")
    shop.pays("anna", "500")
    anya = shop.id_of("anya")
    assert ledger.balance_of(member_id=anya) == -70

    merge("anya", into="anna")

    assert (shop.balance_of("anna"), ledger.balance_of(member_id=anya)) == (30, 0)


def test_earnings_that_move_pay_the_debt_of_the_one_who_stays(shop):
    Asset.objects.filter(code="points").update(may_owe=True)
    make_campaign(rule=EACH_ORDER, refund_policy="debt")
    shop.pays("anna", "500", order="1001")
    with transaction():
        wish = adjustments.Wish("spend", shop.id_of("anna"), Asset.objects.get(code="points").pk, -70, "Spent.")
        adjustments.ask(wish=wish, by=BOT, at=NOON)
    shop.refunds("anna", "500", order="1001")
    shop.pays("anya", "500")

    merge("anya", into="anna")

    assert shop.balance_of("anna") == 30


def test_what_is_set_aside_goes_on_being_set_aside(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anya", "500")
    shop.joins("anna")
    spent, released = reserve(shop, "anya", 40), reserve(shop, "anya", 50)

    merge("anya", into="anna")

    assert shop.balance_of("anna") == 10
    with transaction():
        reservations.capture(redemption_id=spent.pk, amount=30, at=NOON)
        reservations.release(redemption_id=released.pk, at=NOON)
    assert shop.balance_of("anna") == 70


def test_gifts_are_had_and_stopped_as_before(shop):
    shop.joins("anna")
    shop.joins("anya")
    (given,) = gifts.give(gifts.gift("privilege"), people.get_by_external_id("anya"))

    merge("anya", into="anna")

    assert list(entitlements.list_of(shop.id_of("anna"))) == [given]
    assert gifts.stop(given) == {}
    assert Entitlement.objects.get().status == "cancelled"


def test_a_change_that_waits_for_a_second_person_waits_for_the_one_who_stays(shop):
    shop.joins("anna")
    shop.joins("anya")
    asset = Asset.objects.get(code="points")
    anya = shop.id_of("anya")
    merge("anya", into="anna")

    with transaction():  # Whoever looked them up before the merger.
        made = adjustments.ask(wish=adjustments.Wish("k", anya, asset.pk, 5, "Sorry."), by=BOT, at=NOON)

    assert (made.member_id, shop.balance_of("anna")) == (shop.id_of("anna"), 5)


def test_the_higher_level_stays_and_both_together_may_reach_a_higher_one(shop):
    levels = {
        code: Level.objects.create(code=code, name=code, threshold=threshold)
        for code, threshold in (("silver", 100), ("gold", 250))
    }
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")
    shop.pays("anya", "500")
    shop.pays("anya", "500")
    assert standing.find(member_id=shop.id_of("anna")).level == levels["silver"]

    merge("anya", into="anna")

    assert standing.find(member_id=shop.id_of("anna")).level == levels["gold"]


def test_levels_count_the_orders_and_friends_of_both(shop):
    Level.objects.create(code="gold", name="Gold", threshold=100_000)
    RewardPolicy.objects.update(level_measure="spent")
    shop.pays("anna", "600")
    shop.pays("anya", "600")
    assert standing.find(member_id=shop.id_of("anna")) is None

    merge("anya", into="anna")

    assert standing.find(member_id=shop.id_of("anna")).level.code == "gold"
