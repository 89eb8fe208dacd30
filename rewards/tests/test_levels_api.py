"""Levels over HTTP. The edge reads the clock, so these tests count from now."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from core.db import transaction
from rewards.levels.review import rise
from rewards.models import Level, RewardPolicy, Standing
from tenants.staff.models import AuditEntry
from tests.programs import program_of

pytestmark = pytest.mark.django_db

PLACE = "/api/v1/members/{}/level"


@pytest.fixture
def levels(acme):
    rows = [("gold", 500, 12_500), ("silver", 100, 10_000)]
    return {
        code: Level.objects.create(code=code, name=code.title(), threshold=threshold, multiplier_bps=bps)
        for code, threshold, bps in rows
    }


@pytest.fixture
def program(acme):
    return program_of(acme, "members:read", "rewards:write")


def put(program, name, **body):
    headers = program.headers
    return program.client.put(PLACE.format(name), body, content_type="application/json", headers=headers)


def delete(program, name, **query):
    return program.client.delete(PLACE.format(name), query_params=query, headers=program.headers)


def level(code, threshold, **columns):
    usual = {"code": code, "name": code.title(), "threshold": threshold, "multiplier_bps": 10_000, "title": ""}
    return {**usual, "badge_url": None, "privileges": [], **columns}


SILVER, GOLD = level("silver", 100), level("gold", 500, multiplier_bps=12_500)


# The ladder


def test_the_ladder_is_shown_from_its_foot_up(program, levels):
    RewardPolicy.objects.update(level_window="rolling", level_window_days=90)
    Level.objects.filter(code="gold").update(title="★ Gold", privileges=["vip-chat"])

    answer = program.get("/api/v1/levels")

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "measure": "earned",
            "window": "rolling",
            "window_days": 90,
            "levels": [SILVER, GOLD | {"title": "★ Gold", "privileges": ["vip-chat"]}],
        },
    )


def test_a_badge_has_an_address_that_works_from_anywhere(program, levels):
    Level.objects.filter(code="gold").update(picture="levels/gold.png")

    found = program.get("/api/v1/levels").json()["levels"][1]["badge_url"]

    assert found == "http://acme.localhost:8000/media/levels/gold.png"


# Where a member stands


def test_a_newcomer_has_no_level_and_a_goal(program, levels, anna):
    answer = program.get(PLACE.format("anna"))

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "level": None,
            "since": None,
            "is_manual": False,
            "manual_until": None,
            "measured": 0,
            "falls_at": None,
            "keep_missing": 0,
            "next": {"level": SILVER, "missing": 100, "by": None},
        },
    )


def test_a_member_has_a_level_and_is_told_what_the_next_one_asks_for(program, levels, scene, anna):
    at = now()
    scene.owe(anna, status="granted", given=420)
    with transaction():
        rise(member_ids=[anna.pk], at=at)

    answer = program.get(PLACE.format("anna")).json()

    assert (answer["level"], answer["measured"]) == (SILVER, 420)
    assert answer["next"] == {"level": GOLD, "missing": 80, "by": None}


def test_at_the_top_there_is_no_next(program, levels, anna):
    Standing.objects.create(member=anna, level=levels["gold"], since=now())

    assert program.get(PLACE.format("anna")).json()["next"] is None


def test_an_id_with_slashes_is_an_id(program, levels, scene):
    scene.member("shop/7/anna")

    assert program.get(PLACE.format("shop/7/anna")).status_code == 200
    assert program.get("/api/v1/members/shop/7/anna").json()["external_id"] == "shop/7/anna"


# By hand


def test_a_level_is_given_and_taken(program, levels, anna):
    until = now() + timedelta(days=30)

    given = put(program, "anna", level="gold", until=until.isoformat(), reason="A partner")
    taken = delete(program, "anna", reason="No partner any more")

    assert (given.status_code, given.json()["level"], given.json()["is_manual"]) == (200, GOLD, True)
    assert (taken.status_code, taken.json()["level"], taken.json()["is_manual"]) == (200, None, False)
    entries = AuditEntry.objects.filter(action__startswith="level.").order_by("pk")
    assert [(entry.actor_kind, entry.action, entry.changes["reason"]) for entry in entries] == [
        ("key", "level.given", "A partner"),
        ("key", "level.taken", "No partner any more"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"level": "gold"}, 400, "invalid"),
        ({"reason": "x"}, 400, "invalid"),
        ({"level": "gold", "reason": "x", "until": "tomorrow"}, 400, "invalid"),
        ({"level": "gold", "reason": "x", "until": "2020-01-01T00:00:00Z"}, 400, "level_ended"),
        ({"level": "bronze", "reason": "x"}, 404, "unknown_level"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_happens(program, levels, anna, body, status, code):
    answer = put(program, "anna", **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Standing.objects.exists()


def test_what_was_earned_is_neither_lowered_nor_taken(program, levels, anna):
    Standing.objects.create(member=anna, level=levels["gold"], since=now(), measured=500)

    lowered = put(program, "anna", level="silver", reason="x")
    taken = delete(program, "anna", reason="x")

    assert (lowered.status_code, lowered.json()["code"]) == (409, "stands_higher")
    assert (taken.status_code, taken.json()["code"]) == (409, "not_given_by_hand")
    assert Standing.objects.get().level == levels["gold"]
    assert delete(program, "anna").json()["errors"][0]["parameter"] == "reason"


# Who may not


def test_nobody_of_another_tenant_is_found(bolt, levels, anna):
    stranger = program_of(bolt, "members:read", "rewards:write")

    answers = [
        stranger.get(PLACE.format("anna")),
        put(stranger, "anna", level="gold", reason="x"),
        delete(stranger, "anna", reason="x"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "unknown_member")] * 3
    assert stranger.get("/api/v1/levels").json()["levels"] == []
    assert not Standing.objects.exists()


@pytest.mark.parametrize("scope", ["members:read", "rewards:write"])
def test_a_key_without_the_scope_reads_or_changes_nothing(acme, levels, anna, scope):
    program = program_of(acme, *({"members:read", "rewards:write"} - {scope}))
    answers = {
        "members:read": [lambda: program.get("/api/v1/levels"), lambda: program.get(PLACE.format("anna"))],
        "rewards:write": [
            lambda: put(program, "anna", level="gold", reason="x"),
            lambda: delete(program, "anna", reason="x"),
        ],
    }[scope]

    for ask in answers:
        answer = ask()
        assert (answer.status_code, answer.json()["required_scope"]) == (403, scope)
    assert not Standing.objects.exists()


def test_nobody_known_so_has_no_level(program, levels):
    assert program.get(PLACE.format("nobody")).json()["code"] == "unknown_member"
