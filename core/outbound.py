"""
Calls to addresses that a tenant has given: only to the open internet, never on to elsewhere, and never for long.

Addresses of our own network are refused (requests-hardened looks at the address itself, and connects to no other one).
"""

import json as json_module
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
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
    """
    What came back of something that was posted: the status, and the beginning of the body as text.

    `retry_after` is the header as it came, or empty.
    """

    status: int
    body: str
    latency_ms: int
    retry_after: str


def call(
    *, method: str, url: str, headers: Mapping[str, str] | None = None, json: Mapping[str, Any] | None = None
) -> Answer:
    """
    Send one request and return its answer, whatever its status is. A redirect is an answer like any other.

    :raises NotSent: when nobody was reached, or the address may not be called.
    :raises NoAnswer: when it was sent and no whole answer came in time, or one that is too large.
    """
    with _within(WHOLE_SECONDS) as limit, _Session(url) as session:
        try:
            response = session.request(method, url, headers=dict(headers or {}), json=json, stream=True)
            with response:
                body = _body_of(response)
                if limit.is_over:
                    # What was cut off, in its headers too, looks like a whole answer.
                    raise NoAnswer("The answer is too slow.")
                return Answer(status=response.status_code, body=_value_of(body))
        except requests.RequestException as error:
            raise (NotSent if _is_unsent(error) else NoAnswer)(type(error).__name__) from error


def post(
    *,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    seconds_max: float,
    answer_size_bytes_max: Callable[[int], int],
) -> Received:
    """
    Send a body as it is, and return what was answered; of a long answer, or a slow one, what has come of it.

    It takes no longer than `seconds_max`, from looking the name up to the last byte, however slowly either comes.
    `answer_size_bytes_max` is told the status.

    :raises Forbidden: when the address is one of our own network.
    :raises NotSent: when nobody was reached.
    :raises TooLate: when no answer began in time.
    :raises NoAnswer: when what came back was no answer of HTTP.
    """
    began = time.monotonic()
    with _within(seconds_max) as limit, _Session(url) as session:
        # Compressed, a small answer could be a very large one.
        told = {"Accept-Encoding": "identity", **headers}
        try:
            response = session.request("POST", url, headers=told, data=body, stream=True)
            with response:
                if limit.is_over:
                    # What was cut off in the middle of its headers looks like a whole answer.
                    raise TooLate
                text = _beginning_of(response, answer_size_bytes_max(response.status_code))
                latency_ms = int((time.monotonic() - began) * 1000)
                return Received(response.status_code, text, latency_ms, response.headers.get("Retry-After", ""))
        except requests.RequestException as error:
            raise _failure_of(error, is_late=limit.is_over) from error


def may_be_here(url: str) -> bool:
    """Tell whether an address may be one of our own machine."""
    # The beginning as it is written, with the slash after the port: no two readers of addresses disagree about it.
    return settings.OUTBOUND_ALLOW_LOOPBACK or url.startswith(settings.OUTBOUND_ALLOWED_STARTS)


class _Session(HTTPSession):  # type: ignore[misc]  # it comes without types
    def __init__(self, url: str) -> None:
        config = Config(
            default_timeout=(CONNECT_SECONDS, READ_SECONDS),
            never_redirect=True,
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=may_be_here(url),
            user_agent_override=f"Sarafan/1 (+https://{settings.BASE_DOMAIN}/)",
        )
        super().__init__(config)
        # A proxy of the environment would be called in place of the address that was looked at.
        self.trust_env = False
        for scheme in POOLS:
            self.mount(f"{scheme}://", _Adapter(scheme, allow_loopback=may_be_here(url)))

    def get_redirect_target(self, resp: requests.Response) -> None:
        # Where requests sees one it reads the whole answer, however large, and where the address is none it fails.
        return None


class _Adapter(IPFilterAdapter):  # type: ignore[misc]  # it comes without types
    """Looks up where a name leads, and waits no longer for that than there is time."""

    def __init__(self, scheme: str, *, allow_loopback: bool) -> None:
        super().__init__(is_https_proto=scheme == "https", allow_loopback=allow_loopback)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def build_connection_pool_key_attributes(self, *told: Any, **named: Any) -> Any:
        looked_up: Future[Any] = Future()

        def look_up() -> None:
            try:
                looked_up.set_result(IPFilterAdapter.build_connection_pool_key_attributes(self, *told, **named))
            except Exception as error:
                looked_up.set_exception(error)

        # Nothing can break off a look-up: it is left to itself, and ends when the resolver has had enough.
        threading.Thread(target=look_up, daemon=True).start()
        try:
            return looked_up.result(timeout=_limit.get().left_seconds)
        except TimeoutError as error:
            raise requests.ConnectTimeout("The name was not looked up in time.") from error


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


class _Limit:
    """
    The end of a call, at which its connections are cut off.

    A time-out of requests begins anew with every byte that comes.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._opened: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_over = False

    @property
    def left_seconds(self) -> float:
        """Say how long is left, and never nothing: to a socket that would mean for ever."""
        return max(self._ends - time.monotonic(), 0.001)

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection off too. What is kept is a second handle: the first one disappears into TLS."""
        with self._lock:
            self._opened.append(connection.dup())
            if self.is_over:
                self._cut()

    def end(self) -> None:
        """Cut off what was opened, and what will be."""
        with self._lock:
            self.is_over = True
            self._cut()

    def close(self) -> None:
        """Let go of the handles."""
        with self._lock:
            for each in self._opened:
                each.close()
            self._opened.clear()

    def _cut(self) -> None:
        for each in self._opened:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


_limit: ContextVar[_Limit] = ContextVar("limit")


@contextmanager
def _within(seconds: float) -> Iterator[_Limit]:
    """Have the call in this block end after so long, whatever it waits for."""
    limit = _Limit(seconds)
    timer = threading.Timer(seconds, limit.end)
    token = _limit.set(limit)
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()
        _limit.reset(token)
        limit.close()


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)


def _connected(connection: HTTPConnection, connect: Callable[[], socket.socket]) -> socket.socket:
    limit = _limit.get()
    connection.timeout = min(CONNECT_SECONDS, limit.left_seconds)
    made = connect()
    limit.watch(made)
    return made


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS: Final = {"http": _PlainPool, "https": _SecurePool}
