"""Giving and taking by hand, and paying out, over HTTP."""

import pytest

from core.db import transaction
from members.models import Identity, Member
from rewards import ledger
from rewards.models import Adjustment, Posting, Redemption
from rewards.tests.stage import NOON
from rewards.tests.units import has, make_asset
from tenants import context
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry
from tests.programs import program_of

pytestmark = pytest.mark.django_db

ADJUSTMENTS, PAYOUTS = "/api/v1/adjustments", "/api/v1/payouts"
BODY = {"key": "k-1", "member": "anna", "asset": "points", "amount": 50, "reason": "goodwill"}


@pytest.fixture
def program(acme):
    return program_of(acme, "rewards:write", "rewards:read", "payouts:write")


@pytest.fixture
def cash(scene):
    return make_asset("cash")


def nothing_happened():
    return not Posting.objects.exists() and not Adjustment.objects.exists() and not Redemption.objects.exists()


# Adjustments


def test_what_is_out_of_use_is_not_given(scene, anna, program):
    make_asset("stars", is_active=False)

    response = program.post(BODY | {"asset": "stars"}, ADJUSTMENTS)

    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/asset")
    assert nothing_happened()


def test_a_small_change_is_made_at_once(scene, anna, program):
    response = program.post(BODY, ADJUSTMENTS)

    made = Adjustment.objects.get()
    key = ApiKey.objects.latest("pk")
    asked_at = made.asked_at.astimezone(context.zone()).isoformat()
    assert response.status_code == 201
    assert response.json() == {
        "id": made.pk,
        "key": "k-1",
        "member": "anna",
        "member_id": anna.pk,
        "asset": "points",
        "amount": 50,
        "reason": "goodwill",
        "status": "posted",
        "asked_by": f"test ({key.prefix})",
        "asked_at": asked_at,
        "decided_by": "",
        "decided_at": asked_at,
    }
    assert ledger.balance_of(member_id=anna.pk) == 50
    assert (AuditEntry.objects.get().actor_kind, ledger.verify()) == ("key", [])


def test_a_large_change_waits(scene, anna, program):
    response = program.post(BODY | {"amount": -1000}, ADJUSTMENTS)

    assert (response.status_code, response.json()["status"]) == (202, "waiting")
    assert not Posting.objects.exists()


def test_the_same_again_is_answered_the_same(scene, anna, program):
    first, again = program.post(BODY, ADJUSTMENTS), program.post(BODY, ADJUSTMENTS)
    other = program.post(BODY | {"amount": 51}, ADJUSTMENTS)

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert ledger.balance_of(member_id=anna.pk) == 50


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"member": "nobody"}, 404, "unknown_member"),
        ({"asset": "gold"}, 400, "invalid"),
        ({"amount": 0}, 400, "invalid_adjustment"),
        ({"amount": 10**12 + 1}, 400, "invalid"),
        ({"amount": "x"}, 400, "invalid"),
        ({"reason": " "}, 400, "invalid"),
        ({"reason": "x" * 301}, 400, "invalid"),
        ({"key": ""}, 400, "invalid"),
        ({"amount": -51}, 409, "insufficient_balance"),
    ],
)
def test_what_makes_no_sense_changes_nothing(scene, anna, program, body, status, code):
    response = program.post(BODY | body, ADJUSTMENTS)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert nothing_happened()


def test_changes_are_listed_and_looked_at(scene, anna, boris, program):
    first = program.post(BODY, ADJUSTMENTS).json()
    second = program.post(BODY | {"key": "k-2", "member": "boris", "amount": 5000}, ADJUSTMENTS).json()

    assert program.get(ADJUSTMENTS).json()["data"] == [second, first]
    assert program.get(ADJUSTMENTS, status="waiting").json()["data"] == [second]
    assert program.get(ADJUSTMENTS, member="anna").json()["data"] == [first]
    assert program.get(f"{ADJUSTMENTS}/{first['id']}").json() == first
    for number in (0, 10**6, 10**30):
        answer = program.get(f"{ADJUSTMENTS}/{number}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_adjustment")


