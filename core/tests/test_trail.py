import logging
from contextvars import copy_context

import pytest

from core import trail


@pytest.fixture
def line():
    """Say something in a context of one's own, and return the line."""

    def write(request_id="", schema="", key="") -> str:
        record = logging.LogRecord("a.b", logging.INFO, "x.py", 1, "Something.", None, None)

        def say() -> str:
            trail.begin(request_id)
            trail.schema.set(schema)
            trail.key.set(key)
            assert trail.TrailFilter().filter(record)
            return logging.Formatter("%(levelname)s %(name)s%(trail)s: %(message)s").format(record)

        return copy_context().run(say)

    return write


def test_a_line_says_whose_it_is(line):
    assert line("4f1c", "t_demo", "sk_live_abcd2345_") == (
        "INFO a.b [request=4f1c tenant=t_demo key=sk_live_abcd2345_]: Something."
    )


def test_a_line_of_nobody_is_short(line):
    assert line() == "INFO a.b: Something."


def test_what_begins_has_no_key_from_before():
    def run() -> tuple[str, str]:
        trail.begin("first")
        trail.key.set("sk_live_abcd2345_")
        trail.begin("second")
        return trail.request_id.get(), trail.key.get()

    assert copy_context().run(run) == ("second", "")
