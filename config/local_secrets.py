"""Secrets of a machine that has no settings: made once, kept in `var/secrets.json`, readable by its owner only."""

import base64
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path


def local_secrets(*, folder: Path) -> dict[str, str]:
    """Return this checkout's own secrets, made on first use."""
    path = folder / "secrets.json"
    if not path.exists():
        _write(path)
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _write(path: Path) -> None:
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(made, indent=2), encoding="utf-8")
    # A link fails where the name exists: of two processes that start together one wins, and both read its secrets.
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
