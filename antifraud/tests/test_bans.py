"""A ban: nothing more is earned, what waits is called off, what was given waits for a moderator."""

from contextlib import suppress

import pytest

from antifraud.limits import counter_checks
from antifraud.lists import bans, lines, listings
from antifraud.lists.listings import Wish
from antifraud.models import Case, Decision, Listing
from antifraud.moderation import deciding
from antifraud.moderation.owners import OwnCase
from core.db import current_schema, transaction
from core.errors import Failure
from events.claims import Busy
from events.models import Event
from members import people
from members.models import Member
from rewards import ledger
from rewards.models import Reward
from rewards.tests import hands
from tenants import context
from tenants.staff.models import AuditEntry, Staff
from tests.cast import NOON, Shop, codes_of, make_campaign
from tests.people import browser_of, flag, staff_of
from tests.races import at_once

pytestmark = pytest.mark.django_db

LIMIT = {"per": "member", "period": "month", "max_count": 5}
SELF = {"recipient": "actor", "order_number": "any"}


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


def ban(name: str, *, takes: str = "nothing", by: Staff | None = None, note: str = "a farm of phones") -> bans.Banned:
    by = by or anton()
    with transaction():
        return bans.ban(member=member(name), by=by, note=note, takes=takes, at=NOON)


def lift(name: str, *, by: Staff | None = None) -> None:
    by = by or anton()
    with transaction():
        bans.lift(member=member(name), by=by, note="a mistake", at=NOON)


def member(name: str) -> Member:
    return people.get_by_external_id(name)


def anton() -> Staff:
    return Staff.objects.filter(username="anton").first() or staff_of("moderator", username="anton")


def is_clean() -> bool:
    return ledger.verify() == [] and counter_checks.verify(zone=context.current().time_zone) == []


def test_who_is_banned_earns_nothing_until_let_back(shop):
    make_campaign(rule=SELF)
    shop.joins("anna")

    assert ban("anna") == bans.Banned()
    event = shop.pays("anna", "500")
    assert codes_of(event) == ["member_blocked"]
    lift("anna")
    shop.pays("anna", "500")

    assert shop.balance_of("anna") == 100
    told = AuditEntry.objects.filter(action__startswith="member.").order_by("id")
    empty = {"cancelled": [], "flagged": [], "kept": []}
    assert [(each.actor, each.action, each.changes) for each in told] == [
        ("anton", "member.banned", {"takes": "nothing", "note": "a farm of phones", **empty}),
        ("anton", "member.unbanned", {"note": "a mistake"}),
    ]
    kinds = Event.objects.filter(kind__startswith="member.", source="sarafan").order_by("id")
    assert [(each.kind, each.member_id) for each in kinds] == [
        ("member.banned", shop.id_of("anna")),
        ("member.unbanned", shop.id_of("anna")),
    ]


def test_a_ban_calls_off_what_is_pending_and_frees_its_limits(shop):
    make_campaign(rule=SELF | {"hold_days": 14}, limits=[LIMIT])
    shop.joins("anna")
    shop.pays("anna", "500")
    shop.pays("anna", "500")
    ids = [each.pk for each in shop.rewards_of("anna")]

    assert ban("anna", takes="pending") == bans.Banned(cancelled=ids)

    assert {(each.status, each.reversed) for each in shop.rewards_of("anna")} == {("cancelled", 100)}
    assert Event.objects.filter(kind="reward.cancelled").count() == 2
    assert is_clean()


def test_a_ban_that_takes_nothing_leaves_all_as_it_is(shop):
    make_campaign(rule=SELF | {"hold_days": 14})
    shop.joins("anna")
    shop.pays("anna", "500")

    ban("anna")

    assert [each.status for each in shop.rewards_of("anna")] == ["pending"]


def test_a_case_in_which_nothing_is_left_is_settled_and_one_of_others_waits_on(shop):
    make_campaign(rule={"recipient": "inviter"})
    flag(shop)
    make_campaign(rule={"recipient": "both"}, name="Both")
    flag(shop, inviter="clara", friend="denis")
    both = Case.objects.get(campaign__name="Both")
    alone = Case.objects.exclude(campaign__name="Both").order_by("pk").first()

    ban("anna", takes="pending")
    ban("clara", takes="pending")

    alone.refresh_from_db()
    both.refresh_from_db()
    assert (alone.status, alone.decided_by) == ("rejected", anton())
    assert Decision.objects.get(case=alone).note == "a farm of phones"
    assert (both.status, Decision.objects.filter(case=both).count()) == ("open", 0)
    assert {each.status for each in shop.rewards_of("clara")} == {"cancelled"}
    assert "flagged" in {each.status for each in shop.rewards_of("denis")}
    assert is_clean()


