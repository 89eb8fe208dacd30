"""Doing something in every tenant, one after another."""

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connections

from core.db import current_schema, fetch
from tenants import context, rounds

pytestmark = pytest.mark.django_db


def everybody():
    return sorted(tenant.schema_name for tenant in context.serving())


def test_each_tenant_is_current_once(acme):
    seen = []

    rounds.visit(lambda tenant: seen.append((tenant.schema_name, current_schema())))

    assert sorted(seen) == [(schema, schema) for schema in everybody()]
    assert len(seen) >= 4
    assert current_schema() == "t_acme"


def test_what_fails_in_one_is_in_the_log_and_the_others_follow(acme, caplog):
    seen = []

    def act(tenant):
        seen.append(tenant.schema_name)
        if tenant.slug in {"acme", "bolt"}:
            raise ZeroDivisionError

    rounds.visit(act)

    assert sorted(seen) == everybody()
    assert sorted((record.getMessage(), record.tenant) for record in caplog.records) == [
        ("A tenant's turn failed.", "acme"),
        ("A tenant's turn failed.", "bolt"),
    ]


def test_when_the_time_is_over_nobody_else_s_turn_comes(acme):
    seen = []

    def act(tenant):
        seen.append(tenant.schema_name)
        raise SoftTimeLimitExceeded

    with pytest.raises(SoftTimeLimitExceeded):
        rounds.visit(act)

    assert len(seen) == 1
    assert current_schema() == "t_acme"


@pytest.mark.django_db(transaction=True)
def test_one_who_loses_the_connection_loses_it_for_nobody_else(acme):
    seen = []

    def act(tenant):
        seen.append(fetch("SELECT current_schema() AS name")[0].name)
        if tenant.slug == "acme":
            fetch("SELECT pg_terminate_backend(pg_backend_pid())")

    rounds.visit(act)

    assert sorted(seen) == everybody()


def test_nobody_is_always_the_last(acme):
    last = set()

    for _ in range(100):
        seen = []
        rounds.visit(lambda tenant, seen=seen: seen.append(tenant.slug))
        last.add(seen[-1])

    assert last == {tenant.slug for tenant in context.serving()}


@pytest.mark.django_db(transaction=True)
def test_after_so_many_tenants_a_fresh_connection_takes_over(acme, monkeypatch):
    seen: list[tuple[int, str]] = []

    def act(_tenant):
        seen.append(tuple(fetch("SELECT pg_backend_pid() AS pid, current_schema() AS name")[0]))

    rounds.visit(act)
    assert len({pid for pid, _schema in seen}) == 1
    seen.clear()
    monkeypatch.setattr(rounds, "TENANTS_A_CONNECTION", 2)
    rounds.visit(act)

    pids = [pid for pid, _schema in seen]
    assert sorted(schema for _pid, schema in seen) == everybody()
    assert pids[0] == pids[1]
    assert len(set(pids)) == (len(pids) + 1) // 2
    connections.close_all()
