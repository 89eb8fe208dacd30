"""
How personal values are stored: sealed for reading back, and as a keyed blind index for asking whether two are equal.

Sealing is AES-256-GCM (NIST SP 800-38D). Every schema has keys of its own, derived with HKDF-SHA256 (RFC 5869) from the
master key, one for each purpose; the schema and the kind are bound in as associated data. So a value copied to
another tenant, or to another kind, does not open, and the indexes of two tenants cannot be joined.

ENCRYPTION_KEYS_OLD, newest first, holds master keys that still open what they sealed. The indexes and the fingerprints
stay with the oldest key of all: under another one nothing stored would be found again.
"""

import base64
import binascii
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = "v1"
NONCE_SIZE_BYTES = 12
KEY_SIZE_BYTES = 32


class CannotUnseal(Exception):
    """Sealed by a key that we lack, or for another tenant or kind, or changed since. Nothing a client can mend."""


def seal(*, schema: str, kind: str, value: str) -> str:
    """Return `value` sealed for one kind in one schema: `v1.<key id>.<base64url of nonce and cipher text>`."""
    master = _current()
    nonce = os.urandom(NONCE_SIZE_BYTES)
    sealed = _cipher(master, schema).encrypt(nonce, value.encode(), _bound_to(schema, kind))
    return f"{VERSION}.{_key_id(master)}.{base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')}"


def unseal(*, schema: str, kind: str, value: str) -> str:
    """
    Return what was sealed.

    :raises CannotUnseal: rather than anything that was not sealed here, for this kind.
    """
    version, _, rest = value.partition(".")
    key_id, _, text = rest.partition(".")
    master = next((each for each in _masters() if _key_id(each) == key_id), None)
    if version != VERSION or master is None:
        raise CannotUnseal("The value was sealed in another way or by another key.")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        opened = _cipher(master, schema).decrypt(
            packed[:NONCE_SIZE_BYTES], packed[NONCE_SIZE_BYTES:], _bound_to(schema, kind)
        )
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise CannotUnseal("The value was sealed for another place, or has been changed.") from error
    return opened.decode()


def index(*, schema: str, kind: str, lookup: str) -> str:
    """Return the blind index of a value in its lookup form: 64 hexadecimal digits, equal only for equal values."""
    key = _derived(_oldest(), f"sarafan/index/{schema}")
    return hmac.digest(key, f"{kind}|{lookup}".encode(), "sha256").hex()


def fingerprint(*, schema: str, payload: bytes) -> str:
    """Return a keyed hash that tells whether two payloads are the same, and says nothing else of them."""
    return hmac.digest(_derived(_oldest(), f"sarafan/fingerprint/{schema}"), payload, "sha256").hex()


def _bound_to(schema: str, kind: str) -> bytes:
    return f"{schema}|{kind}".encode()


def _masters() -> list[bytes]:
    return [settings.ENCRYPTION_KEY, *getattr(settings, "ENCRYPTION_KEYS_OLD", [])]


def _current() -> bytes:
    return _masters()[0]


def _oldest() -> bytes:
    return _masters()[-1]


@lru_cache(maxsize=64)
def _key_id(master: bytes) -> str:
    return hashlib.sha256(b"sarafan/key-id/" + master).hexdigest()[:8]


# Deriving takes longer than sealing. A process that serves more schemas than fit here is merely slower.
@lru_cache(maxsize=4096)
def _cipher(master: bytes, schema: str) -> AESGCM:
    return AESGCM(_derived(master, f"sarafan/seal/{schema}"))


@lru_cache(maxsize=8192)
def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_SIZE_BYTES, salt=None, info=purpose.encode()).derive(master)
