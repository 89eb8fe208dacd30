"""
Whose log line it is: of which request or task, for which tenant, with which key.

Context variables: each thread has its own, and whoever begins something sets anew all that it says.
"""

import logging
from contextvars import ContextVar
from typing import Final

# A request's id, or a task's.
request_id: Final = ContextVar("request_id", default="")
# The tenant's schema; the public one is nobody's.
schema: Final = ContextVar("schema", default="")
# What the key begins with, which is no secret.
key: Final = ContextVar("key", default="")

_SAID: Final = {"request": request_id, "tenant": schema, "key": key}


def begin(given_id: str) -> None:
    """Begin a request or a task: from here on log lines are its own."""
    request_id.set(given_id)
    key.set("")


class TrailFilter(logging.Filter):
    """Gives each line its `trail`, such as ` [request=4f1c tenant=t_demo key=sk_live_abcd2345_]`, or nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = {name: variable.get() for name, variable in _SAID.items()}
        shown = " ".join(f"{name}={value}" for name, value in said.items() if value)
        record.trail = f" [{shown}]" if shown else ""
        return True
