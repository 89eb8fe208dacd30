"""The bot of `examples/telegram_bot/` at a Sarafan that is there, and answers as it should not."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.botapi import bots
from tests.botapi.bots import Bot, Place
from tests.serving import wait_until

# Status, body, headers.
type_of_answer = tuple[int, Any, dict[str, str]]

EMIL, OLGA = 705, 706
# What a bot of before has kept, which knew no members by number.
OLD = """
CREATE TABLE people (
    telegram INTEGER PRIMARY KEY, language TEXT NOT NULL, is_joined INTEGER NOT NULL DEFAULT 0, external_id TEXT UNIQUE
);
INSERT INTO people VALUES (706, 'en', 1, 'olga');
"""
WELCOME = "Welcome! You came by a friend's invitation."
MENU = "Invite friends, and both of you are rewarded."
LATER = "Our rewards take a short break. What you did is kept and will count; nothing needs to be repeated."
BUSY = (429, {"code": "rate_limited"}, {"Retry-After": "1"})
DOWN = (503, "<html>Bad gateway</html>", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
BROKEN: type_of_answer = (200, "{", {})
NO_LONGER: type_of_answer = (401, {"code": "invalid_api_key"}, {})
FINE: dict[str, type_of_answer] = {
    "/api/v1/members/search": (404, {"code": "unknown_member"}, {}),
    "/api/v1/members": (201, {"id": 4}, {}),
    "/api/v1/events": (202, {"status": "waiting"}, {}),
}


class Sarafan:
    """Answers everything alike, or hangs if there is no answer; once `instead` is empty, as it should."""

    def __init__(self) -> None:
        self.instead: list[tuple[int, Any, dict[str, str]] | None] = []
        self.events: list[str] = []
        self.over = threading.Event()

    def answer(self, path: str, body: bytes) -> tuple[int, Any, dict[str, str]] | None:
        if self.instead:
            return self.instead[0]
        status, said, headers = FINE.get(path, (400, {"code": "invalid_request"}, {}))
        asked = json.loads(body or "{}")
        if path.endswith("/events"):
            self.events.append(asked["key"])
        return status, said | {"external_id": asked.get("external_id")}, headers


@pytest.fixture(scope="module")
def sarafan() -> Iterator[tuple[Sarafan, str]]:
    """Give it, and its address."""
    told = Sarafan()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = told.answer(self.path.partition("?")[0], body)
            if answer is None:
                told.over.wait(30)
                return
            status, said, headers = answer
            with suppress(OSError):
                self.send_response(status)
                for name, value in {"Content-Type": _type_of(said), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write((said if isinstance(said, str) else json.dumps(said)).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield told, f"http://127.0.0.1:{server.server_address[1]}/api/v1"
    told.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _type_of(said: Any) -> str:
    return "text/html" if isinstance(said, str) and said.startswith("<") else "application/json"


@pytest.fixture(scope="module")
def bot(sarafan: tuple[Sarafan, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """Give the bot that asks it. Each test has people of its own."""
    place = Place(port=bots.free_port(), store=tmp_path_factory.mktemp("away") / "bot.sqlite3")
    with closing(sqlite3.connect(place.store)) as db:
        db.executescript(OLD)
    with bots.running(place, url=sarafan[1], key="sk_test_of_nobody", secret="whsec_AAAA") as running:
        yield running


@pytest.mark.parametrize(
    ("who", "answer"),
    [(711, BUSY), (712, DOWN), (713, BROKEN), (714, NO_LONGER), (715, None)],
    ids=["too many", "down", "broken", "wrong key", "hangs"],
)
def test_whoever_comes_when_sarafan_does_not_answer_as_it_should_is_told_so_and_is_joined_afterwards(
    who, answer, sarafan, bot
):
    told, _url = sarafan
    told.instead.append(answer)

    update = bot.telegram.says(who, "/start r_ANNA")
    bot.telegram.wait_for(who, LATER)
    bot.telegram.presses(who, "sarafan:balance", under=bot.telegram.wait_for(who, MENU))
    bot.telegram.wait_for(who, LATER, times=2)
    key = f"tg-42-{update['update_id']}"
    assert bot.place.reported(who) == [(key, "waiting")]
    told.instead.clear()
    wait_until(lambda: bot.place.reported(who) == [(key, "sent")])

    assert bot.telegram.told(who) == [WELCOME, MENU, LATER, LATER]
    assert told.events.count(key) == 1
    assert bot.place.known_as(who) == f"tg-{who}"


def test_a_page_that_sarafan_refuses_to_show_is_answered_kindly_and_others_are_not_kept_waiting(bot):
    bot.telegram.says(EMIL, "/friends")
    menu = bot.telegram.wait_for(EMIL, MENU)
    wait_until(lambda: bot.place.known_as(EMIL) == f"tg-{EMIL}")

    bot.telegram.presses(EMIL, "sarafan:balance", under=menu)
    bot.telegram.wait_for(EMIL, LATER)
    bot.telegram.says(EMIL, "/help")
    bot.telegram.wait_for(EMIL, "/order buys a record.")

    assert bot.telegram.told(EMIL) == [MENU, LATER, "/order buys a record."]


def test_what_a_bot_of_before_has_kept_is_good_until_somebody_asks_again(bot):
    assert bot.place.known_as(OLGA) == "olga"

    bot.telegram.says(OLGA, "/friends")
    bot.telegram.presses(OLGA, "sarafan:balance", under=bot.telegram.wait_for(OLGA, MENU))
    bot.telegram.wait_for(OLGA, LATER)

    # This Sarafan finds nobody, and adds an id of ours.
    assert bot.place.known_as(OLGA) == f"tg-{OLGA}"
    assert bot.place.reported(OLGA) == []
