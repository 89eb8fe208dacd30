"""What the log says of a request and of a task: whose it was, and nothing secret."""

import logging
from datetime import UTC, datetime

import pytest
from celery import shared_task
from django.conf import settings

from core.trail import TrailFilter
from tenants import context, keys
from tests.programs import Program

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


class Kept(logging.Handler):
    """Keeps the lines as the console would show them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.addFilter(TrailFilter())
        self.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines():
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


def test_every_line_of_a_request_has_its_id_its_tenant_and_the_start_of_its_key(acme, lines):
    key, full = keys.issue(tenant=acme, environment="sandbox", name="x", scopes=["members:read"], at=NOW)
    program = Program(full, host="acme.localhost")
    program.headers["X-Request-Id"] = "trace-1"

    program.get("/api/v1/members/nobody")

    trail = f"[request=trace-1 tenant=t_acme_sandbox key=sk_test_{key.prefix}_]"
    assert lines == [f"WARNING django.request {trail}: Not Found: /api/v1/members/nobody"]
    assert full.split("_", 3)[3] not in "".join(lines)


def test_the_next_request_has_nothing_of_the_one_before(acme, lines):
    __, full = keys.issue(tenant=acme, environment="live", name="x", scopes=["members:read"], at=NOW)
    Program(full, host="acme.localhost").get("/api/v1/members/nobody")
    stranger = Program(None, host="localhost")
    stranger.headers["X-Request-Id"] = "trace-2"

    stranger.get("/api/v1/members/nobody")

    assert lines[1:] == ["WARNING django.request [request=trace-2]: Unauthorized: /api/v1/members/nobody"]


@shared_task(name="tenants.tests.say")
def say(*, schema_name: str, **_: object) -> None:
    with context.in_tenant(schema_name):
        logging.getLogger("a.task").warning("Something.")


def test_a_line_of_a_task_has_its_id_and_its_tenant(acme, lines):
    say.apply(kwargs={"schema_name": "t_bolt"}, task_id="task-7")

    assert lines == ["WARNING a.task [request=task-7 tenant=t_bolt]: Something."]
