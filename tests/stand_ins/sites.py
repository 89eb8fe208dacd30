"""A site of somebody else's on loopback: it has the pages that it is given, and keeps what its forms send."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
    '<meta name="viewport" content="width=device-width"></head><body>{}</body></html>'
)

HANGS = "/hangs/"


@dataclass
class Site:
    """`pages` are bodies by path; `sent` are the forms that came, in order. What hangs is answered when all is over."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    sent: list[dict[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def other_origin(self) -> str:
        """The same pages, as another site."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def opened() -> Iterator[Site]:
    """Keep a site open for as long as the block lasts."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfSite", (Handler,), {"site": site}))
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers for a site."""

    site: Site

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body = self.site.pages.get(path, "")
        if path.endswith(".js"):
            self._answer(body, "text/javascript")
        elif not self._hangs():
            self._answer(PAGE.format(body), "text/html")

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self._hangs():
            self.site.sent.append(dict(parse_qsl(text, keep_blank_values=True)))
            self._answer(PAGE.format("<h1>Thank you</h1>"), "text/html")

    def do_OPTIONS(self) -> None:
        self._hangs()

    def _hangs(self) -> bool:
        return self.path.startswith(HANGS) and self.site.over.wait(30)

    def _answer(self, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(200)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **self.site.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_told: Any) -> None:
        """Be quiet."""
