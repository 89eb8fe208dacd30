"""`python -m config.servers <command>`: run a command with the embedded servers beside it."""

import os
import subprocess
import sys

from config.servers.place import Place
from config.servers.use import using


def main() -> int:
    """Return the command's own exit code."""
    with using(Place(os.environ.get("SARAFAN_PROFILE", "run"))):
        try:
            return subprocess.run(sys.argv[1:], check=False).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
