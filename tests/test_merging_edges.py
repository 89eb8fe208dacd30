"""Programs and staff merge two members: who may, what they are told, and what is refused."""

from collections.abc import Iterator

import pytest

from antifraud.limits import counters
from core.db import transaction
from members import erasing, people
from members.models import Member
from rewards import ledger
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, staff_of
from tests.programs import program_of

pytestmark = pytest.mark.django_db

MERGES = "/api/v1/members/merges"
BOTH = {"into": {"external_id": "anna"}, "away": {"telegram": "701"}}


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop = Shop()
    shop.pays("anna", "500")
    shop.pays({"external_id": "anya", "telegram": "701"}, "500")
    yield shop
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


def merged_into() -> set[int]:
    return set(Member.objects.exclude(merged_into=None).values_list("merged_into_id", flat=True))


def merge_page(member_id: int) -> str:
    return f"/admin/antifraud/listing/merge/{member_id}/"


def member_page(page: str) -> str:
    """Return the page of the member whom a page of theirs is about."""
    return f"/admin/members/member/{page.split('/')[-2]}/change/"


# Programs


@pytest.mark.parametrize("telegram", [701, "701"])
def test_an_identity_may_be_a_number_as_when_searching(shop, acme, telegram):
    away = {"telegram": telegram, "email": None}

    response = program_of(acme, "members:write").post(BOTH | {"away": away}, MERGES)

    assert (response.status_code, merged_into()) == (200, {shop.id_of("anna")})


@pytest.mark.parametrize("telegram", [True, 701.0, [701]])
def test_an_identity_of_another_kind_is_refused(shop, acme, telegram):
    response = program_of(acme, "members:write").post(BOTH | {"away": {"telegram": telegram}}, MERGES)

    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/away/telegram")
    assert merged_into() == set()


def test_a_program_merges_and_is_told_what_went_over(shop, acme):
    anna, anya = shop.id_of("anna"), shop.id_of("anya")

    response = program_of(acme, "members:write").post(BOTH | {"note": "One phone"}, MERGES)

    assert response.status_code == 200
    assert response.json() == {
        "id": anna,
        "external_id": "anna",
        "away_id": anya,
        "dry_run": False,
        "moved": {
            "identities": 2,
            "events": 2,
            "rewards": 1,
            "entitlements": 0,
            "redemptions": 0,
            "adjustments": 0,
            "flagged": 0,
            "balances": {"points": 100},
        },
    }
    assert shop.balance_of("anna") == 200
    entry = AuditEntry.objects.get(action="member.merged")
    assert (entry.actor_kind, entry.changes["note"]) == ("key", "One phone")


def test_the_old_id_answers_with_the_one_who_stays(shop, acme):
    program = program_of(acme, "members:write", "members:read")
    program.post(BOTH, MERGES)

    told = program.get("/api/v1/members/anya").json()

    assert (told["id"], told["external_id"]) == (shop.id_of("anna"), "anna")
    assert told["balances"]["points"]["available"] == 200
    found = program.post({"telegram": "701"}, "/api/v1/members/search").json()
    assert (found["id"], found["external_id"]) == (shop.id_of("anna"), "anna")


def test_a_dry_run_changes_nothing(shop, acme):
    told = program_of(acme, "members:write").post(BOTH | {"dry_run": True}, MERGES).json()

    assert (told["dry_run"], told["moved"]["balances"]) == (True, {"points": 100})
    assert merged_into() == set()
    assert [shop.balance_of(name) for name in ("anna", "anya")] == [100, 100]
    assert not AuditEntry.objects.filter(action="member.merged").exists()


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"into": {"external_id": "anna"}}, 400, "invalid", "/away"),
        ({"into": {"external_id": "anna"}, "away": {}}, 400, "not_one_identity", "/away"),
        ({"into": {"external_id": "nobody"}, "away": {"telegram": "701"}}, 404, "unknown_member", "/into"),
        ({"into": {"external_id": "anna"}, "away": {"telegram": "x"}}, 400, "invalid_identity", "/away/telegram"),
        ({"into": {"external_id": "anya"}, "away": {"telegram": "701"}}, 409, "same_member", None),
    ],
    ids=["only one", "by nothing", "by what nobody has", "by what is none", "with themselves"],
)
def test_what_cannot_be_merged_is_refused(shop, acme, body, status, code, pointer):
    response = program_of(acme, "members:write").post(body, MERGES)

    told = response.json()
    assert (response.status_code, told["code"]) == (status, code)
    assert [each["pointer"] for each in told.get("errors", [])] == ([pointer] if pointer else [])
    assert merged_into() == set()


