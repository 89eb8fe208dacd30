"""What programs read of cases, and decide about them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from antifraud.limits import counters
from antifraud.models import Case, Decision
from antifraud.moderation import deciding, figures
from rewards import ledger
from rewards.models import Reward
from tenants import audit, context, keys
from tenants.models import Tenant
from tenants.staff import programs
from tenants.staff.models import AuditEntry, Staff
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, flag, staff_of
from tests.programs import Program, host_of, program_of
from tests.races import at_once

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/cases"
APPROVAL = {"decision": "approve", "reason": "A family.", "note": "They called."}
REJECTION = {"decision": "reject", "reason": "The same person."}


@pytest.fixture
def crm(acme):
    """Give the program of somebody who decides elsewhere."""
    _row, key = keys.issue(tenant=acme, environment="live", name="CRM", scopes=["cases:read", "cases:decide"], at=NOON)
    return Program(key, host=host_of(acme))


def name_of_key() -> str:
    """Return what the key is called: its name and the start of it."""
    return AuditEntry.objects.filter(actor_kind="key").latest("pk").actor


def decide(program, case, body):
    return program.post(body, f"{ADDRESS}/{case.pk}/decision")


def test_a_case_tells_who_how_much_and_what_was_seen(crm, case, shop, acme):
    # Not the row that all tests share.
    Tenant.objects.filter(pk=acme.pk).update(language="en")

    found = crm.get(f"{ADDRESS}/{case.pk}").json()

    assert {each["external_id"]: each["side"] for each in found["members"]} == {"anna": "inviter", "boris": "invitee"}
    assert (found["points"], found["amounts"], found["status"]) == (200, ["200"], "open")
    (signal,) = [each for each in found["signals"] if not each["is_shadow"]]
    assert (signal["signal"], signal["weight"]) == ("self_referral_card", 100)
    assert signal["sentence"] in found["reasons"]
    assert [(each["external_id"], each["status"], each["amount"]) for each in found["rewards"]] == [
        ("anna", "flagged", 100),
        ("boris", "flagged", 100),
    ]
    assert (found["decisions"], found["decided_by"], found["rewards_count"]) == ([], None, 2)


def test_nothing_personal_is_in_a_case(crm, campaign, shop):
    shop.joins({"external_id": "anna", "card": "card-of-both", "email": "anna@example.com", "phone": "+79161234567"})
    shop.joins({"external_id": "boris", "card": "card-of-both"}, invited_by="anna")
    shop.pays("boris", "500")

    told = crm.get(f"{ADDRESS}/{Case.objects.get().pk}").content.decode()

    assert [each for each in ("card-of-both", "anna@example.com", "9161234567") if each in told] == []


def test_cases_are_listed_by_what_is_asked_for_and_counted(crm, campaign, shop, max_):
    for number in range(4):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    first, second, third, fourth = Case.objects.order_by("pk")
    deciding.reject(case=first, by=max_, at=NOON)
    Case.objects.filter(pk=second.pk).update(assigned_to=max_)
    Case.objects.filter(pk=third.pk).update(due_at=timezone.now() + timedelta(hours=1))

    def asked(**query):
        return [each["id"] for each in crm.get(ADDRESS, **query).json()["data"]]

    assert asked() == [fourth.pk, third.pk, second.pk, first.pk]
    assert asked(status="rejected") == [first.pk]
    assert asked(assigned="max") == [second.pk]
    assert asked(assigned="nobody", status="open") == [fourth.pk, third.pk]
    assert asked(overdue="true") == [fourth.pk, second.pk]
    assert asked(overdue="false", status="open") == [third.pk]
    assert asked(campaign=campaign.pk) == asked()
    assert asked(campaign=campaign.pk + 1) == []
    assert crm.get(ADDRESS).json()["counts"] == {"waiting": 3, "unassigned": 2, "overdue": 2, "escalated": 0}


def test_a_list_takes_as_many_statements_for_many_cases_as_for_one(crm, campaign, shop, django_assert_num_queries):
    flag(shop, inviter="inviter-0", friend="friend-0")
    crm.get(ADDRESS)
    with django_assert_num_queries(6) as one:
        crm.get(ADDRESS)
    for number in range(1, 4):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")

    with django_assert_num_queries(len(one)):
        assert len(crm.get(ADDRESS).json()["data"]) == 4


def test_a_key_approves_and_stands_there_by_its_name(crm, case, shop):
    answer = decide(crm, case, APPROVAL)

    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)
    key = name_of_key()
    assert key.startswith("CRM (")
    assert answer.json()["decided_by"] == {"kind": "key", "name": key}
    (decision,) = answer.json()["decisions"]
    assert (decision["action"], decision["note"], decision["by"]["name"]) == ("approve", "A family. They called.", key)
    entry = AuditEntry.objects.get(action="case.approved")
    assert (entry.actor_kind, entry.target) == ("key", f"case:{case.pk}")
    assert audit.verify() == ledger.verify() == []


def test_the_figures_count_a_key_by_its_name(crm, case):
    decide(crm, case, APPROVAL)

    zone = context.zone()
    (who,) = figures.figures(days=7, zone=zone, at=timezone.now()).moderators
    assert (who.who, who.decisions) == (f"API key {name_of_key()}", 1)


def test_a_key_rejects_one_side_and_the_other_is_given(crm, case, shop):
    answer = decide(crm, case, {**REJECTION, "sides": "inviter"})

    assert answer.json()["status"] == "rejected"
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)
    assert counters.verify(zone="Europe/Moscow") == []


def test_a_key_takes_back_what_it_has_decided(crm, case, shop):
    decide(crm, case, REJECTION)

    answer = crm.post(None, f"{ADDRESS}/{case.pk}/undo")

    assert (answer.status_code, answer.json()["status"]) == (200, "open")
    assert [each["action"] for each in answer.json()["decisions"]] == ["reject", "undo"]
    assert set(Reward.objects.values_list("status", flat=True)) == {"flagged"}
    assert AuditEntry.objects.get(action="case.reopened").actor_kind == "key"


def test_nothing_is_taken_back_where_nothing_was_decided(crm, case):
    answer = crm.post(None, f"{ADDRESS}/{case.pk}/undo")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_undoable")
    assert not Decision.objects.exists()
    assert not Staff.objects.filter(username__startswith=programs.START).exists()


def test_who_comes_second_is_told_who_was_quicker(crm, case, max_, shop):
    deciding.reject(case=case, by=max_, at=NOON)

    answer = decide(crm, case, APPROVAL)

    assert (answer.status_code, answer.json()["code"], answer.json()["decided_by"]) == (409, "already_decided", "max")
    assert shop.balance_of("anna") == 0
    assert Decision.objects.count() == 1


def test_a_case_that_has_grown_is_looked_at_again(crm, case):
    answer = decide(crm, case, {**APPROVAL, "seen": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "case_has_grown")
    assert decide(crm, case, {**APPROVAL, "seen": 2}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"decision": "maybe", "reason": "x"}, "/decision"),
        ({"decision": "approve"}, "/reason"),
        ({"decision": "reject", "reason": "x", "sides": "neither"}, "/sides"),
        ({"decision": "approve", "reason": "x", "sides": "inviter"}, "/sides"),
    ],
)
def test_what_makes_no_sense_decides_nothing(crm, case, body, pointer):
    answer = decide(crm, case, body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    case.refresh_from_db()
    assert case.status == "open"


@pytest.mark.parametrize("action", ["", "/decision", "/undo"])
def test_looking_never_decides(crm, case, action):
    """Whatever shows a preview of a link asks for it with GET."""
    crm.get(f"{ADDRESS}/{case.pk}{action}", decision="approve", reason="x")

    case.refresh_from_db()
    assert case.status == "open"
    assert not Decision.objects.exists()


@pytest.mark.parametrize("action", ["decision", "undo"])
def test_whoever_may_look_may_not_decide(acme, case, action):
    answer = program_of(acme, "cases:read").post(APPROVAL, f"{ADDRESS}/{case.pk}/{action}")

    assert (answer.status_code, answer.json()["required_scope"]) == (403, "cases:decide")
    case.refresh_from_db()
    assert case.status == "open"


def test_another_tenant_neither_sees_nor_decides_a_case(bolt, case):
    stranger = program_of(bolt, "cases:read", "cases:decide")

    assert stranger.get(ADDRESS).json()["data"] == []
    for answer in (
        stranger.get(f"{ADDRESS}/{case.pk}"),
        decide(stranger, case, APPROVAL),
        stranger.post(None, f"{ADDRESS}/{case.pk}/undo"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_case")
    with context.in_tenant("t_acme"):
        case.refresh_from_db()
    assert case.status == "open"


def test_a_key_that_has_decided_is_nobody_of_the_staff(crm, case):
    decide(crm, case, APPROVAL)
    admin = staff_of("admin", username="anton")

    page = browser_of(admin).get("/admin/staff/staff/").content.decode()

    assert "anton" in page
    assert programs.START not in page
    stand_in = Staff.objects.get(username__startswith=programs.START)
    assert (stand_in.is_active, stand_in.is_staff, stand_in.has_usable_password()) == (False, False, False)


def test_a_case_that_a_key_decided_says_so_on_its_page(crm, case, max_):
    decide(crm, case, APPROVAL)

    page = browser_of(max_).get(f"/admin/antifraud/case/{case.pk}/change/").content.decode()

    assert f"API key {name_of_key()}" in page


@pytest.mark.django_db(transaction=True)
def test_of_two_programs_at_once_one_decides():
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    case = Case.objects.get()
    tenant = context.current()
    programs_ = [program_of(tenant, "cases:decide") for _number in range(4)]

    answers = at_once(*[lambda each=each: decide(each, case, APPROVAL) for each in programs_])

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    with context.in_tenant("t_acme"):
        assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)
        assert Decision.objects.count() == 1
        assert ledger.verify() == []
