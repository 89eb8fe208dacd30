#!/usr/bin/env python
"""Django's command line. It brings the embedded servers along, where no others are named in the environment."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

# They ask no database, so they need not wait for one.
WITHOUT_SERVERS = ("help", "version", "check", "spectacular", "collectstatic", "findstatic", "--help", "--version")


def main() -> None:
    """Run the command that was asked for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - needs the line above

    with _servers():
        execute_from_command_line(sys.argv)


def _servers() -> AbstractContextManager[None]:
    from django.conf import settings  # noqa: PLC0415

    from config.servers.use import using  # noqa: PLC0415

    if len(sys.argv) < 2 or sys.argv[1] in WITHOUT_SERVERS:
        return nullcontext()
    return using(settings.PLACE)


if __name__ == "__main__":
    main()
