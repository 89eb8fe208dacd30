"""
A receiver of webhooks on loopback: it answers as it is told to, and remembers all that came.

`mode` may be changed while it runs: fine, down (500), gone (410), busy (429), away (503), redirects, slow, drips, long,
hangs up.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STATUSES = {
    "fine": 204,
    "slow": 200,
    "long": 200,
    "down": 500,
    "gone": 410,
    "redirects": 307,
    "busy": 429,
    "away": 503,
}


@dataclass(frozen=True, slots=True)
class Came:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What a receiver remembers, and how it behaves."""

    mode: str = "fine"
    delay_seconds: float = 0.0
    leads_to: str = ""
    answer: bytes = b""
    retry_after: str = ""
    came: list[Came] = field(default_factory=list)
    # How many were being answered at once, at most.
    at_once: int = 0
    at_once_max: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    # A test may hold answers up: `arrived` says that one is waiting, `may_answer` lets it go.
    arrived: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def take(self, came: Came) -> None:
        """Remember a request, and take as long as it should."""
        with self.lock:
            self.came.append(came)
            self.at_once += 1
            self.at_once_max = max(self.at_once_max, self.at_once)
        self.arrived.set()
        if self.mode == "held up":
            self.may_answer.wait(timeout=20)
        time.sleep(self.delay_seconds)

    def leave(self) -> None:
        """One was answered."""
        with self.lock:
            self.at_once -= 1


class StandIn:
    """The server: `with StandIn() as receiver:` gives its memory; `url` is where it listens."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self.receiver))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hooks"

    def __enter__(self) -> "StandIn":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.receiver.may_answer.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


def _handler_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.take(Came(self.path, headers, body, time.time()))
            try:
                self._answer()
            except OSError:
                self.close_connection = True
            finally:
                receiver.leave()

        def _answer(self) -> None:
            mode = receiver.mode
            if mode in DRIPS:
                DRIPS[mode](self)
                return
            self.send_response(STATUSES.get(mode, 200))
            if mode == "redirects":
                self.send_header("Location", receiver.leads_to)
            if receiver.retry_after:
                self.send_header("Retry-After", receiver.retry_after)
            self.send_header("Content-Length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _hang_up(handler: Any) -> None:
    handler.close_connection = True


def _drip(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.2)


DRIPS: dict[str, Callable[[Any], None]] = {"hangs up": _hang_up, "drips": _drip}
