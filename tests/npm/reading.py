"""Messages as the independent library of Standard Webhooks for JavaScript reads them."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.guides import languages
from tests.stand_ins.receivers import Came

HERE: Final = Path(__file__).parent
SECONDS_MAX: Final = 60


class Tried(NamedTuple):
    """A message as it came, the secret that its receiver has, and when it is read."""

    came: Came
    secret: str
    at: datetime


def read(tried: Sequence[Tried]) -> list[dict[str, Any]]:
    """
    Return of each message what the library makes of it: `message`, or why it is `refused`.

    :raises subprocess.CalledProcessError: when the library broke down, which is no refusal.
    :raises FileNotFoundError: when there is no Node.js: it comes with a package of requirements-dev.txt.
    """
    asked = [
        {
            "secret": each.secret,
            "headers": each.came.headers,
            "body": base64.b64encode(each.came.body).decode(),
            "at_ms": int(each.at.timestamp() * 1000),
        }
        for each in tried
    ]
    answer = subprocess.run(  # noqa: S603 (our own program)
        [languages.ALL["js"].program, str(HERE / "verify.js")],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=SECONDS_MAX,
        env={**os.environ, "NODE_PATH": str(HERE / "packages")},
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found
