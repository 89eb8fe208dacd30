"""
`make run`: the servers, the schemas and the demo, and then all processes of the Procfile, until Ctrl-C.

Nothing of Django is imported here: this process only minds the others.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from honcho.environ import parse_procfile
from honcho.manager import Manager

from config import env
from config.local_secrets import local_secrets
from config.servers import locks
from config.servers.place import Place
from config.servers.use import using

PLACE: Final = Place("run")
# What honcho returns for Ctrl-C and for a SIGTERM: the end that was asked for is a good end.
ASKED_TO_END: Final = (130, 143)


def main() -> int:
    """Run everything, and return 0 if it ended because somebody asked for it."""
    os.chdir(env.ROOT)
    port = env.number("PORT", default=8000, least=1, most=65_535)
    PLACE.folder.mkdir(parents=True, exist_ok=True)
    launcher = locks.find_alone(PLACE.folder / "launcher.lock")
    if launcher is None:
        raise SystemExit("Sarafan runs already from this checkout. Stop that one first.")
    with launcher:
        _require_free(port)
        _complete_environment(port)
        try:
            with using(PLACE):
                subprocess.run([sys.executable, "manage.py", "prepare"], check=True)
                return _run_processes()
        except KeyboardInterrupt:
            return 0
        except subprocess.CalledProcessError as failed:
            return failed.returncode


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # Connections of the previous run that the kernel still remembers are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as reason:
            raise SystemExit(f"Port {port} cannot be used ({reason.strerror}). Try: PORT={port + 1} make run") from None


def _complete_environment(port: int) -> None:
    os.environ["PORT"] = str(port)
    os.environ["SARAFAN_LAUNCHER"] = str(os.getpid())
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    # A site that is run by hand makes its own secrets and serves files from where they lie, whatever its servers are.
    for name, value in {"STATIC_COLLECTED": "no", **local_secrets(folder=env.ROOT / "var")}.items():
        os.environ.setdefault(name, value)
    if os.geteuid() == 0:
        # Celery says so in nine lines, at every start.
        os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser privileges")


def _run_processes() -> int:
    manager = Manager()
    procfile = parse_procfile(Path("Procfile").read_text(encoding="utf-8"))
    for name, command in procfile.processes.items():
        manager.add_process(name, command, env=dict(os.environ))
    manager.loop()
    return 0 if manager.returncode in ASKED_TO_END else int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main())
