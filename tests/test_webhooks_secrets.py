"""A webhook's secrets as a program changes them: another one, the overlap of the old ones, and its end."""

import pytest
import time_machine

from integrations.webhooks import endpoints
from tenants.staff.models import AuditEntry
from tests.callers import URL, Caller, problem
from tests.cast import NOON
from tests.programs import program_of


@pytest.fixture
def program(acme):
    """Return a program that may set up webhooks, at noon of the day when everything happens."""
    with time_machine.travel(NOON, tick=False):
        yield Caller(program_of(acme, "webhooks:write"))


def test_a_rotation_gives_another_secret_and_says_which_sign_until_when(program):
    made = program.post(body={"url": URL}).json()

    rotated = program.post(f"/{made['id']}/rotation")

    assert rotated.status_code == 201
    assert rotated.json()["secret"] != made["secret"]
    assert rotated.json()["old_secret_until"] == "2026-03-18T15:00:00+03:00"
    assert rotated.json()["secrets"] == [
        {"ending": rotated.json()["secret"][-5:-1], "until": None},
        {"ending": made["secret"][-5:-1], "until": "2026-03-18T15:00:00+03:00"},
    ]


def test_a_fourth_secret_has_to_wait_until_one_of_three_has_ended(program):
    number = program.post(body={"url": URL}).json()["id"]
    secrets_given = [program.post(f"/{number}/rotation").json()["secret"] for _ in range(2)]

    refused = program.post(f"/{number}/rotation")

    assert problem(refused) == (409, "too_many_secrets")
    assert refused.json()["until"] == "2026-03-18T12:00:00Z"
    assert len(program.get(f"/{number}").json()["secrets"]) == 3
    with time_machine.travel(NOON + endpoints.OVERLAP, tick=False):
        assert [each["until"] for each in program.get(f"/{number}").json()["secrets"]] == [None]
        given = program.post(f"/{number}/rotation").json()
    assert given["secret"] not in secrets_given
    assert [each["ending"] for each in given["secrets"]] == [given["secret"][-5:-1], secrets_given[1][-5:-1]]


def test_an_overlap_is_ended_at_once_where_somebody_has_an_old_secret(program):
    number = program.post(body={"url": URL}).json()["id"]
    for _ in range(2):
        newest = program.post(f"/{number}/rotation").json()["secret"]

    ended, again = program.delete(f"/{number}/rotation"), program.delete(f"/{number}/rotation")

    assert (ended.status_code, problem(again)) == (204, (409, "no_overlap"))
    found = program.get(f"/{number}").json()
    assert (found["secrets"], found["old_secret_until"]) == ([{"ending": newest[-5:-1], "until": None}], None)
    assert program.post(f"/{number}/rotation").status_code == 201
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [
        "webhook.added",
        "webhook.rotated",
        "webhook.rotated",
        "webhook.overlap_ended",
        "webhook.rotated",
    ]
