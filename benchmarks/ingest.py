"""
P6, P7 and P9: how fast events are taken, beside applications that do less, turn by turn.

The applications are called in this process, as a server calls them: from the WSGI environment to the last byte of the
answer, with the commit in between. A server would add the same to each of them, and so flatter the ratios.
"""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from benchmarks import plain
from benchmarks.rows import P6, P7, P9, Measured
from benchmarks.stage import Stage
from benchmarks.timing import ratios, seconds, shown
from tenants import context, hosts

REPETITIONS: Final = 7
# Turns are short, so that whatever else the machine does meets all of them.
TURNS: Final = 5
SINGLES: Final = 300
BATCHES: Final = 12
BATCH: Final = 100

API: Final = "/api/v1/events"

type_of_environment = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to report events: where to, how many requests a turn, and how many events in each."""

    application: WSGIHandler
    path: str = API
    requests: int = SINGLES
    batch: int = 1


def measure(set_up: Stage) -> list[Measured]:
    """Report to the sandbox, where nobody scores."""
    ways = _ways(set_up)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with context.in_tenant(set_up.sandbox.schema_name):
        _repeat(set_up, ways)  # To warm up.
        for _repetition in range(REPETITIONS):
            for name, found in _repeat(set_up, ways).items():
                rates[name].append(found)
    figures = {
        "requests a second: plain view and insert (H1)": shown(rates["plain"]),
        "requests a second: one event": shown(rates["ours"]),
        "requests a second: one event, the tenant known": shown(rates["tenant known"]),
        "events a second: 100 in a request": shown(rates["batches"]),
    }
    return [
        Measured(row=P6, values=ratios(rates["ours"], rates["plain"]), figures=figures),
        Measured(row=P7, values=ratios(rates["batches"], rates["ours"])),
        Measured(row=P9, values=ratios(rates["ours"], rates["tenant known"])),
    ]


def ask(application: WSGIHandler, environment: type_of_environment) -> bytes:
    """Send a request and return the answer, which must be 202."""
    response = application(environment, _begin_answer)
    answer = b"".join(response)
    response.close()
    if response.status_code != HTTPStatus.ACCEPTED:
        raise RuntimeError(f"{response.status_code}: {answer.decode()}")
    return answer


def environment(*, host: str, key: str, path: str, body: object) -> type_of_environment:
    """Return what a server makes of a POST."""
    sent = json.dumps(body).encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": host,
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "HTTP_ACCEPT": "application/json",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(sent)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent),
        "wsgi.errors": io.StringIO(),
    }


def _begin_answer(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> Callable[[bytes], object]:
    return len  # Whatever was written this way is nobody's: Django returns its answers.


def _ways(set_up: Stage) -> dict[str, Way]:
    plain.known.add(hashlib.sha256(set_up.made.test_key.encode()).hexdigest())
    plain.OnlyTenant.tenant = set_up.sandbox
    ours = get_wsgi_application()
    return {
        "plain": Way(application=plain.plain(), path="/plain/events"),
        "ours": Way(application=ours),
        "tenant known": Way(application=plain.with_tenant_known()),
        "batches": Way(application=ours, requests=BATCHES, batch=BATCH),
    }


def _repeat(set_up: Stage, ways: dict[str, Way]) -> dict[str, float]:
    spent = dict.fromkeys(ways, 0.0)
    for _turn in range(TURNS):
        for name, way in ways.items():
            environments = _environments(set_up, way)
            spent[name] += seconds(partial(_ask_all, way.application, environments))
    return {name: TURNS * way.requests * way.batch / spent[name] for name, way in ways.items()}


def _ask_all(application: WSGIHandler, environments: Sequence[type_of_environment]) -> None:
    for each in environments:
        ask(application, each)


def _environments(set_up: Stage, way: Way) -> list[type_of_environment]:
    host, key = hosts.name_for(set_up.sandbox.slug), set_up.made.test_key
    orders = set_up.orders(way.requests * way.batch)
    bodies: list[object] = list(orders)
    if way.batch > 1:
        bodies = [{"events": orders[first : first + way.batch]} for first in range(0, len(orders), way.batch)]
    return [environment(host=host, key=key, path=way.path, body=body) for body in bodies]