def test_the_second_time_both_are_one(shop, acme):
    program = program_of(acme, "members:write")
    program.post(BOTH, MERGES)

    again = program.post(BOTH, MERGES)

    assert (again.status_code, again.json()["code"]) == (409, "same_member")
    assert shop.balance_of("anna") == 200


def test_a_key_without_the_scope_merges_nobody(shop, acme):
    response = program_of(acme, "members:read").post(BOTH, MERGES)

    assert (response.status_code, response.json()["code"]) == (403, "missing_scope")
    assert merged_into() == set()


def test_another_tenants_key_finds_nobody(shop, bolt):
    response = program_of(bolt, "members:write").post(BOTH, MERGES)

    assert (response.status_code, response.json()["code"]) == (404, "unknown_member")
    with context.in_tenant("t_acme"):
        assert merged_into() == set()


# Staff


def test_a_moderator_looks_first_and_then_merges(shop):
    browser = browser_of(staff_of("moderator"))
    page = merge_page(shop.id_of("anna"))
    assert f'href="{page}"' in browser.get(member_page(page)).content.decode()

    shown = browser.post(page, {"who": "701", "note": "One phone"}).content.decode()
    assert "What would come here: +100" in shown
    assert merged_into() == set()
    done = browser.post(page, {"who": "701", "note": "One phone", "is_sure": "on"})

    assert (done.status_code, merged_into()) == (302, {shop.id_of("anna")})
    assert shop.balance_of("anna") == 200
    entry = AuditEntry.objects.get(action="member.merged")
    assert (entry.actor, entry.changes["note"]) == ("the-moderator", "One phone")


def test_the_page_of_the_one_who_went_leads_to_the_one_who_stays(shop):
    anya, browser = shop.id_of("anya"), browser_of(staff_of("admin"))
    browser.post(merge_page(shop.id_of("anna")), {"who": "anya", "note": "x", "is_sure": "on"})

    page = browser.get(f"/admin/members/member/{anya}/change/").content.decode()

    assert f'href="/admin/members/member/{shop.id_of("anna")}/change/"' in page
    assert not [verb for verb in ("merge", "ban", "unban", "erase") if f"/{verb}/" in page]


@pytest.mark.parametrize("who", ["nobody", "anna"])
def test_who_cannot_be_merged_is_said_on_the_page(shop, who):
    browser = browser_of(staff_of("moderator"))

    response = browser.post(merge_page(shop.id_of("anna")), {"who": who, "note": "x", "is_sure": "on"})

    assert response.status_code == 200
    sentence = {"nobody": "Nobody is known by that.", "anna": "Both are the same member."}[who]
    assert sentence in response.content.decode()
    assert merged_into() == set()


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_other_staff_merges_nobody(shop, role):
    browser = browser_of(staff_of(role))
    page = merge_page(shop.id_of("anna"))

    assert browser.get(page).status_code == 403
    assert browser.post(page, {"who": "anya", "note": "x", "is_sure": "on"}).status_code == 403
    assert page not in browser.get(member_page(page)).content.decode()
    assert merged_into() == set()


def test_staff_does_not_merge_their_own_account(shop):
    person = staff_of("moderator")
    person.email = "max@example.com"
    person.save(update_fields=["email"])
    shop.joins({"external_id": "max", "email": "max@example.com"})

    response = browser_of(person).post(merge_page(shop.id_of("max")), {"who": "anna", "note": "x", "is_sure": "on"})

    assert "This member is yourself." in response.content.decode()
    assert merged_into() == set()


def test_of_somebody_erased_there_is_nothing_to_merge(shop):
    anna = people.get_by_external_id("anna")
    with transaction():
        erasing.erase(member=anna, actor_kind="staff", actor="marta", at=NOON)
    browser = browser_of(staff_of("moderator"))
    page = merge_page(anna.pk)

    told = browser.post(page, {"who": "anya", "note": "x", "is_sure": "on"}).content.decode()

    assert "Somebody who was erased cannot be merged." in told
    assert page not in browser.get(member_page(page)).content.decode()
