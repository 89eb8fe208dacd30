"""What a webhook's messages are signed with: made here, sealed in the table, shown once."""

import os
from datetime import datetime
from typing import Any, Final

from core import sealing
from core.db import current_schema
from integrations.webhooks import signing

SEALED_AS: Final = "webhook_secret"


def new() -> tuple[str, str]:
    """Return a new secret, for its owner and as it is stored."""
    secret = signing.secret_of(os.urandom(signing.KEY_SIZE_BYTES))
    return secret, sealing.seal(schema=current_schema(), kind=SEALED_AS, value=secret)


def in_force(row: Any, *, at: datetime) -> list[str]:
    """Return the secrets that sign for a webhook now, the newest first: two, while one takes the other's place."""
    stored = [row.secret]
    if row.secret_old and row.secret_old_until > at:
        stored.append(row.secret_old)
    return [sealing.unseal(schema=current_schema(), kind=SEALED_AS, value=each) for each in stored]
