"""The demo's own program: a client of the API like any other."""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import requests

# How long a server may be away, as when somebody starts it again, before we give up.
PATIENCE_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 30.0
AWAY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR})


class Refused(Exception):
    """The API said no, or was away for too long. The message says what it said."""


class Client:
    """Speaks to the platform's host, which takes the key of any tenant."""

    def __init__(self, *, address: str, key: str) -> None:
        self._address = address
        self._session = requests.Session()
        # A proxy that the environment names does not know this machine's own address.
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def await_ready(self) -> None:
        """
        Wait until the site can work.

        :raises Refused: if it does not in time
        """
        self.get("/readyz")

    def report(self, events: Sequence[Mapping[str, Any]]) -> None:
        """
        Report events, up to 500.

        :raises Refused: if any of them was not taken
        """
        answer = self._ask("POST", "/api/v1/events", {"events": list(events)})
        for outcome in answer["events"]:
            if "error" in outcome:
                raise Refused(f"{outcome['key']}: {outcome['error']}")

    def code_of(self, external_id: str) -> str:
        """
        Return the code that a member shares.

        :raises Refused: for somebody the tenant does not know
        """
        return str(self.get(f"/api/v1/members/{quote(external_id)}")["code"])

    def tell(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """
        Send what has a key of its own, and return the answer.

        :raises Refused: if the API does not take it
        """
        return self._ask("POST", path, body)

    def change(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """
        Change something, and return it.

        :raises Refused: if the API does not take it
        """
        return self._ask("PATCH", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """
        Return what there is.

        :raises Refused:
        """
        return self._ask("GET", path)

    def remove(self, path: str) -> None:
        """
        Let there be something no more.

        :raises Refused:
        """
        self._send("DELETE", path)

    def fetch(self, path: str) -> str:
        """
        Return what is no JSON.

        :raises Refused:
        """
        return self._send("GET", path).text

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return dict(self._send(method, path, body).json())

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._try(method, path, body)
            if isinstance(answer, requests.Response):
                return answer
            if time.monotonic() > until:
                raise Refused(f"{method} {path}: {answer}")
            time.sleep(PAUSE_SECONDS)

    def _try(self, method: str, path: str, body: Mapping[str, Any] | None) -> requests.Response | str:
        """Return the answer, or why it is worth trying again: whatever is sent carries its key."""
        try:
            response = self._session.request(method, self._address + path, json=body, timeout=TIMEOUT_SECONDS)
        except (requests.ConnectionError, requests.Timeout) as away:
            return str(away)
        if response.status_code in AWAY:
            return response.text[:500]
        if not response.ok:
            raise Refused(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response
