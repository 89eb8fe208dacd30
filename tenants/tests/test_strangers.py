"""Keys that nobody has: what they cost, and how many may come from one address."""

import secrets

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants import keys, rates
from tenants.models import ApiKey

pytestmark = pytest.mark.django_db

WHOSE = "/api/whose"
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _three_a_minute(settings):
    settings.API_UNKNOWN_KEYS_A_MINUTE = 3
    keys.forget()
    rates.breaker.reset()
    yield
    keys.forget()
    rates.breaker.reset()


def made_up(prefix="22222222"):
    return f"sk_live_{prefix}_{secrets.token_urlsafe(32)}"


def codes_of(client_of, count, key_of=made_up, **more):
    answers = [client_of("localhost", key_of()).get(WHOSE, **more) for _time in range(count)]
    return [answer.json()["code"] for answer in answers]


REFUSED, LIMITED = "authentication_failed", "too_many_unknown_keys"


def test_after_so_many_keys_that_nobody_has_an_address_must_wait(client_of):
    assert codes_of(client_of, 4) == [REFUSED] * 3 + [LIMITED]

    answer = client_of("localhost", made_up()).get(WHOSE)
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    # Three a minute: the next after twenty seconds.
    assert 19 <= int(answer.headers["Retry-After"]) <= 20


@pytest.mark.parametrize("key_of", [lambda: "nonsense", lambda: made_up("a" * 8), lambda: f"{made_up()}x"])
def test_whatever_is_wrong_with_a_key_counts(client_of, key_of):
    assert codes_of(client_of, 4, key_of) == [REFUSED] * 3 + [LIMITED]


def test_guessing_the_secret_of_a_key_that_there_is_counts(client_of, stage):
    key = stage["acme"].live_key
    assert client_of("localhost", key).get(WHOSE).status_code == 200

    assert codes_of(client_of, 4, lambda: key[:-3] + secrets.token_hex(2)[:3]) == [REFUSED] * 3 + [LIMITED]


def test_a_key_that_works_passes_beside_a_neighbour_who_tries(client_of, stage, monkeypatch):
    key = stage["acme"].live_key
    assert client_of("localhost", key).get(WHOSE).status_code == 200
    codes_of(client_of, 5)

    # Longer than it is remembered, too.
    monkeypatch.setattr(keys._keys, "ttl_seconds", -1)
    assert [client_of("localhost", key).get(WHOSE).status_code for _time in range(5)] == [200] * 5


def test_a_key_that_has_worked_passes_in_a_process_that_has_just_begun(client_of, stage):
    working, unused = stage["acme"].live_key, stage["bolt"].live_key
    assert client_of("localhost", working).get(WHOSE).status_code == 200
    codes_of(client_of, 5)

    # It has met nobody, and the neighbour goes on.
    keys.forget()
    assert [client_of("localhost", working).get(WHOSE).status_code for _time in range(3)] == [200] * 3
    # Of one that was never sent nobody knows whether it is one, nor of the same with a slip in it.
    assert (
        codes_of(client_of, 2, iter([unused, working[:-1] + ("A" if working[-1] != "A" else "B")]).__next__)
        == [LIMITED] * 2
    )


def test_another_address_is_not_held_up(client_of, stage):
    codes_of(client_of, 5)

    assert codes_of(client_of, 1, **ELSEWHERE) == [REFUSED]
    assert client_of("localhost", stage["bolt"].live_key).get(WHOSE, **ELSEWHERE).status_code == 200


def test_good_keys_take_nothing_of_what_strangers_have(client_of, stage):
    for _time in range(5):
        keys.forget()
        assert client_of("localhost", stage["acme"].live_key).get(WHOSE).status_code == 200

    assert codes_of(client_of, 1) == [REFUSED]


def test_who_must_wait_costs_no_statement(client_of):
    codes_of(client_of, 4)

    with CaptureQueriesContext(connection) as asked:
        assert codes_of(client_of, 3, lambda: made_up(secrets.choice("abcdefgh") * 8)) == [LIMITED] * 3

    assert not [each["sql"] for each in asked if ApiKey._meta.db_table in each["sql"]]


def test_one_prefix_that_nobody_has_is_looked_up_once(client_of):
    with CaptureQueriesContext(connection) as asked:
        assert codes_of(client_of, 3) == [REFUSED] * 3

    assert len([each["sql"] for each in asked if ApiKey._meta.db_table in each["sql"]]) == 1


def test_keys_that_nobody_has_do_not_drive_out_those_that_there_are(stage, monkeypatch):
    monkeypatch.setattr(keys._keys, "size_max", 3)
    monkeypatch.setattr(keys._absent, "size_max", 3)
    prefix = stage["acme"].live_key.split("_")[2]
    assert keys.find(prefix=prefix) is not None

    assert {keys.find(prefix=f"made-up{number}") for number in range(10)} == {None}

    assert list(keys._keys._answers) == [prefix]
    assert list(keys._absent._answers) == ["made-up7", "made-up8", "made-up9"]


def test_without_valkey_everybody_is_answered_as_ever(client_of, settings, stage):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    assert codes_of(client_of, 6) == [REFUSED] * 6
    assert client_of("localhost", stage["acme"].live_key).get(WHOSE).status_code == 200
