"""
The keeper: the process that starts one embedded server, minds it and stops it.

It says `ready` (or one sentence of what went wrong) on its output and then works until nobody uses the server.
A server that dies is started again. Should the keeper itself be killed, the kernel tells its server to stop.
"""

import sys
import time
from typing import Final

from config.servers import locks
from config.servers.place import DidNotStart, Place
from config.servers.postgres import Postgres
from config.servers.server import Server
from config.servers.valkey import Valkey

SERVERS: Final[dict[str, type[Server]]] = {"postgres": Postgres, "valkey": Valkey}
LOOK_EVERY_SECONDS: Final = 0.3


def keep(server: Server) -> None:
    """
    Run a server for as long as somebody uses it.

    :raises DidNotStart: if it does not come up
    """
    keeper = locks.find_alone(server.place.folder / f"{server.name}.keeper.lock")
    if keeper is None:
        raise DidNotStart(f"Another process keeps {server.name} already.")
    # The lock on the users goes last: whoever comes while the server stops waits for it, and then starts a fresh one.
    nobody = None
    try:
        server.start()
        print("ready", flush=True)
        while (nobody := locks.find_alone(server.place.folder / f"{server.name}.users.lock")) is None:
            server.restart_if_dead()
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        server.stop()
        keeper.close()
        if nobody is not None:
            nobody.close()


def main() -> int:
    """Keep the server that the first argument names, at the profile of the second."""
    name, profile = sys.argv[1:]
    try:
        keep(SERVERS[name](Place(profile)))
    except DidNotStart as reason:
        print(reason, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
