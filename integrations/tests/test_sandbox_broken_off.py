"""A request that was broken off on its way through time, and is repeated with its Idempotency-Key."""

import threading
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections

from integrations.sandbox import turns
from integrations.tests.programs import ADDRESS, trying_out
from tenants import answers, context
from tenants import clock as clocks
from tenants.answers import Asked
from tenants.models import Tenant
from tenants.staff.models import Answer
from tests.races import at_once

pytestmark = pytest.mark.django_db

SCHEMA = "t_acme_sandbox"
CLOCK = f"{ADDRESS}clock"
WEEK = {"advance_days": 7}
SLACK = timedelta(minutes=2)


class Died(Exception):
    pass


@contextmanager
def dying_at(step):
    """Let the process die at this step of the clock: nothing is written of it, and nothing comes after it."""
    seen = []

    def watch(execute, sql, params, many, context):
        if sql.startswith('UPDATE "tenants_tenant"') and "clock_ahead" in sql:
            seen.append(sql)
            if len(seen) == step:
                raise Died
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield


def send(program, body, key="once"):
    headers = program.headers | {"Idempotency-Key": key}
    return program.client.post(CLOCK, body, content_type="application/json", headers=headers)


def ahead():
    return Tenant.objects.get(schema_name=SCHEMA).clock_ahead


def kept():
    with context.in_tenant(SCHEMA):
        return list(Answer.objects.values_list("status", "headers"))


def test_who_repeats_what_was_broken_off_comes_to_the_same_instant(acme):
    program = trying_out(acme)
    with context.in_tenant(SCHEMA):
        to = clocks.now() + timedelta(days=7)
    with dying_at(step=3):
        broken = send(program, WEEK)
    on_the_way = ahead()

    answer = send(program, WEEK)

    assert broken.status_code == 500
    assert timedelta(days=1) < on_the_way < timedelta(days=6)
    assert (answer.status_code, answer.json()["is_there"]) == (200, True)
    assert abs(datetime.fromisoformat(answer.json()["to"]) - to) < SLACK
    assert timedelta(days=7) - SLACK < ahead() <= timedelta(days=7)
    # And again it is told what was told.
    again = send(program, WEEK)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
    assert ahead() <= timedelta(days=7)


def test_who_was_there_and_died_before_the_answer_is_told_so_and_goes_no_further(acme):
    program = trying_out(acme)
    with dying_at(step=1):
        send(program, WEEK)
    ((status, headers),) = kept()
    assert (status, list(headers)) == (answers.PLANNED, [answers.PLAN])
    assert program.post({"to": headers[answers.PLAN]}, CLOCK).json()["is_there"] is True

    answer = send(program, WEEK)

    assert answer.status_code == 200, answer.content
    assert (answer.json()["is_there"], answer.json()["nights"]) == (True, 0)
    assert ahead() <= timedelta(days=7)


def test_another_body_with_the_key_of_what_was_broken_off_is_refused(acme):
    program = trying_out(acme)
    with dying_at(step=2):
        send(program, WEEK)
    stands = ahead()

    answer = send(program, {"advance_days": 8})

    assert (answer.status_code, answer.json()["code"], ahead()) == (422, "idempotency_key_reused", stands)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": "2020-01-01T00:00:00Z"}, "only_forward"),
        ({"to": "2100-01-01T00:00:00Z"}, "invalid_advance"),
        ({}, "invalid_advance"),
    ],
)
def test_what_is_refused_is_no_plan(acme, body, code):
    program = trying_out(acme)

    answers_given = [send(program, body).json()["code"] for _time in range(2)]

    assert answers_given == [code, code]
    assert (kept(), ahead()) == ([], timedelta())


def test_without_a_key_nothing_is_planned(acme):
    program = trying_out(acme)
    with dying_at(step=2):
        program.post(WEEK, CLOCK)

    assert kept() == []


@contextmanager
def held_by_another(hold):
    """Have another connection in the sandbox hold something within the block."""
    is_held, may_end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with context.in_tenant(SCHEMA), hold():
                is_held.set()
                may_end.wait(timeout=30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert is_held.wait(timeout=10)
    try:
        yield
    finally:
        may_end.set()
        thread.join(timeout=10)


ASKED = Asked(key="once", method="POST", path=CLOCK, body=WEEK)


@pytest.mark.parametrize(
    ("hold", "code"),
    [
        (lambda: answers.alone(asked=ASKED), "idempotency_key_in_use"),
        (lambda: turns.alone(schema=SCHEMA), "sandbox_busy"),
    ],
    ids=["the same request", "the turn"],
)
@pytest.mark.django_db(transaction=True)
def test_who_comes_while_another_is_at_it_moves_nothing(acme, hold, code):
    program = trying_out(acme)
    with held_by_another(hold):
        refused = send(program, WEEK)
        assert (refused.status_code, refused.json()["code"], ahead()) == (409, code, timedelta())

    # It is let go of, and nothing was planned meanwhile.
    assert kept() == []
    assert send(program, {"advance_days": 1}).json()["is_there"] is True


@pytest.mark.django_db(transaction=True)
def test_two_who_advance_at_once_never_go_further_than_both_together(acme):
    first, second = trying_out(acme), trying_out(acme)

    told = at_once(*[lambda program=program: program.post({"advance_hours": 5}, CLOCK) for program in (first, second)])

    went = [answer for answer in told if answer.status_code == 200]
    assert {answer.json()["code"] for answer in told if answer not in went} <= {"sandbox_busy"}
    assert timedelta(hours=5 * len(went)) - SLACK < ahead() <= timedelta(hours=5 * len(went))
