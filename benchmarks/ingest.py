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
from django.utils import timezone

from benchmarks import plain
from benchmarks.rows import P6, P7, P9, Measured
from benchmarks.stage import Stage
from benchmarks.timing import ratios, seconds, shown
from tenants import context, hosts, provisioning
from tenants.models import Tenant
from tenants.provisioning import Created

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
    host: str
    key: str
    path: str = API
    requests: int = SINGLES
    batch: int = 1


def measure(set_up: Stage) -> list[Measured]:
    """Report to a live tenant of its own, which is closed afterwards: what waits there is no other measurement's."""
    number = next(set_up.numbers)
    desk = provisioning.create(
        name="Desk", slug=f"desk-{number}", time_zone="UTC", currency="USD", language="en", at=timezone.now()
    )
    try:
        return _measure(set_up, desk)
    finally:
        Tenant.objects.filter(pk=desk.tenant.pk).update(status=Tenant.Status.SUSPENDED)


def _measure(set_up: Stage, desk: Created) -> list[Measured]:
    ways = _ways(desk)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with context.in_tenant(desk.tenant.schema_name):
        _repeat(set_up, ways)  # To warm up.
        for _repetition in range(REPETITIONS):
            for name, found in _repeat(set_up, ways).items():
                rates[name].append(found)
    figures = {
        "requests a second: plain view and insert (H1)": shown(rates["plain"]),
        "requests a second: one event": shown(rates["ours"]),
        "requests a second: one event, the tenant known": shown(rates["tenant known"]),
        "requests a second: one event, to a sandbox": shown(rates["sandbox"]),
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


def _ways(desk: Created) -> dict[str, Way]:
    plain.known.add(hashlib.sha256(desk.live_key.encode()).hexdigest())
    plain.OnlyTenant.tenant = desk.tenant
    ours = get_wsgi_application()
    live = partial(Way, host=hosts.name_for(desk.tenant.slug), key=desk.live_key)
    return {
        "plain": live(application=plain.plain(), path="/plain/events"),
        "ours": live(application=ours),
        "tenant known": live(application=plain.with_tenant_known()),
        "batches": live(application=ours, requests=BATCHES, batch=BATCH),
        # Each request of a sandbox also asks how far its clock is ahead, and holds off whoever would clear it.
        "sandbox": live(application=ours, key=desk.test_key),
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
    orders = set_up.orders(way.requests * way.batch)
    bodies: list[object] = list(orders)
    if way.batch > 1:
        bodies = [{"events": orders[first : first + way.batch]} for first in range(0, len(orders), way.batch)]
    return [environment(host=way.host, key=way.key, path=way.path, body=body) for body in bodies]
