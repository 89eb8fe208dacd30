"""
The Bot API over HTTP: what a bot library really sends, answered as Telegram answers it.

https://core.telegram.org/bots/api, as far as our example goes. A method that is not here is 404, as there.
"""

import json
import threading
from collections.abc import Callable, Iterator
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.botapi.telegram import Refusal, Telegram


class StandIn:
    """The server: `with StandIn() as telegram:` gives its memory; `url` is where it listens."""

    def __init__(self, port: int = 0) -> None:
        self.telegram = Telegram()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self.telegram))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "StandIn":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.telegram.close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


def _handler_of(telegram: Telegram) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            fields, files = read_fields(self.headers.get("Content-Type", ""), b"".join(_body_of(self)))
            try:
                status, told = 200, {"ok": True, "result": telegram.answer(*_asked(self.path), fields, files)}
            except Refusal as refusal:
                status, told = refusal.status, refusal.told
            body = json.dumps(told).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                # A bot that was stopped does not wait for its updates.
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _body_of(request: BaseHTTPRequestHandler) -> Iterator[bytes]:
    if request.headers.get("Transfer-Encoding") != "chunked":
        yield request.rfile.read(int(request.headers.get("Content-Length") or 0))
        return
    # A picture comes bit by bit: before each its size, and at the end one of nothing.
    while size_bytes := int(request.rfile.readline().partition(b";")[0], 16):
        yield request.rfile.read(size_bytes)
        request.rfile.readline()
    request.rfile.readline()


def _asked(path: str) -> tuple[str, str]:
    """Return the token and the method of `/bot<token>/<method>`."""
    _empty, _slash, rest = path.partition("/bot")
    token, _slash, method = rest.partition("/")
    return token, method.partition("?")[0]


def read_fields(content_type: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a request's fields and files, in whichever of the ways that Telegram takes it was written."""
    readers: dict[str, Callable[[str, bytes], tuple[dict[str, Any], dict[str, bytes]]]] = {
        "multipart/form-data": _read_multipart,
        "application/x-www-form-urlencoded": lambda _type, text: (dict(parse_qsl(text.decode())), {}),
        "application/json": lambda _type, text: (json.loads(text), {}),
    }
    read = readers.get(content_type.partition(";")[0])
    return read(content_type, body) if read else ({}, {})


def _read_multipart(content_type: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    whole = BytesParser(policy=policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in whole.iter_parts():
        name, content = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            files[name] = content
        else:
            fields[name] = content.decode()
    return fields, files