def test_what_was_given_is_flagged_and_a_rejection_takes_it(shop):
    make_campaign(rule=SELF, limits=[LIMIT])
    shop.joins("anna")
    shop.pays("anna", "500")
    (reward,) = shop.rewards_of("anna")

    assert ban("anna", takes="granted") == bans.Banned(flagged=[reward.pk])

    case = Case.objects.get()
    reward.refresh_from_db()
    assert (reward.status, shop.balance_of("anna")) == ("flagged", 0)
    assert reward.reasons == [{"signal": "banned", "evidence": {"member": shop.id_of("anna")}}]
    assert is_clean()
    deciding.reject(case=case, by=anton(), at=NOON)
    reward.refresh_from_db()
    assert (reward.status, shop.balance_of("anna")) == ("rejected", 0)
    assert is_clean()


def test_what_was_given_comes_back_when_the_moderator_approves(shop):
    make_campaign(rule=SELF)
    shop.joins("anna")
    shop.pays("anna", "500")
    ban("anna", takes="granted")

    deciding.approve(case=Case.objects.get(), by=anton(), at=NOON)

    assert shop.balance_of("anna") == 100
    assert is_clean()


def test_a_second_ban_opens_the_same_case_again(shop):
    make_campaign(rule=SELF)
    shop.joins("anna")
    shop.pays("anna", "500")
    ban("anna", takes="granted")
    case = Case.objects.get()
    deciding.approve(case=case, by=anton(), at=NOON)
    lift("anna")

    assert len(ban("anna", takes="granted").flagged) == 1

    case.refresh_from_db()
    assert (case.status, case.decided_by, shop.balance_of("anna")) == ("open", None, 0)
    assert list(Decision.objects.order_by("pk").values_list("action", flat=True)) == ["approve", "undo"]
    assert Case.objects.count() == 1
    assert is_clean()


def test_what_is_spent_stays_as_it_is_and_is_told(shop):
    make_campaign(rule=SELF)
    shop.joins("anna")
    shop.pays("anna", "500")
    shop.pays("anna", "500")
    first, second = shop.rewards_of("anna")
    hands.give(member("anna"), -70)

    assert ban("anna", takes="granted") == bans.Banned(flagged=[first.pk], kept=[second.pk])

    assert [each.status for each in shop.rewards_of("anna")] == ["flagged", "granted"]
    assert shop.balance_of("anna") == 30
    assert is_clean()


def test_identities_go_into_the_stop_list_and_stop_whoever_comes_back(shop):
    shop.joins({"external_id": "anna", "card": "token-anna", "ip": "203.0.113.7"})
    by = anton()
    with transaction():
        assert bans.shut_out(member=member("anna"), by=by, note="a farm", at=NOON) == 2

    rows = Listing.objects.order_by("kind")
    assert [(row.list, row.kind, row.answer) for row in rows] == [
        ("block", "card", "refuse"),
        ("block", "external_id", "refuse"),
    ]
    make_campaign(rule={"recipient": "inviter"})
    shop.joins("boris")
    shop.joins({"external_id": "anna-2", "card": "token-anna"}, invited_by="boris")
    event = shop.pays("anna-2", "500")
    assert codes_of(event) == ["refused"]
    assert shop.rewards_of("boris") == []


@pytest.mark.parametrize(
    ("said", "code"),
    [({"takes": "everything"}, "unknown_take"), ({"note": "  "}, "no_reason")],
)
def test_a_ban_that_is_not_told_well_is_refused(shop, said, code):
    shop.joins("anna")

    with pytest.raises(Failure) as failure:
        ban("anna", **said)

    assert failure.value.code == code
    assert member("anna").status == "active"


def test_nobody_is_banned_or_let_back_twice(shop):
    shop.joins("anna")
    with pytest.raises(bans.NotBanned):
        lift("anna")
    ban("anna")

    with pytest.raises(bans.AlreadyBanned):
        ban("anna")

    assert AuditEntry.objects.filter(action="member.banned").count() == 1


