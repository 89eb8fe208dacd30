"""What programs are told of entitlements and privileges."""

from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import now

from rewards import entitlements
from rewards.models import Entitlement
from rewards.tests import gifts
from tests.programs import program_of

pytestmark = pytest.mark.django_db

LIST, RIGHTS = "/api/v1/members/anna/entitlements", "/api/v1/members/anna/privileges"


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:read", "rewards:read")


def test_lists_what_a_member_was_given_the_newest_first(anna, boris, bot):
    (first,) = gifts.give(gifts.gift("content"), anna)
    (second,) = gifts.give(gifts.gift("discount", code="coffee", name="Coffee"), anna)
    gifts.give(gifts.gift("content"), boris)

    answer = bot.get(LIST)

    assert (answer.status_code, [each["id"] for each in answer.json()["data"]]) == (200, [second.pk, first.pk])
    told = answer.json()["data"][0]
    assert {name: told[name] for name in ("member", "kind", "gift", "status", "code", "link", "used_for")} == {
        "member": "anna",
        "kind": "discount",
        "gift": {"code": "coffee", "name": "Coffee"},
        "status": "issued",
        "code": entitlements.code_of(second),
        "link": None,
        "used_for": "",
    }


def test_a_list_can_be_narrowed_and_read_in_pages(anna, bot):
    content, coffee = gifts.gift("content"), gifts.gift("discount")
    given = gifts.give(content, anna, anna, anna)
    gifts.give(coffee, anna)
    gifts.stop(given[0])

    first = bot.get(LIST, kind="content", status="issued", limit=1).json()
    second = bot.get(LIST, kind="content", status="issued", limit=1, cursor=first["next_cursor"]).json()

    assert [each["id"] for each in first["data"] + second["data"]] == [given[2].pk, given[1].pk]
    assert second["next_cursor"] is None
    assert bot.get(LIST, kind="nonsense").status_code == 400


def test_notes_when_a_code_was_first_told(anna, bot):
    (code,), (content,) = gifts.give(gifts.gift("discount"), anna), gifts.give(gifts.gift("content"), anna)

    bot.get(LIST)
    seen_at = Entitlement.objects.get(pk=code.pk).shown_at
    bot.get(LIST)

    assert seen_at is not None
    assert Entitlement.objects.get(pk=code.pk).shown_at == seen_at
    assert Entitlement.objects.get(pk=content.pk).shown_at is None


def test_a_cancelled_code_is_not_told(anna, bot):
    (code,) = gifts.give(gifts.gift("discount"), anna)
    gifts.stop(code)

    answer = bot.get(f"/api/v1/entitlements/{code.pk}")

    assert (answer.json()["status"], answer.json()["code"], answer.json()["ended_why"]) == (
        "cancelled",
        None,
        "order returned",
    )


def test_a_thousand_statements_are_not_needed_for_a_page(anna, bot, django_assert_max_num_queries):
    gifts.give(gifts.gift("discount"), *[anna] * 50)

    with django_assert_max_num_queries(12):
        answer = bot.get(LIST)

    assert len(answer.json()["data"]) == 50


def test_tells_the_bot_what_a_member_may_do(anna, bot):
    (given,) = gifts.give(gifts.gift("privilege", code="vip-chat", name="VIP chat"), anna, at=now())

    answer = bot.get(RIGHTS)

    until = given.valid_until.astimezone(ZoneInfo("Europe/Moscow")).isoformat()
    assert answer.json() == {"data": [{"code": "vip-chat", "name": "VIP chat", "until": until, "is_of_level": False}]}


@pytest.mark.parametrize("address", [LIST, RIGHTS])
def test_nobody_is_told_of_somebody_unknown(acme, anna, bolt, address):
    gifts.give(gifts.gift("privilege"), anna)

    assert program_of(acme, "rewards:read").get(address).status_code == 403
    assert program_of(bolt, "members:read").get(address).status_code == 404


def test_the_other_tenant_has_no_such_entitlement(acme, bolt, anna):
    (given,) = gifts.give(gifts.gift("discount"), anna)
    address = f"/api/v1/entitlements/{given.pk}"

    assert program_of(acme, "members:read").get(address).status_code == 403
    assert program_of(bolt, "rewards:read").get(address).status_code == 404
    assert program_of(acme, "rewards:read").get("/api/v1/entitlements/99999999999999999999").status_code == 404
    assert Entitlement.objects.get().shown_at is None


def test_a_certificate_is_behind_its_link_and_its_code_is_not_told(anna, bot):
    cafe = gifts.gift("certificate", code="cafe", terms={"denominations": [500]})
    given = Entitlement.objects.create(
        key="certificate:1",
        kind="certificate",
        gift=cafe,
        member=anna,
        value_minor=500,
        currency="RUB",
        status="issued",
        code=entitlements.seal("CAFE-SECRET"),
        created_at=now(),
        issued_at=now(),
    )

    told = bot.get(f"/api/v1/entitlements/{given.pk}").json()

    assert (told["code"], told["value_minor"], told["currency"]) == (None, 500, "RUB")
    assert "/c/" in told["link"]
    assert Entitlement.objects.get().shown_at is None
