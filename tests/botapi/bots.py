"""The bot of `examples/telegram_bot/`, in a process of its own, as its owner starts it."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.botapi.stand_in import StandIn
from tests.botapi.telegram import TOKEN, Telegram
from tests.checkout import ROOT
from tests.serving import wait_until

FOLDER = ROOT / "examples/telegram_bot"


@dataclass(frozen=True)
class Place:
    """Where the bot hears webhooks, and where it keeps what it must not forget."""

    port: int
    store: Path

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sarafan/webhooks"

    def is_up(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(self.webhook_url, timeout=5).status_code == 405
        return False

    def reported(self, who: int) -> list[tuple[str, str]]:
        """Return of each thing that was kept to be reported about somebody its key and its state."""
        found = "SELECT key, state FROM outbox WHERE json_extract(body, '$.member.telegram') = ? ORDER BY at"
        with closing(sqlite3.connect(self.store)) as db:
            return db.execute(found, [who]).fetchall()

    def known_as(self, who: int) -> str | None:
        """Return the external id by which the bot tells somebody, if it does."""
        with closing(sqlite3.connect(self.store)) as db:
            row = db.execute("SELECT external_id FROM people WHERE telegram = ?", [who]).fetchone()
        return row[0] if row else None


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Bot:
    """The process, and the Telegram that it is in."""

    place: Place
    environment: Mapping[str, str]
    telegram: Telegram
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it hears."""
        started = subprocess.Popen([sys.executable, "bot.py"], cwd=FOLDER, env=self.environment)
        self.process = started
        wait_until(lambda: self.place.is_up() or started.poll() is not None)
        assert started.poll() is None, "The bot did not start."

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)


@contextmanager
def running(place: Place, *, url: str, key: str, secret: str) -> Iterator[Bot]:
    """Run the bot for as long as the block lasts."""
    with StandIn() as stand_in:
        # Nothing of ours: the bot finds its own modules beside it, and reads no setting of Sarafan's.
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {
            "BOT_API_URL": stand_in.url,
            "BOT_TOKEN": TOKEN,
            "SARAFAN_URL": url,
            "SARAFAN_KEY": key,
            "SARAFAN_WEBHOOK_SECRET": secret,
            "SARAFAN_WEBHOOK_PORT": str(place.port),
            "SARAFAN_STORE_PATH": str(place.store),
            "SARAFAN_SECONDS_MAX": "2",
        }
        bot = Bot(place, environment, stand_in.telegram)
        try:
            bot.start()
            yield bot
        finally:
            bot.kill()
