"""
Signatures of the Standard Webhooks specification, with symmetric keys.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme".
"""

import base64
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
KEY_SIZE_BYTES: Final = 32


def secret_of(key: bytes) -> str:
    """Return a key in the form in which its owner keeps it."""
    return PREFIX + base64.b64encode(key).decode()


def headers_of(*, message_id: str, body: bytes, secrets: Iterable[str], at: datetime) -> dict[str, str]:
    """Return the headers that a message goes with, signed by each secret. `at` is the attempt's, in real time."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
