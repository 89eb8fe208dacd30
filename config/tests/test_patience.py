"""How long the database works for a request, and what is answered when that is over."""

import runpy
import threading
import time

import pytest
from django.db import OperationalError, connections
from django.test import RequestFactory

from config import patience
from core.db import execute, fetch, transaction
from core.http import problem_document, server_error
from members import people
from rewards.models import Reward
from tenants import context
from tests.cast import Shop
from tests.checkout import ROOT
from tests.programs import program_of


@pytest.fixture
def hasty(db, settings, django_db_blocker):
    """Give every new connection two seconds for a statement, as a web process gives it some more."""
    settings.WEB_STATEMENT_SECONDS, settings.WEB_LOCK_SECONDS = 2, 1
    entry = connections.settings["default"]
    usual = dict(entry["OPTIONS"])
    patience.limit(entry)
    yield
    entry["OPTIONS"] = usual


def on_a_new_connection(act):
    """Return what `act` gives or raises on a connection of its own, in Acme."""
    found = []

    def run() -> None:
        try:
            with context.in_tenant("t_acme"):
                found.append(act())
        except Exception as error:
            found.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=30)
    return found[0]


def answer_to(error):
    try:
        raise error
    except OperationalError:
        return server_error(RequestFactory().get("/api/v1/orders"))


def test_a_connection_of_a_web_process_says_how_long_it_works(hasty, settings):
    settings.WEB_IDLE_SECONDS = 60
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

    told = on_a_new_connection(lambda: [fetch(f"SHOW {name}")[0][0] for name in names])

    assert told == ["2s", "1s", "1min"]


def test_the_entry_for_a_web_server_is_limited_and_nothing_else_is(db):
    assert on_a_new_connection(lambda: fetch("SHOW statement_timeout")[0][0]) == "0"
    usual = dict(connections.settings["default"]["OPTIONS"])
    try:
        runpy.run_path(str(ROOT / "config/wsgi.py"))
        assert on_a_new_connection(lambda: fetch("SHOW statement_timeout")[0][0]) == "15s"
    finally:
        connections.settings["default"]["OPTIONS"] = usual


def test_what_the_address_of_the_database_says_wins():
    database = {"OPTIONS": {"options": "-c statement_timeout=5s"}}

    patience.limit(database)

    assert database["OPTIONS"]["options"].split("-c ")[-1] == "statement_timeout=5s"
    assert "lock_timeout=10s" in database["OPTIONS"]["options"]


def test_a_runaway_statement_is_ended_and_answered_with_too_slow(hasty):
    began = time.monotonic()

    error = on_a_new_connection(lambda: execute("SELECT pg_sleep(20)"))

    assert isinstance(error, OperationalError)
    assert time.monotonic() - began < 10
    answer = answer_to(error)
    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (
        503,
        "30",
        "application/problem+json",
    )
    assert problem_document(error, RequestFactory().get("/"))["code"] == "too_slow"


def test_who_waits_too_long_for_another_is_told_that_it_is_busy(hasty):
    people.lock("t_acme")

    error = on_a_new_connection(transaction(lambda: people.lock("t_acme")))

    assert isinstance(error, OperationalError)
    assert problem_document(error, RequestFactory().get("/"))["code"] == "service_unavailable"
    assert answer_to(error)["Retry-After"] == "2"


@pytest.mark.django_db(transaction=True)
def test_what_was_given_up_is_done_when_it_is_sent_again_with_its_key_and_once(hasty, acme):
    Shop().joins("anna")
    program = program_of(acme, "rewards:write")
    program.headers["Idempotency-Key"] = "once"
    gift = {"key": "gift", "member": "anna", "amount": 5, "reason": "Thank you"}

    def ask():
        return on_a_new_connection(lambda: program.post(gift, "/api/v1/rewards"))

    with transaction():
        people.lock("t_acme")
        given_up = ask()
        assert not Reward.objects.exists()
    done, repeated = ask(), ask()

    assert (given_up.status_code, given_up.json()["code"]) == (503, "service_unavailable")
    assert (done.status_code, "Idempotent-Replayed" in done.headers) == (201, False)
    assert (repeated.json(), repeated.headers["Idempotent-Replayed"]) == (done.json(), "true")
    assert Reward.objects.count() == 1