def test_nothing_is_changed_from_another_tenant(scene, anna, acme, bolt, program):
    mine = program.post(BODY, ADJUSTMENTS).json()
    stranger = program_of(bolt, "rewards:write", "rewards:read")

    assert stranger.get(ADJUSTMENTS).json()["data"] == []
    assert stranger.get(f"{ADJUSTMENTS}/{mine['id']}").status_code == 404
    answer = stranger.post(BODY | {"key": "k-9"}, ADJUSTMENTS)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_member")
    assert program_of(bolt, "rewards:write", at_host_of=acme).post(BODY, ADJUSTMENTS).status_code == 401
    with context.in_tenant("t_acme"):
        assert Adjustment.objects.count() == 1


def test_a_key_needs_the_scope(scene, anna, acme):
    reader, other = program_of(acme, "rewards:read"), program_of(acme, "rewards:write")

    assert reader.post(BODY, ADJUSTMENTS).json()["required_scope"] == "rewards:write"
    assert other.get(ADJUSTMENTS).json()["required_scope"] == "rewards:read"
    for path in (PAYOUTS, f"{PAYOUTS}/1/settlement", f"{PAYOUTS}/1/failure"):
        assert other.post({}, path).json()["required_scope"] == "payouts:write"
    for path in (PAYOUTS, f"{PAYOUTS}/1"):
        assert other.get(path).json()["required_scope"] == "payouts:write"
    assert nothing_happened()


# Payouts


def test_a_run_sets_aside_and_is_answered_the_same_again(cash, anna, program):
    has(anna, 1_500, cash)

    first = program.post({"asset": "cash", "key": "march"}, PAYOUTS)
    again = program.post({"asset": "cash", "key": "march"}, PAYOUTS)

    payout = Redemption.objects.get()
    assert first.status_code == 201
    assert first.json() == {"key": "march", "asset": "cash", "count": 1, "amount": 1_500}
    assert program.get(PAYOUTS, key="march").json()["data"] == [
        {
            "id": payout.pk,
            "member": "anna",
            "member_id": anna.pk,
            "asset": "cash",
            "currency": "RUB",
            "amount": 1_500,
            "status": "reserved",
            "reference": "",
            "note": "",
            "created_at": payout.created_at.astimezone(context.zone()).isoformat(),
            "settled_at": None,
        }
    ]
    assert again.json() == first.json()
    (listed,) = program.get(PAYOUTS, status="reserved", asset="cash").json()["data"]
    assert listed["id"] == payout.pk
    assert program.get(PAYOUTS, status="captured").json()["data"] == []


def test_what_a_run_made_is_listed_page_by_page(scene, cash, program):
    for name in ("anna", "boris", "clara"):
        has(scene.member(name), 1_500, cash)
    made = program.post({"asset": "cash", "key": "march"}, PAYOUTS).json()
    has(scene.member("dmitri"), 1_500, cash)
    program.post({"asset": "cash", "key": "mar"}, PAYOUTS)

    page = program.get(PAYOUTS, key="march", limit=2).json()
    rest = program.get(PAYOUTS, key="march", limit=2, cursor=page["next_cursor"]).json()

    assert (made["count"], made["amount"]) == (3, 4_500)
    assert [each["member"] for each in page["data"] + rest["data"]] == ["clara", "boris", "anna"]
    assert rest["next_cursor"] is None
    assert [each["member"] for each in program.get(PAYOUTS, key="mar").json()["data"]] == ["dmitri"]
    assert program.get(PAYOUTS, key="m").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"asset": "points", "key": "k"}, "not_money"),
        ({"asset": "gold", "key": "k"}, "invalid"),
        ({"asset": "cash", "key": "a:b"}, "invalid_payout"),
        ({"asset": "cash"}, "invalid"),
    ],
)
def test_an_odd_run_is_refused(cash, anna, program, body, code):
    has(anna, 1_500, cash)

    response = program.post(body, PAYOUTS)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not Redemption.objects.exists()


