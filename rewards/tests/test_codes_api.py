"""The checkout's questions about discount codes, over HTTP."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils.timezone import now
from redis.exceptions import ConnectionError as CacheDown

from rewards import entitlements
from rewards.models import Entitlement
from rewards.tests import gifts
from tenants import context, guessing
from tests.programs import program_of

pytestmark = pytest.mark.django_db

CHECK, REDEEM, RELEASE = "/api/v1/codes/check", "/api/v1/codes/redemptions", "/api/v1/codes/releases"
UNKNOWN = "COFFEE-2222-AAAA"
MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture
def code(anna) -> str:
    gift = gifts.gift("discount", code="coffee", terms={"order_min_minor": 1_000})
    return entitlements.code_of(gifts.give(gift, anna, at=now())[0])


@pytest.fixture
def checkout(acme):
    return program_of(acme, "rewards:read", "rewards:write")


def question(code: str, amount_minor: int = 3_333, **more: Any) -> dict[str, Any]:
    return {"code": code, "order": {"amount_minor": amount_minor, "currency": "RUB"}, **more}


def redemption(code: str, **more: Any) -> dict[str, Any]:
    usual = {"code": code, "order_id": "1001", "amount_minor": 3_333, "currency": "RUB", "key": "key-1"}
    return {**usual, **more}


def test_says_that_a_code_is_good_and_what_it_takes_off(code, checkout):
    answer = checkout.post(question(code.lower(), member="anna"), CHECK)

    given = Entitlement.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "valid": True,
            "reason": None,
            "detail": None,
            "discount": {"type": "percent", "takes_off_minor": 499, "free_delivery": False},
            "valid_until": given.valid_until.astimezone(MOSCOW).isoformat(),
        },
    )
    assert given.status == "issued"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"amount_minor": 999}, "order_too_small"),
        ({"member": "boris"}, "code_of_another"),
        ({"code": UNKNOWN}, "code_not_found"),
    ],
)
def test_says_why_a_code_is_not_good(code, boris, checkout, asked, reason):
    answer = checkout.post(question(**{"code": code, **asked}), CHECK)

    assert (answer.status_code, answer.json()["valid"], answer.json()["reason"]) == (200, False, reason)
    assert answer.json()["discount"] is None


def test_uses_a_code_once_and_says_the_same_to_the_same_order(code, checkout):
    first = checkout.post(redemption(code), REDEEM)
    again = checkout.post(redemption(code), REDEEM)
    other = checkout.post(redemption(code, order_id="1002", key="key-2"), REDEEM)

    given = Entitlement.objects.get()
    assert first.status_code == 200
    assert {name: first.json()[name] for name in ("entitlement_id", "status", "order_id", "discount")} == {
        "entitlement_id": given.pk,
        "status": "used",
        "order_id": "1001",
        "discount": {"type": "percent", "takes_off_minor": 499, "free_delivery": False},
    }
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "code_used")
    assert given.used_for == "1001"


def test_a_key_with_another_body_is_refused(code, checkout):
    checkout.post(redemption(code), REDEEM)

    answer = checkout.post(redemption(code, amount_minor=5_000), REDEEM)

    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


def test_a_code_below_its_minimum_is_not_used(code, checkout):
    answer = checkout.post(redemption(code, amount_minor=999), REDEEM)

    assert (answer.status_code, answer.json()["code"], answer.json()["order_min_minor"]) == (
        409,
        "order_too_small",
        1_000,
    )
    assert Entitlement.objects.get().status == "issued"


def test_an_order_that_is_called_off_gives_the_code_back(code, checkout):
    checkout.post(redemption(code), REDEEM)

    answer = checkout.post({"code": code, "order_id": "1001"}, RELEASE)

    assert (answer.status_code, answer.json()["status"]) == (200, "issued")
    assert checkout.post(redemption(code, order_id="1002", key="key-2"), REDEEM).status_code == 200


def test_nothing_is_given_back_for_another_order(code, checkout):
    checkout.post(redemption(code), REDEEM)

    answer = checkout.post({"code": code, "order_id": "1002"}, RELEASE)

    assert (answer.status_code, answer.json()["code"]) == (409, "code_not_used")
    assert Entitlement.objects.get().status == "used"


@pytest.mark.parametrize(
    ("address", "scope", "body"),
    [
        (CHECK, "rewards:read", question),
        (REDEEM, "rewards:write", redemption),
        (RELEASE, "rewards:write", lambda code: {"code": code, "order_id": "1001"}),
    ],
)
def test_a_key_without_the_scope_is_denied(acme, code, address, scope, body):
    others = {"rewards:read", "rewards:write", "members:read"} - {scope}

    answer = program_of(acme, *others).post(body(code), address)

    assert (answer.status_code, answer.json()["required_scope"]) == (403, scope)
    assert Entitlement.objects.get().status == "issued"


def test_the_other_tenant_has_no_such_code(bolt, code):
    stranger = program_of(bolt, "rewards:read", "rewards:write")

    assert stranger.post(question(code), CHECK).json()["reason"] == "code_not_found"
    assert stranger.post(redemption(code), REDEEM).json()["code"] == "code_not_found"
    assert stranger.post({"code": code, "order_id": "1001"}, RELEASE).json()["code"] == "code_not_found"
    with context.in_tenant("t_acme"):
        assert Entitlement.objects.get().status == "issued"


def test_whoever_guesses_must_wait_and_nobody_else(acme, code, checkout):
    guesses = [checkout.post(question(UNKNOWN), CHECK).status_code for _ in range(guessing.MISSES_MAX)]

    refused = checkout.post(question(code), CHECK)

    assert guesses == [200] * guessing.MISSES_MAX
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert checkout.post(redemption(code), REDEEM).status_code == 429
    assert program_of(acme, "rewards:read").post(question(code), CHECK).json()["valid"] is True
    assert Entitlement.objects.get().status == "issued"


def test_good_codes_are_not_counted_as_guesses(code, checkout):
    answers = {checkout.post(question(code), CHECK).status_code for _ in range(guessing.MISSES_MAX + 1)}

    assert answers == {200}


def test_without_the_cache_the_shop_goes_on_selling(code, checkout, monkeypatch):
    def down(*_args: Any, **_named: Any) -> None:
        raise CacheDown

    for verb in ("get", "add", "incr"):
        monkeypatch.setattr(type(cache._connections["default"]), verb, down)

    assert checkout.post(question(UNKNOWN), CHECK).json()["reason"] == "code_not_found"
    assert checkout.post(redemption(code), REDEEM).status_code == 200


def test_codes_are_not_in_the_log(code, checkout, caplog):
    caplog.set_level("DEBUG")

    checkout.post(redemption(code), REDEEM)
    checkout.post(redemption(UNKNOWN, key="key-2"), REDEEM)

    assert code not in caplog.text
    assert UNKNOWN not in caplog.text
