"""What a webhook's messages are signed with: made here, sealed in the table, shown once."""

import os
from datetime import datetime
from typing import Any, Final, NamedTuple

from core import sealing
from core.db import current_schema
from integrations.webhooks import signing

SEALED_AS: Final = "webhook_secret"


def new() -> tuple[str, str]:
    """Return a new secret, for its owner and as it is stored."""
    secret = signing.secret_of(os.urandom(signing.KEY_SIZE_BYTES))
    return secret, sealing.seal(schema=current_schema(), kind=SEALED_AS, value=secret)


class Signing(NamedTuple):
    """A secret that signs now: the newest without end, those before it until theirs."""

    secret: str
    until: datetime | None

    @property
    def ending(self) -> str:
        """Return what its owner knows it by: the last four characters before the padding."""
        return self.secret.rstrip("=")[-4:]


def signing_now(row: Any, *, at: datetime) -> list[Signing]:
    """Return the secrets that sign for a webhook now, the newest first: up to three, while some are replaced."""
    stored = [(row.secret, None), (row.secret_old, row.secret_old_until), (row.secret_older, row.secret_older_until)]
    return [
        Signing(sealing.unseal(schema=current_schema(), kind=SEALED_AS, value=sealed), until)
        for sealed, until in stored
        if sealed and (until is None or until > at)
    ]


def in_force(row: Any, *, at: datetime) -> list[str]:
    """Return the secrets themselves, the newest first."""
    return [each.secret for each in signing_now(row, at=at)]