def test_paid_and_failed(cash, anna, boris, program):
    has(anna, 1_500, cash)
    has(boris, 2_500, cash)
    program.post({"asset": "cash", "key": "k"}, PAYOUTS)
    second, first = program.get(PAYOUTS, key="k").json()["data"]

    paid = program.post({"reference": "PAY-1"}, f"{PAYOUTS}/{first['id']}/settlement")
    failed = program.post({"reason": "No such account"}, f"{PAYOUTS}/{second['id']}/failure")

    assert (paid.status_code, paid.json()["status"], paid.json()["reference"]) == (200, "captured", "PAY-1")
    assert (failed.status_code, failed.json()["status"], failed.json()["note"]) == (200, "released", "No such account")
    assert program.post({"reference": "PAY-1"}, f"{PAYOUTS}/{first['id']}/settlement").json() == paid.json()
    assert [program.get(f"{PAYOUTS}/{each['id']}").json() for each in (first, second)] == [paid.json(), failed.json()]
    other = program.post({"reference": "PAY-2"}, f"{PAYOUTS}/{first['id']}/settlement")
    assert (other.status_code, other.json()["code"], other.json()["reference"]) == (409, "payout_settled", "PAY-1")
    late = program.post({"reason": "x"}, f"{PAYOUTS}/{first['id']}/failure")
    assert (late.status_code, late.json()["code"]) == (409, "payout_settled")
    assert ledger.balance_of(member_id=boris.pk, asset_code="cash") == 2_500
    assert ledger.verify() == []


def test_a_payout_is_looked_at_by_its_number(cash, anna, program):
    has(anna, 1_500, cash)
    program.post({"asset": "cash", "key": "k"}, PAYOUTS)
    (payout,) = program.get(PAYOUTS).json()["data"]

    one = program.get(f"{PAYOUTS}/{payout['id']}")

    assert (one.status_code, one.json()) == (200, payout)


def test_what_is_no_payout_is_not_found_among_them(cash, anna, program):
    usual = {"member": anna, "asset": cash, "amount": 5, "status": "reserved", "created_at": NOON}
    order = Redemption.objects.create(key="o", purpose="order", **usual)

    for number in (order.pk, order.pk + 1, 0, 2**63):
        answer = program.get(f"{PAYOUTS}/{number}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_redemption")


def test_another_tenant_neither_sees_nor_settles(cash, anna, bolt, program):
    has(anna, 1_500, cash)
    program.post({"asset": "cash", "key": "k"}, PAYOUTS)
    (payout,) = program.get(PAYOUTS).json()["data"]
    stranger = program_of(bolt, "payouts:write")

    assert stranger.get(PAYOUTS).json()["data"] == []
    seen = stranger.get(f"{PAYOUTS}/{payout['id']}")
    assert (seen.status_code, seen.json()["code"]) == (404, "unknown_redemption")
    for path, body in (("settlement", {"reference": "x"}), ("failure", {"reason": "x"})):
        answer = stranger.post(body, f"{PAYOUTS}/{payout['id']}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_redemption")
    with context.in_tenant("t_acme"):
        assert Redemption.objects.get().status == "reserved"


def test_a_member_of_both_tenants_is_two(cash, anna, bolt):
    with context.in_tenant("t_bolt"), transaction():
        theirs = Member.objects.create(first_seen_at=NOON)
        Identity.objects.create(
            member=theirs, kind="external_id", lookup="anna", value="anna", resolves=True, added_at=NOON
        )

    answer = program_of(bolt, "rewards:write").post(BODY, ADJUSTMENTS)

    assert answer.status_code == 201
    with context.in_tenant("t_acme"):
        assert nothing_happened()
