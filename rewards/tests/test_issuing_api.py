"""Issuing, cancelling and looking at rewards over HTTP."""

from typing import Any

import pytest

from rewards import entitlements, ledger
from rewards.models import Entitlement, Reward
from rewards.tests import gifts
from tenants import context
from tests.programs import program_of

pytestmark = pytest.mark.django_db

ISSUE = "/api/v1/rewards"


@pytest.fixture
def program(acme):
    return program_of(acme, "rewards:read", "rewards:write")


def wish(**more: Any) -> dict[str, Any]:
    return {"key": "k-1", "member": "anna", "amount": 50, "reason": "a bad parcel", **more}


def cancellation(reward_id: int) -> str:
    return f"{ISSUE}/{reward_id}/cancellation"


def test_issues_points(anna, program):
    answer = program.post(wish(), ISSUE)

    told = answer.json()
    assert answer.status_code == 201
    assert {
        name: told[name] for name in ("member", "kind", "asset", "given", "status", "occurrence", "entitlements")
    } == {
        "member": "anna",
        "kind": "points",
        "asset": "points",
        "given": 50,
        "status": "granted",
        "occurrence": "key:k-1",
        "entitlements": [],
    }
    assert ledger.balance_of(member_id=anna.pk) == 50


def test_issues_a_code_and_tells_it(anna, program):
    gift = gifts.gift("discount", code="coffee")

    answer = program.post(wish(kind="discount", what="coffee", amount=1), ISSUE)

    given = Entitlement.objects.get(gift=gift)
    (became,) = answer.json()["entitlements"]
    assert (became["id"], became["code"], became["member"]) == (given.pk, entitlements.code_of(given), "anna")
    assert given.shown_at is not None
    assert program.get(f"{ISSUE}/{answer.json()['id']}").json() == answer.json()


def test_a_repeat_gets_the_same_and_another_body_is_refused(anna, program):
    first = program.post(wish(), ISSUE)

    assert (program.post(wish(), ISSUE).status_code, program.post(wish(), ISSUE).json()) == (201, first.json())
    other = program.post(wish(amount=51), ISSUE)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert ledger.balance_of(member_id=anna.pk) == 50


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"reason": ""}, "/reason"),
        ({"amount": 0}, "/amount"),
        ({"kind": "car"}, "/kind"),
        ({"kind": "content", "what": "nothing", "amount": 1}, "/what"),
        ({"key": "x" * 101}, "/key"),
    ],
)
def test_says_what_is_wrong_with_a_request(anna, program, other, pointer):
    answer = program.post(wish(**other), ISSUE)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert not Reward.objects.exists()


def test_nobody_unknown_is_given_anything(acme, program):
    answer = program.post(wish(member="nobody"), ISSUE)

    assert answer.status_code == 404
    assert not Reward.objects.exists()


def test_cancels_and_says_the_same_again(anna, program):
    reward_id = program.post(wish(), ISSUE).json()["id"]

    first = program.post({"reason": "a mistake"}, cancellation(reward_id))
    again = program.post({"reason": "a mistake"}, cancellation(reward_id))

    assert (first.status_code, first.json()["status"], first.json()["taken_back"]) == (200, "reversed", 50)
    assert (again.status_code, again.json()) == (200, first.json())
    assert ledger.balance_of(member_id=anna.pk) == 0


def test_says_what_could_not_be_taken_back(anna, program):
    gifts.gift("discount", code="coffee")
    told = program.post(wish(kind="discount", what="coffee", amount=1), ISSUE).json()
    Entitlement.objects.update(status="used")

    answer = program.post({"reason": "a mistake"}, cancellation(told["id"])).json()

    assert (answer["status"], answer["taken_back"], answer["lost"], answer["lost_why"]) == ("reversed", 0, 1, "used")
    assert [each["status"] for each in answer["entitlements"]] == ["used"]


def test_cancelling_needs_a_reason(anna, program):
    reward_id = program.post(wish(), ISSUE).json()["id"]

    assert program.post({}, cancellation(reward_id)).status_code == 400
    assert ledger.balance_of(member_id=anna.pk) == 50


def test_a_reward_that_is_not_there_is_not_found(acme, program):
    for reward_id in (1, 10**20):
        assert program.get(f"{ISSUE}/{reward_id}").json()["code"] == "unknown_reward"
        assert program.post({"reason": "x"}, cancellation(reward_id)).status_code == 404


def test_a_key_that_only_reads_issues_and_cancels_nothing(acme, anna, program):
    reward_id = program.post(wish(), ISSUE).json()["id"]
    reader = program_of(acme, "rewards:read")

    assert reader.post(wish(key="k-2"), ISSUE).json()["required_scope"] == "rewards:write"
    assert reader.post({"reason": "x"}, cancellation(reward_id)).json()["required_scope"] == "rewards:write"
    assert program_of(acme, "rewards:write").get(f"{ISSUE}/{reward_id}").json()["required_scope"] == "rewards:read"
    assert Reward.objects.get().status == "granted"


def test_the_other_tenant_reaches_nothing(bolt, anna, program):
    reward_id = program.post(wish(), ISSUE).json()["id"]
    stranger = program_of(bolt, "rewards:read", "rewards:write")

    assert stranger.get(f"{ISSUE}/{reward_id}").status_code == 404
    assert stranger.post({"reason": "x"}, cancellation(reward_id)).status_code == 404
    assert stranger.post(wish(key="k-2"), ISSUE).status_code == 404
    with context.in_tenant("t_acme"):
        assert Reward.objects.get().status == "granted"
