"""
Calls to addresses that a tenant has given: only to the open internet, never on to elsewhere, and never for long.

Addresses of our own network are refused (requests-hardened looks at the address itself, and connects to no other one).
"""

import json as json_module
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 10.0
# A server that sends one byte every nine seconds would never be too late by READ_SECONDS.
WHOLE_SECONDS: Final = 12.0
ANSWER_SIZE_BYTES_MAX: Final = 256 * 1024
CHUNK_SIZE_BYTES: Final = 16 * 1024


class NotSent(Exception):
    """Nobody was reached, so nothing can have happened there."""


class Forbidden(NotSent):
    """The address is one of our own network, which nobody outside may have us call."""


class NoAnswer(Exception):
    """It was sent, and what became of it is not known."""


class TooLate(NoAnswer):
    """No answer began within the time that it had."""


class Answer(NamedTuple):
    """What came back. `body` is the JSON value, or None where it is none."""

    status: int
    body: Any


class Received(NamedTuple):
    """What came back of something that was posted: the status, and the beginning of the body as text."""

    status: int
    body: str
    latency_ms: int


def call(
    *, method: str, url: str, headers: Mapping[str, str] | None = None, json: Mapping[str, Any] | None = None
) -> Answer:
    """
    Send one request and return its answer, whatever its status is. A redirect is an answer like any other.

    :raises NotSent: when nobody was reached, or the address may not be called.
    :raises NoAnswer: when it was sent and no whole answer came in time, or one that is too large.
    """
    with _Session() as session, _cut_after(session, WHOLE_SECONDS) as is_cut:
        try:
            response = session.request(method, url, headers=dict(headers or {}), json=json, stream=True)
            with response:
                body = _body_of(response)
                if is_cut.is_set():
                    # What was cut off, in its headers too, looks like a whole answer.
                    raise NoAnswer("The answer is too slow.")
                return Answer(status=response.status_code, body=_value_of(body))
        except requests.RequestException as error:
            raise (NotSent if _is_unsent(error) else NoAnswer)(type(error).__name__) from error


def post(
    *, url: str, headers: Mapping[str, str], body: bytes, seconds_max: float, answer_size_bytes_max: int
) -> Received:
    """
    Send a body as it is, and return what was answered; of a long answer, or a slow one, what has come of it.

    However slowly it is answered, byte by byte perhaps, it takes no longer than `seconds_max` from the connection on.

    :raises Forbidden: when the address is one of our own network.
    :raises NotSent: when nobody was reached.
    :raises TooLate: when no answer began in time.
    :raises NoAnswer: when what came back was no answer of HTTP.
    """
    began = time.monotonic()
    with _Session() as session, _cut_after(session, seconds_max) as is_cut:
        # Compressed, a small answer could be a very large one.
        told = {"Accept-Encoding": "identity", **headers}
        try:
            response = session.request("POST", url, headers=told, data=body, stream=True)
            with response:
                if is_cut.is_set():
                    # What was cut off in the middle of its headers looks like a whole answer.
                    raise TooLate
                text = _beginning_of(response, answer_size_bytes_max)
                return Received(response.status_code, text, int((time.monotonic() - began) * 1000))
        except requests.RequestException as error:
            raise _failure_of(error, is_late=is_cut.is_set()) from error


class _Session(HTTPSession):  # type: ignore[misc]  # it comes without types
    def __init__(self) -> None:
        config = Config(
            default_timeout=(CONNECT_SECONDS, READ_SECONDS),
            never_redirect=True,
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=settings.OUTBOUND_ALLOW_LOOPBACK,
            user_agent_override="Sarafan/1",
        )
        super().__init__(config)
        # A proxy of the environment would be called in place of the address that was looked at.
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        # Where requests sees one it reads the whole answer, however large, and where the address is none it fails.
        return None


def _body_of(response: requests.Response) -> bytes:
    found = b""
    for chunk in response.iter_content(CHUNK_SIZE_BYTES):
        found += chunk
        if len(found) > ANSWER_SIZE_BYTES_MAX:
            raise NoAnswer("The answer is too large.")
    return found


def _value_of(body: bytes) -> Any:
    try:
        return json_module.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_unsent(error: requests.RequestException) -> bool:
    if isinstance(error, InvalidIPAddress | requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        return isinstance(cause.reason, NewConnectionError)
    # What the filter of addresses says of a name that nobody knows.
    return isinstance(error, requests.ConnectionError) and isinstance(cause, str)


def _failure_of(error: requests.RequestException, *, is_late: bool) -> NotSent | NoAnswer:
    name = type(error).__name__
    if isinstance(error, InvalidIPAddress):
        return Forbidden(name)
    if _is_unsent(error):
        return NotSent(name)
    return TooLate(name) if is_late or isinstance(error, requests.Timeout) else NoAnswer(name)


def _beginning_of(response: requests.Response, size_bytes_max: int) -> str:
    found = b""
    # What breaks off is told as far as it came: the status was there before.
    with suppress(HTTPError, OSError):
        while len(found) < size_bytes_max:
            chunk = response.raw.read1(size_bytes_max - len(found), decode_content=False)
            if not chunk:
                break
            found += chunk
    # PostgreSQL has no NUL.
    return found.decode(errors="replace").replace("\0", "\ufffd")


@contextmanager
def _cut_after(session: requests.Session, seconds: float) -> Iterator[threading.Event]:
    """
    Cut the session's connections off after so long. The event tells whether that has happened.

    A time-out of requests begins anew with every byte that comes.
    """
    opened: list[socket.socket] = []
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        for each in opened:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    for adapter in session.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = POOLS  # type: ignore[attr-defined]
    timer = threading.Timer(seconds, cut)
    token = _opened.set(opened)
    timer.start()
    try:
        yield is_cut
    finally:
        timer.cancel()
        _opened.reset(token)
        for each in opened:
            each.close()


# A second handle of every connection that is made meanwhile: the first one disappears into TLS.
_opened: ContextVar[list[socket.socket]] = ContextVar("opened")


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _opened.get().append(made.dup())
        return made


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _opened.get().append(made.dup())
        return made


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS: Final = {"http": _PlainPool, "https": _SecurePool}
