"""
Calls to addresses that a tenant has given: only to the open internet, never on to elsewhere, and never for long.

Addresses of our own network are refused (requests-hardened looks at the address itself, and connects to no other one).
"""

import json as json_module
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import requests
from django.conf import settings
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import MaxRetryError, NewConnectionError

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 10.0
# A server that sends one byte every nine seconds would never be too late by READ_SECONDS.
WHOLE_SECONDS: Final = 12.0
ANSWER_SIZE_BYTES_MAX: Final = 256 * 1024
CHUNK_SIZE_BYTES: Final = 16 * 1024


class NotSent(Exception):
    """Nobody was reached, so nothing can have happened there."""


class NoAnswer(Exception):
    """It was sent, and what became of it is not known."""


class Answer(NamedTuple):
    """What came back. `body` is the JSON value, or None where it is none."""

    status: int
    body: Any


def call(
    *, method: str, url: str, headers: Mapping[str, str] | None = None, json: Mapping[str, Any] | None = None
) -> Answer:
    """
    Send one request and return its answer, whatever its status is. A redirect is an answer like any other.

    :raises NotSent: when nobody was reached, or the address may not be called.
    :raises NoAnswer: when it was sent and no whole answer came in time, or one that is too large.
    """
    ends = time.monotonic() + WHOLE_SECONDS
    with _manager().get_session() as session:
        # A proxy of the environment would be called in place of the address that was looked at.
        session.trust_env = False
        try:
            response = session.request(method, url, headers=dict(headers or {}), json=json, stream=True)
            with response:
                return Answer(status=response.status_code, body=_value_of(_body_of(response, ends)))
        except requests.RequestException as error:
            raise (NotSent if _is_unsent(error) else NoAnswer)(type(error).__name__) from error


def _manager() -> Manager:
    return Manager(
        Config(
            default_timeout=(CONNECT_SECONDS, READ_SECONDS),
            never_redirect=True,
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=settings.OUTBOUND_ALLOW_LOOPBACK,
            user_agent_override="Sarafan/1",
        )
    )


def _body_of(response: requests.Response, ends: float) -> bytes:
    found = b""
    for chunk in response.iter_content(CHUNK_SIZE_BYTES):
        found += chunk
        if len(found) > ANSWER_SIZE_BYTES_MAX or time.monotonic() > ends:
            raise NoAnswer("The answer is too large or too slow.")
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
