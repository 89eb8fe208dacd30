"""Members as a tenant's programs list and find them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import transaction
from members import erasing, identities, people
from members.api.members import MISSES_MAX
from members.models import Member
from tests.cast import NOON
from tests.programs import program_of

pytestmark = pytest.mark.django_db

MEMBERS, SEARCH = "/api/v1/members", "/api/v1/members/search"
ANNA = {"external_id": "anna", "telegram": 4711, "email": "Anna+shop@gmail.com", "phone": "+7 921 123-45-67"}


@transaction
def tell(told, *, schema="t_acme"):
    given = identities.prepare(schema=schema, identities=told, region="RU")
    return people.upsert(schema=schema, identities=given, at=NOON).member


@pytest.fixture
def anna(acme):
    return tell(ANNA)


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:read")


def refused(answer):
    return answer.status_code, answer.json()["code"]


# Finding one


def test_who_is_known_by_telegram_only_is_given_an_id_and_asked_for_by_it(acme):
    member = tell({"telegram": 4711})
    bot = program_of(acme, "members:read", "members:write")

    found = bot.post({"telegram": 4711}, SEARCH).json()
    named = bot.post({"external_id": "tg-4711", "telegram": 4711}, MEMBERS)

    assert (found["id"], found["external_id"]) == (member.pk, None)
    assert (named.status_code, named.json()["id"], named.json()["created"]) == (200, member.pk, False)
    assert bot.get(f"{MEMBERS}/tg-4711").json()["id"] == member.pk


@pytest.mark.parametrize(
    "asked",
    [
        {"external_id": "anna"},
        {"telegram": "4711"},
        {"telegram": 4711, "email": None},
        {"email": "anna@gmail.com"},
        {"phone": "8 921 123 45 67"},
    ],
)
def test_a_member_is_found_by_any_identity_that_names_them(anna, bot, asked):
    answer = bot.post(asked, SEARCH)

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": anna.pk,
            "external_id": "anna",
            "status": "active",
            "first_seen_at": "2026-03-17T15:00:00+03:00",
            "joined_at": None,
        },
    )


@pytest.mark.parametrize("asked", [{"external_id": "Anna"}, {"email": "boris@gmail.com"}, {"telegram": 4712}])
def test_whoever_is_not_known_is_not_found(anna, bot, asked):
    assert refused(bot.post(asked, SEARCH)) == (404, "unknown_member")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "not_one_identity"),
        ({"external_id": None}, "not_one_identity"),
        ({"external_id": "anna", "telegram": 4711}, "not_one_identity"),
        ({"card": "token"}, "not_one_identity"),
        ({"ip": "203.0.113.1"}, "not_one_identity"),
        ({"email": "anna"}, "invalid_identity"),
        ({"external_id": ["anna"]}, "invalid_identity"),
        ([], "invalid"),
    ],
)
def test_what_names_nobody_or_several_is_refused(anna, bot, asked, code):
    assert refused(bot.post(asked, SEARCH)) == (400, code)


def test_whoever_is_erased_is_not_found(anna, bot):
    with transaction():
        erasing.erase(member=anna, actor_kind="key", actor="bot", at=NOON)

    assert refused(bot.post({"external_id": "anna"}, SEARCH)) == (404, "unknown_member")
    assert refused(bot.post({"email": "anna@gmail.com"}, SEARCH)) == (404, "unknown_member")


def test_whoever_asks_for_too_many_who_are_nobody_must_wait_and_others_need_not(anna, bot, acme):
    misses = {bot.post({"telegram": 5000 + number}, SEARCH).status_code for number in range(MISSES_MAX)}

    answer = bot.post({"external_id": "anna"}, SEARCH)

    assert misses == {404}
    assert refused(answer) == (429, "too_many_guesses")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert program_of(acme, "members:read").post({"external_id": "anna"}, SEARCH).status_code == 200


def test_finding_makes_nobody_and_takes_few_statements(anna, bot):
    bot.post({"email": "anna@gmail.com"}, SEARCH)

    with CaptureQueriesContext(connection) as statements:
        bot.post({"email": "anna@gmail.com"}, SEARCH)

    # Two of them begin and end its transaction.
    assert len(statements) <= 3
    assert Member.objects.count() == 1


def test_a_stranger_finds_nobody_and_a_key_needs_the_scope(anna, acme, bolt):
    assert refused(program_of(bolt, "members:read").post({"external_id": "anna"}, SEARCH)) == (404, "unknown_member")
    assert refused(program_of(acme, "members:write").post({"external_id": "anna"}, SEARCH)) == (403, "missing_scope")


# Listing all


def listed(answer):
    return [each["external_id"] for each in answer.json()["data"]]


def test_members_are_listed_the_newest_first_and_in_pages(anna, bot):
    tell({"telegram": 1})
    tell({"external_id": "vera"})

    first = bot.get(MEMBERS, limit=2)
    second = bot.get(MEMBERS, limit=2, cursor=first.json()["next_cursor"])

    assert (listed(first), listed(second)) == (["vera", None], ["anna"])
    assert second.json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "blocked"}, ["boris"]),
        ({"since": "2026-03-17T12:00:00Z"}, ["anna"]),
        ({"until": "2026-03-17T15:00:00+03:00"}, []),
        ({"since": "2026-03-17T12:00:00Z", "until": "2026-03-17T12:00:01Z"}, ["anna"]),
        ({"status": "merged"}, []),
    ],
)
def test_the_list_is_narrowed_down(anna, bot, query, found):
    Member.objects.filter(pk=anna.pk).update(joined_at=NOON)
    Member.objects.filter(pk=tell({"external_id": "boris"}).pk).update(status="blocked")

    assert listed(bot.get(MEMBERS, **query)) == found


@pytest.mark.parametrize("query", [{"status": "gone"}, {"since": "x"}, {"limit": 0}])
def test_a_filter_that_makes_no_sense_is_refused(bot, query):
    assert bot.get(MEMBERS, **query).status_code == 400


def test_a_list_takes_one_statement(anna, bot):
    bot.get(MEMBERS)

    with CaptureQueriesContext(connection) as statements:
        bot.get(MEMBERS)

    assert len(statements) == 1


def test_a_stranger_s_list_is_empty_and_a_key_needs_the_scope(anna, acme, bolt):
    assert listed(program_of(bolt, "members:read").get(MEMBERS)) == []
    assert refused(program_of(acme, "members:write").get(MEMBERS)) == (403, "missing_scope")