def test_nobody_bans_or_lets_back_themselves(shop):
    shop.joins({"external_id": "anton", "email": "anton@example.com"})
    shop.joins("anna")
    by = anton()
    by.email = "Anton@example.com"
    by.save()
    wish = Wish(
        list="staff",
        line=lines.line_of(kind="external_id", text="anna", schema=current_schema(), region=None),
        note="anton",
    )
    with transaction():
        listings.put(wishes=[wish], by="marta", at=NOON)

    for name in ("anton", "anna"):
        with pytest.raises(OwnCase):
            ban(name, by=by)
        Member.objects.filter(pk=shop.id_of(name)).update(status="blocked")
        with pytest.raises(OwnCase):
            lift(name, by=by)

    assert member("anna").status == "blocked"


@pytest.mark.django_db(transaction=True)
def test_a_ban_and_scoring_at_once_pay_or_take_but_never_half(acme):
    shop = Shop()
    make_campaign(rule=SELF, limits=[LIMIT])
    shop.joins("anna")
    shop.pays("anna", "500")
    for _ in range(5):
        shop.report("order.paid", "anna", order_id=f"o-{_}", amount_minor=50_000, currency="RUB")
    by = anton()

    def handle() -> None:
        with suppress(Busy):
            shop.handle()

    at_once(handle, lambda: ban("anna", takes="granted", by=by))
    shop.handle()

    assert member("anna").status == "blocked"
    assert not Reward.objects.filter(status__in=["granted", "pending"]).exists()
    assert shop.balance_of("anna") == 0
    assert is_clean()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ban_at_once_one_does(acme):
    Shop().joins("anna")
    by = anton()

    def try_to() -> str:
        try:
            ban("anna", takes="granted", by=by)
        except bans.AlreadyBanned:
            return "late"
        return "banned"

    assert sorted(at_once(try_to, try_to)) == ["banned", "late"]
    assert Event.objects.filter(kind="member.banned").count() == 1


# The pages


def url(verb: str, name: str = "anna") -> str:
    return f"/admin/antifraud/listing/{verb}/{people.get_by_external_id(name).pk}/"


def test_a_moderator_bans_from_the_members_page_and_lets_back(shop):
    shop.joins({"external_id": "anna", "card": "token-anna"})
    browser = browser_of(staff_of("moderator"))
    home = f"/admin/members/member/{shop.id_of('anna')}/change/"

    assert url("ban") in browser.get(home).content.decode()
    assert browser.get(url("ban")).status_code == 200
    assert member("anna").status == "active"
    answer = browser.post(url("ban"), {"note": "a farm", "takes": "pending", "shuts_out": "on"}, follow=True)

    assert answer.redirect_chain == [(home, 302)]
    assert "Banned. Rewards called off: 0; put before a moderator: 0." in answer.content.decode()
    assert (member("anna").status, Listing.objects.count()) == ("blocked", 2)
    assert url("unban") in answer.content.decode()
    browser.post(url("unban"), {"note": "a mistake"})
    assert (member("anna").status, Listing.objects.count()) == ("active", 2)


def test_a_ban_without_a_reason_stands_at_its_field(shop):
    shop.joins("anna")
    answer = browser_of(staff_of("moderator")).post(url("ban"), {"note": "", "takes": "pending"})

    assert list(answer.context["form"].errors) == ["note"]
    assert member("anna").status == "active"


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_who_may_not_decide_may_not_ban(shop, role):
    shop.joins("anna")
    browser = browser_of(staff_of(role))

    assert url("ban") not in browser.get(f"/admin/members/member/{shop.id_of('anna')}/change/").content.decode()
    for verb in ("ban", "unban"):
        assert browser.get(url(verb)).status_code == 403
        assert browser.post(url(verb), {"note": "x", "takes": "nothing"}).status_code == 403
    assert member("anna").status == "active"


def test_another_tenants_staff_bans_nobody_here(shop, bolt):
    shop.joins("anna")
    address = url("ban")
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")

    assert stranger.post(address, {"note": "x", "takes": "nothing"}).status_code == 404
    with context.in_tenant("t_acme"):
        assert member("anna").status == "active"
