"""Who is erased is nobody's name any more, and still somebody who was here before."""

import pytest

from core import sealing
from core.db import transaction
from events.models import Event
from members import erasing, names, people, search
from members.models import Identity, Member
from referrals import links
from rewards import ledger
from rewards.models import Entitlement
from rewards.tests import gifts
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, codes_of, make_campaign
from tests.people import browser_of, staff_of
from tests.programs import program_of
from tests.races import at_once

pytestmark = pytest.mark.django_db

ANNA = {"external_id": "anna", "telegram": "700", "email": "anna@example.com", "card": "token-1", "ip": "203.0.113.7"}


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


def erase(member_id: int) -> None:
    with transaction():
        erasing.erase(member=Member.objects.get(pk=member_id), actor_kind="staff", actor="marta", at=NOON)


def test_identities_lose_their_values_and_keep_a_keyed_index(shop):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    was = dict(Identity.objects.values_list("kind", "lookup"))

    erase(member_id)

    rows = Identity.objects.filter(member_id=member_id)
    assert {(row.value, row.resolves) for row in rows} == {("", False)}
    now = {row.kind: row.lookup for row in rows}
    plain = {kind: sealing.index(schema="t_acme", kind=kind, lookup=was[kind]) for kind in ("external_id", "telegram")}
    assert now == was | plain
    assert (Member.objects.get(pk=member_id).status, people.find_external_id(member_id)) == ("erased", None)
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target) == ("member.erased", f"member:{member_id}")
    assert entry.changes == {
        "identities": ["card", "email", "email_alike", "external_id", "ip", "subnet", "telegram"],
    }


def test_nobody_finds_or_reads_them_any_more(shop):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    browser = browser_of(staff_of("admin"))
    address = f"/admin/members/member/{member_id}/change/"
    assert "anna" in browser.get(address).content.decode()

    erase(member_id)

    assert names.names_of([member_id]) == {member_id: f"Member {member_id}"}
    assert [search.find(each) for each in ("anna", "700", "anna@example.com")] == [[], [], []]
    page = browser.get(address).content.decode()
    assert "anna" not in page.replace("the-admin", "")
    assert "700" not in Identity.objects.values_list("lookup", flat=True)


def test_what_they_were_given_stays(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.joins(ANNA)
    shop.pays("anna", "500")
    member_id = shop.id_of("anna")

    erase(member_id)

    assert ledger.balance_of(member_id=member_id) == 100
    assert ledger.verify() == []


def test_their_code_and_links_stop_working(shop):
    shop.joins(ANNA)
    code = shop.code_of("anna")
    click = shop.clicks("anna")

    erase(shop.id_of("anna"))

    with pytest.raises(links.UnknownCode):
        links.get(code=code, campaign_id=None, at=NOON)
    assert codes_of(shop.joins("boris", code=code)) == ["unknown_code", "no_rule"]
    assert codes_of(shop.joins("clara", click_id=click)) == ["unknown_click", "no_rule"]


def test_nothing_more_is_given_for_friends_they_brought(shop):
    make_campaign(rule={"recipient": "inviter"})
    shop.joins(ANNA)
    shop.joins("boris", invited_by="anna")
    member_id = shop.id_of("anna")
    erase(member_id)

    assert codes_of(shop.pays("boris", "500")) == ["member_blocked"]
    assert ledger.balance_of(member_id=member_id) == 0


def test_whoever_comes_again_is_new_and_was_known_before(shop):
    make_campaign(rule={"recipient": "inviter"})
    shop.joins("boris")
    shop.joins(ANNA)
    before = shop.id_of("anna")
    erase(before)
    shop.at = shop.at.replace(month=5)

    shop.joins({"external_id": "anna-2", "telegram": "700"}, invited_by="boris")
    shop.pays("anna-2", "500")

    assert shop.id_of("anna-2") != before
    (reward,) = shop.rewards_of("boris")
    assert (reward.status, [each["signal"] for each in reward.reasons]) == ("flagged", ["known_before"])


def test_the_address_of_a_parcel_goes_too(shop):
    shop.joins(ANNA)
    (parcel,) = gifts.give(gifts.gift("product"), people.get_by_external_id("anna"))
    Entitlement.objects.filter(pk=parcel.pk).update(details={"address": "sealed", "color": "red"})

    erase(shop.id_of("anna"))

    assert Entitlement.objects.get(pk=parcel.pk).details == {"color": "red"}


def test_nobody_is_erased_twice(shop):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    erase(member_id)
    rows = list(Identity.objects.order_by("pk").values_list("lookup", flat=True))

    with pytest.raises(erasing.AlreadyErased):
        erase(member_id)

    assert list(Identity.objects.order_by("pk").values_list("lookup", flat=True)) == rows
    assert AuditEntry.objects.filter(action="member.erased").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_erase_at_once_bury_once(acme):
    shop = Shop()
    shop.joins(ANNA)
    member_id = shop.id_of("anna")

    def try_to() -> str:
        try:
            erase(member_id)
        except erasing.AlreadyErased:
            return "late"
        return "erased"

    assert sorted(at_once(try_to, try_to)) == ["erased", "late"]
    assert Event.objects.filter(kind="member.erased", member_id=member_id).count() == 1
    index = sealing.index(schema="t_acme", kind="telegram", lookup="700")
    assert Identity.objects.get(member_id=member_id, kind="telegram").lookup == index
    assert ledger.verify() == []


# The page and the API


def test_an_admin_erases_after_a_question(shop):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    browser = browser_of(staff_of("admin"))
    address = f"/admin/members/member/{member_id}/erase/"

    assert address in browser.get(f"/admin/members/member/{member_id}/change/").content.decode()
    assert "cannot be undone" in browser.get(address).content.decode()
    assert list(browser.post(address).context["form"].errors) == ["is_sure"]
    assert Member.objects.get(pk=member_id).status == "active"
    answer = browser.post(address, {"is_sure": "on"}, follow=True)

    assert Member.objects.get(pk=member_id).status == "erased"
    assert address not in answer.content.decode()


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_others_erase_nobody(shop, role):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    browser = browser_of(staff_of(role))

    assert browser.get(f"/admin/members/member/{member_id}/erase/").status_code == 403
    assert browser.post(f"/admin/members/member/{member_id}/erase/", {"is_sure": "on"}).status_code == 403
    assert "/erase/" not in browser.get(f"/admin/members/member/{member_id}/change/").content.decode()
    assert Member.objects.get(pk=member_id).status == "active"


def test_another_tenants_staff_erases_nobody_here(shop, bolt):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")

    assert stranger.post(f"/admin/members/member/{member_id}/erase/", {"is_sure": "on"}).status_code == 404
    with context.in_tenant("t_acme"):
        assert Member.objects.get(pk=member_id).status == "active"


def test_a_program_erases(shop, acme):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")
    program = program_of(acme, "members:write")

    assert program.delete("/api/v1/members/anna").status_code == 204
    assert program.delete("/api/v1/members/anna").status_code == 404
    with context.in_tenant("t_acme"):
        assert Member.objects.get(pk=member_id).status == "erased"
        assert AuditEntry.objects.latest("id").actor_kind == "key"


def test_a_program_without_the_scope_or_of_another_tenant_erases_nobody(shop, acme, bolt):
    shop.joins(ANNA)
    member_id = shop.id_of("anna")

    assert program_of(acme, "members:read").delete("/api/v1/members/anna").status_code == 403
    assert program_of(bolt, "members:write").delete("/api/v1/members/anna").status_code == 404
    with context.in_tenant("t_acme"):
        assert Member.objects.get(pk=member_id).status == "active"
