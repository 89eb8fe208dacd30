import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from demo import client as clients
from demo.client import Client, Refused


@pytest.fixture
def answers():
    """Give a list of (status, body): what a stub of the API answers, one after the other, the last one for ever."""
    return []


@pytest.fixture
def client(answers, monkeypatch):
    """Give a client of that stub. It has no patience to speak of."""

    class Stub(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_POST = do_GET  # noqa: N815 (http.server finds it by this name)

        def log_message(self, *args):
            pass

    monkeypatch.setattr(clients, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(clients, "PAUSE_SECONDS", 0.01)
    server = HTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Client(address=f"http://127.0.0.1:{server.server_port}", key="sk_live_x")
    server.shutdown()
    server.server_close()


def test_a_server_that_is_away_for_a_moment_is_waited_for(client, answers):
    answers += [(503, {"status": "unready"}), (500, {}), (200, {"status": "ok"})]

    client.await_ready()

    assert len(answers) == 1


def test_one_that_stays_away_is_given_up(client, answers):
    answers += [(503, {"status": "unready"})]

    with pytest.raises(Refused, match="unready"):
        client.await_ready()


def test_a_server_that_is_not_there_is_given_up(monkeypatch):
    monkeypatch.setattr(clients, "PATIENCE_SECONDS", 0.0)

    with pytest.raises(Refused, match="/readyz"):
        Client(address="http://127.0.0.1:9", key="sk_live_x").await_ready()


def test_a_no_is_not_asked_again(client, answers):
    answers += [(401, {"code": "not_authenticated"}), (200, {"code": "ABC"})]

    with pytest.raises(Refused, match="401"):
        client.code_of("anna")

    assert len(answers) == 1


def test_one_event_that_was_not_taken_ends_it(client, answers):
    answers += [(202, {"events": [{"key": "a"}, {"key": "b", "error": {"code": "key_reused"}}]})]

    with pytest.raises(Refused, match=r"b: .*key_reused"):
        client.report([{"key": "a"}, {"key": "b"}])
