"""Webhooks as a receiver takes them: proved, taken once, and kept for the page to show."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

KEPT: Final = 25
TOLERANCE_SECONDS: Final = 300
SECONDS: Final = re.compile(r"[0-9]{1,12}")


class NotGenuine(Exception):
    """Somebody else may have sent this. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request that came, and how it was answered. `signatures` are two while a secret is being replaced."""

    at: float
    id: str
    kind: str
    data: Mapping[str, Any]
    signatures: int
    status: int
    note: str


class Inbox:
    """What came, the newest first. `secret` is asked for with each message, as it may have been replaced meanwhile."""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret
        self._kept: deque[Message] = deque(maxlen=KEPT)
        self._taken: set[str] = set()
        self._refuses_next = False
        self._lock = threading.Lock()

    def refuse_next(self) -> None:
        """Answer the next message as if we were away, to see it come again."""
        with self._lock:
            self._refuses_next = True

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a message, and return the status to answer with. Of `headers` the names are in small letters."""
        at = time.time()
        try:
            told, why = verify(self._secret(), headers, body, at=at), ""
        except NotGenuine as forged:
            told, why = {}, str(forged)
        name = headers.get("webhook-id", "")
        with self._lock:
            status, note = self._answer(name, why)
            self._kept.appendleft(
                Message(
                    at=at,
                    id=name,
                    kind=str(told.get("type", "")),
                    data=told.get("data", {}),
                    signatures=len(headers.get("webhook-signature", "").split()),
                    status=status,
                    note=note,
                )
            )
        return status

    def shown(self) -> list[dict[str, Any]]:
        """Return what came, as the page shows it."""
        with self._lock:
            return [asdict(each) for each in self._kept]

    def _answer(self, name: str, why: str) -> tuple[int, str]:
        if why:
            return HTTPStatus.UNAUTHORIZED, why
        if self._refuses_next:
            self._refuses_next = False
            return HTTPStatus.SERVICE_UNAVAILABLE, "Refused, as the button asked: it comes again in a moment."
        if name in self._taken:
            return HTTPStatus.NO_CONTENT, "It had come before, so nothing was done about it."
        self._taken.add(name)
        return HTTPStatus.NO_CONTENT, "Taken."


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, at: float) -> dict[str, Any]:
    """
    Return the message, if it is signed with the secret. See docs/api/verifying.md.

    :raises NotGenuine:
    """
    sent_at = headers.get("webhook-timestamp", "")
    if not SECONDS.fullmatch(sent_at) or abs(at - int(sent_at)) > TOLERANCE_SECONDS:
        raise NotGenuine("It is too old, or says nothing of when it was sent.")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split()
    if not secret or not any(hmac.compare_digest(expected.encode(), each.encode()) for each in given):
        raise NotGenuine("The signature does not fit.")
    found: dict[str, Any] = json.loads(body)
    return found
