"""The site's server: a page, what it shows, and the address that webhooks are sent to."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from demo.storefront.messages import Inbox

HERE: Final = Path(__file__).parent
FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
BODY_SIZE_BYTES_MAX: Final = 1024 * 1024
SIZE: Final = re.compile(r"[0-9]{1,9}")
HOST: Final = "127.0.0.1"
WEBHOOKS: Final = "/webhooks"
REFUSALS: Final = "/refusals"


@contextmanager
def opened(*, port: int, notes: Path) -> Iterator[None]:
    """
    Serve the site on 127.0.0.1 for as long as the block lasts.

    `notes` is the JSON file in which a developer keeps what they were given: `shop` in it has the address of the API,
    the publishable key and the secret of the webhook. It is read anew each time.

    :raises OSError: if the port is somebody else's.
    """
    inbox = Inbox(lambda: str(_shop_of(notes).get("webhook_secret", "")))
    server = ThreadingHTTPServer((HOST, port), partial(_Handler, inbox, notes))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _shop_of(notes: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(notes.read_text(encoding="utf-8"))["shop"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}


class _Handler(BaseHTTPRequestHandler):
    server_version = "NeedleAndGroove/1"

    def __init__(self, inbox: Inbox, notes: Path, *args: Any) -> None:
        self._inbox, self._notes = inbox, notes
        super().__init__(*args)

    def do_GET(self) -> None:
        if self.path == "/shop.json":
            # What anybody may read: neither a secret key nor the secret of the webhook.
            shop = _shop_of(self._notes)
            self._answer_json({name: shop.get(name, "") for name in ("api", "url", "publishable_key", "admin")})
        elif self.path == "/messages.json":
            self._answer_json({"messages": self._inbox.shown()})
        elif (found := FILES.get(self.path.partition("?")[0])) is not None:
            name, kind = found
            self._answer(HTTPStatus.OK, (HERE / name).read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"There is no such page.\n", "text/plain")

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not SIZE.fullmatch(size) or int(size) > BODY_SIZE_BYTES_MAX:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"", "text/plain")
            return
        body = self.rfile.read(int(size))
        if self.path == WEBHOOKS:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._answer(self._inbox.take(headers, body), b"", "text/plain")
        elif self.path == REFUSALS:
            self._inbox.refuse_next()
            self._answer(HTTPStatus.NO_CONTENT, b"", "text/plain")
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"There is no such address.\n", "text/plain")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's own name)
        """Say nothing: among the lines of `make run` nobody would look for these."""

    def _answer_json(self, value: Mapping[str, Any]) -> None:
        self._answer(HTTPStatus.OK, json.dumps(value).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
