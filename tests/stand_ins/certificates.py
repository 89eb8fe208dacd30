"""
A provider of certificates on loopback: it sells what it is asked for, as badly as it is told to.

It counts purchases by key, which is what a test wants to know: never two. `python -m tests.stand_ins.certificates 9100`
runs one to look at.
"""

import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

REFUSALS = {
    "no funds": (402, "insufficient_funds"),
    "off": (422, "product_inactive"),
    "limit": (429, "limit_exceeded"),
}


@dataclass
class Purchase:
    """An order as the provider sees it."""

    number: str
    key: str
    code: str
    product: str
    asked: int = 0
    state: str = "queued"


@dataclass
class Provider:
    """
    What the provider remembers, and how it behaves: `mode` may be changed while it runs.

    fine, at once, loses the answer (having sold), held up, crashes, mute, and the refusals: no funds, off, limit.
    """

    mode: str = "fine"
    secret: str = "s3cret"
    delay_seconds: float = 0.0
    # How often it says "queued" before an order is ready.
    queue: int = 1
    takes_back: bool = True
    is_idempotent: bool = True
    by_number: dict[str, Purchase] = field(default_factory=dict)
    bought: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    # A test may hold an order up: it is told by `ordered` that one was bought, and lets the answer go by `may_answer`.
    ordered: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Return what to answer, or None to hang up without a word."""
        with self.lock:
            self.calls.append(f"{method} {path}")
            mode = self.mode
        time.sleep(self.delay_seconds)
        if mode == "mute":
            return None
        if mode == "crashes":
            return 500, {"oops": True}
        if method == "POST" and path == "/orders":
            return self._order(mode, body)
        if path == "/balance":
            return 200, {"balance": "1250.50"}
        return self._about(method, path.removeprefix("/orders/"))

    def _order(self, mode: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if mode in REFUSALS:
            status, reason = REFUSALS[mode]
            return status, {"error": reason, "message": mode}
        with self.lock:
            purchase = self._buy(str(body["uuid"]), str(body["product_id"]))
        self.ordered.set()
        if mode == "held up":
            self.may_answer.wait(timeout=8)
        if mode == "loses the answer":
            return None
        if mode == "at once":
            purchase.state = "ready"
            return 200, self._told(purchase) | {"code": purchase.code}
        return 202, self._told(purchase)

    def _buy(self, key: str, product: str) -> Purchase:
        known = [each for each in self.by_number.values() if each.key == key]
        if known and self.is_idempotent:
            return known[0]
        self.bought[key] += 1
        number = str(1000 + len(self.by_number))
        purchase = Purchase(number=number, key=key, code=f"GIFT-{number}-{len(key)}", product=product)
        self.by_number[number] = purchase
        return purchase

    def _about(self, method: str, rest: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            purchase = self._find(rest)
        if purchase is None:
            return 404, {"error": "order_not_found"}
        if method == "POST" and rest.endswith("/cancellation"):
            if self.takes_back:
                purchase.state = "cancelled"
            return (200 if self.takes_back else 409), {}
        if rest.endswith("/code"):
            return 200, {"code": purchase.code, "pin": "0042", "expires": "2027-06-30T21:00:00+00:00"}
        purchase.asked += 1
        if purchase.asked > self.queue and purchase.state == "queued":
            purchase.state = "ready"
        return 200, self._told(purchase)

    def _find(self, rest: str) -> Purchase | None:
        if rest.startswith("by-key/"):
            key = unquote(rest.removeprefix("by-key/"))
            return next((each for each in self.by_number.values() if each.key == key), None)
        return self.by_number.get(rest.partition("/")[0])

    @staticmethod
    def _told(purchase: Purchase) -> dict[str, Any]:
        return {"queue_id": purchase.number, "status": purchase.state}


class StandIn:
    """The server: `with StandIn() as provider:` gives its memory; `url` is where it listens."""

    def __init__(self, port: int = 0) -> None:
        self.provider = Provider()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self.provider))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "StandIn":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


def _handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            if self.headers.get("Authorization") != f"Bearer {provider.secret}":
                self._send(401, {"error": "denied"})
                return
            found = provider.answer(method, self.path, body)
            if found is None:
                self.close_connection = True
                return
            self._send(*found)

        def _send(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


if __name__ == "__main__":
    with StandIn(int(sys.argv[1]) if len(sys.argv) > 1 else 9100) as running:
        print(running.url, "secret:", running.provider.secret)  # noqa: T201
        running.thread.join()
