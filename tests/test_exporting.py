"""Whoever asks what is held about them is told all of it, and nothing of anybody else."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import execute, transaction
from events.models import Event
from members import people
from members.models import Member
from referrals import codes
from rewards import addresses
from rewards.models import Level, Standing
from rewards.tests import gifts, hands
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.checkout import own_models
from tests.programs import program_of

pytestmark = pytest.mark.django_db

EXPORT = "/api/v1/members/anna/export"
ANNA = {
    "external_id": "anna",
    "telegram": "700",
    "email": "Anna@example.com",
    "phone": "+79211234567",
    "card": "anna-token-1",
    "ip": "203.0.113.7",
}
BORIS = {"external_id": "boris-is-secret", "email": "boris@example.org", "card": "anna-token-1"}
INES = {"external_id": "ines-is-secret"}


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def anna(shop) -> Member:
    """Ines brought Anna, who brought Boris, paid, earned, was given things and moved points."""
    make_campaign(rule={"recipient": "both", "order_number": "any"})
    shop.joins(INES)
    shop.joins(ANNA, code=shop.code_of(INES["external_id"]))
    shop.pays("anna", "500", order="order-of-anna")
    shop.joins(BORIS, invited_by="anna")
    shop.pays(BORIS["external_id"], "700", order="order-of-boris")
    member = people.get_by_external_id("anna")
    parcel = gifts.gift("product", code="mug")
    gifts.give(parcel, member, details={"address": addresses.seal({"name": "Anna K.", "street": "1 Main St"})})
    gifts.give(gifts.gift("discount", code="tenth"), member)
    Standing.objects.create(
        member=member, level=Level.objects.create(code="gold", name="Gold", threshold=1), since=NOON
    )
    hands.give(member, 50)
    with transaction():
        codes.choose(member_id=member.pk, text="ANNA", key="bot", at=NOON)
    return member


@pytest.fixture
def bot(acme):
    return program_of(acme, "exports:read", "members:read")


def text_of(answer):
    return b"".join(answer).decode()


def told_to(bot):
    answer = bot.get(EXPORT)
    assert answer.status_code == 200
    return json.loads(text_of(answer))


def test_a_person_is_told_what_they_are_known_by_in_the_clear(anna, bot):
    told = told_to(bot)

    assert [(each["id"], each["status"]) for each in told["members"]] == [(anna.pk, "active")]
    assert {each["kind"]: each["value"] for each in told["identities"]} == {
        **ANNA,
        "email": "anna@example.com",
    }


def test_a_person_is_told_what_happened_what_they_are_owed_and_what_they_have(anna, bot, shop):
    told = told_to(bot)

    reported = [each for each in told["events"] if each["source"] == "api"]
    assert [each["kind"] for each in reported] == ["member.joined", "order.paid"]
    assert reported[1]["data"]["order_id"] == "order-of-anna"
    assert [each["number"] for each in told["orders"]] == ["order-of-anna"]
    assert [each["code"] for each in told["codes"]] == [codes.list_of(member_id=anna.pk)[1].text, "ANNA"]
    assert [len(told["invited_by"]), len(told["invited"])] == [1, 1]
    assert [(each["given"], each["status"]) for each in told["rewards"]] == [
        (each.given, each.status) for each in shop.rewards_of("anna")
    ]
    assert len(told["rewards"]) == 2
    assert [each["balance"] for each in told["balances"]] == [shop.balance_of("anna")]
    assert next(each["balance"] for each in told["statement"]) == shop.balance_of("anna")
    assert [each["gift"] for each in told["entitlements"]] == ["Mug", "Tenth"]
    assert told["entitlements"][0]["address"] == {"name": "Anna K.", "street": "1 Main St"}
    assert [each["level"] for each in told["levels"]] == ["gold"]


def test_nothing_of_anybody_else_is_told(anna, bot, shop):
    others = [people.get_by_external_id(each["external_id"]) for each in (BORIS, INES)]
    personal = [
        "boris",
        "ines",
        "secret",
        "order-of-boris",
        *(shop.code_of(each["external_id"]) for each in (BORIS, INES)),
    ]

    answer = text_of(bot.get(EXPORT))

    assert [each for each in personal if each in answer] == []
    told = json.loads(answer)
    numbers = {value for rows in told.values() if isinstance(rows, list) for row in rows for value in _ids(row)}
    assert numbers.isdisjoint(each.pk for each in others)


def _ids(row):
    # The row's own number is nobody's.
    return [value for name, value in row.items() if name.endswith("_id")]


def test_codes_that_are_money_are_not_told(anna, bot):
    assert [each for each in told_to(bot)["entitlements"] if "code" in each] == []


def test_it_is_whole_however_much_it_is(anna, bot):
    execute(
        """
        INSERT INTO events_event (source, key, kind, fingerprint, identities, occurred_at, received_at, data, depth,
            is_history, member_id, status, attempts, error, trace)
        SELECT 'api', 'many-' || n, 'check_in', '', '[]', %(at)s, %(at)s, '{}', 0, false, %(member_id)s, 'handled', 0,
            '', '[]'
        FROM generate_series(1, 1203) n
        """,
        {"at": NOON, "member_id": anna.pk},
    )

    told = told_to(bot)["events"]

    assert sum(each["kind"] == "check_in" for each in told) == 1203
    assert len({each["id"] for each in told}) == len(told) == Event.objects.filter(member_id=anna.pk).count()


def test_it_is_sent_bit_by_bit_and_does_not_depend_on_where_the_connection_is_meanwhile(anna, bot, bolt):
    answer = bot.get(EXPORT)

    with context.in_tenant(bolt.schema_name):
        told = json.loads(text_of(answer))

    assert answer.streaming
    assert [each["id"] for each in told["members"]] == [anna.pk]


def test_it_stands_in_the_audit_log(anna, bot):
    bot.get(EXPORT)

    entry = AuditEntry.objects.latest("id")
    assert (entry.actor_kind, entry.action, entry.target, entry.changes) == (
        "key",
        "member.exported",
        f"member:{anna.pk}",
        {},
    )


def test_a_stranger_gets_nothing_a_key_needs_the_scope_and_neither_is_noted(anna, acme, bolt):
    before = AuditEntry.objects.count()

    stranger = program_of(bolt, "exports:read", "members:read").get(EXPORT)
    lacking = program_of(acme, "members:read", "members:write").get(EXPORT)
    not_personal = program_of(acme, "exports:read").get(EXPORT)

    context._set(acme)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_member")
    assert (lacking.status_code, lacking.json()["required_scope"]) == (403, "exports:read")
    assert (not_personal.status_code, not_personal.json()["required_scope"]) == (403, "members:read")
    assert AuditEntry.objects.count() == before


def test_whoever_is_erased_is_not_found(anna, acme, bot):
    program_of(acme, "members:write").delete("/api/v1/members/anna")

    assert bot.get(EXPORT).status_code == 404


def test_whatever_points_at_a_member_is_told(anna, bot):
    with CaptureQueriesContext(connection) as statements:
        text_of(bot.get(EXPORT))
    asked = " ".join(each["sql"] for each in statements)

    pointing = [
        model
        for model in own_models()
        if any(field.related_model is Member for field in model._meta.concrete_fields if field.is_relation)
    ]
    assert [model for model in pointing if not re.search(rf"FROM {model._meta.db_table}\b", asked)] == []
    assert len(pointing) > 10
