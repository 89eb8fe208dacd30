"""
The environment, read once.

Every reader takes the name of a variable and says in one sentence what is wrong with its value, if anything is, and
the program then does not start. An empty value counts as absent. A `.env` file in the checkout is read first;
what the real environment says wins.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Final, Never
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

ROOT: Final = Path(__file__).resolve().parent.parent

FLAGS: Final = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
POSTGRES: Final = ("postgres", "postgresql")
KEY_BYTES: Final = 32


def refuse(sentence: str) -> Never:
    """Stop the start with a sentence and no traceback."""
    raise SystemExit(f"Settings: {sentence}")


def find(name: str) -> str | None:
    """Return the value of a variable, or `None` where it is absent or empty."""
    return os.environ.get(name, "").strip() or None


def text(name: str, *, default: str | None = None) -> str:
    """Return a value that must be there, unless it has a default."""
    value = find(name) or default
    if value is None:
        refuse(f"{name} is missing. See .env.example for what it is.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or a no."""
    value = find(name)
    if value is None:
        return default
    if value.lower() not in FLAGS:
        refuse(f"{name} is {value!r}, and should be one of {', '.join(FLAGS)}.")
    return FLAGS[value.lower()]


def number(name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number between `least` and `most`."""
    value = find(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        refuse(f"{name} is {value!r}, and should be a whole number from {least} to {most}.")
    return int(value)


def choice(name: str, *, default: str, among: tuple[str, ...]) -> str:
    """Return one of the given words."""
    value = find(name) or default
    if value not in among:
        refuse(f"{name} is {value!r}, and should be one of {', '.join(among)}.")
    return value


def words(name: str) -> list[str]:
    """Return the parts of a comma-separated list."""
    return [word.strip() for word in (find(name) or "").split(",") if word.strip()]


def key(name: str, *, default: str | None = None) -> bytes:
    """Return a key of 32 bytes, which is written in base64."""
    return _key(name, text(name, default=default))


def keys(name: str) -> list[bytes]:
    """Return a comma-separated list of keys, which may be empty."""
    return [_key(name, value) for value in words(name)]


def url(name: str, *, default: str | None, schemes: tuple[str, ...]) -> str:
    """Return an address with one of the given schemes."""
    value = text(name, default=default)
    if _split(name, value).scheme not in schemes:
        refuse(f"{name} should start with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return value


def database(name: str, *, default: str | None) -> dict[str, object]:
    """Return a PostgreSQL address as Django's words for it. A socket's folder is given as `?host=/folder`."""
    parts = _split(name, url(name, default=default, schemes=POSTGRES))
    extra = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    found: dict[str, object] = {
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": extra.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or extra.pop("port", "")),
        "OPTIONS": extra,
    }
    if not found["NAME"]:
        refuse(f"{name} names no database: postgresql://user:password@host:5432/database.")
    return found


def _key(name: str, value: str) -> bytes:
    try:
        found = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != KEY_BYTES:
        refuse(f"{name} should be {KEY_BYTES} random bytes in base64: try `openssl rand -base64 {KEY_BYTES}`.")
    return found


def _split(name: str, value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port  # Only asking for it says that it is no number.
    except ValueError:
        refuse(f"{name} is not an address.")
    return parts


def _read_file(path: Path) -> None:
    if not path.is_file():
        return
    for number_, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, found, value = line.partition("=")
        if not found or not name.strip().isidentifier():
            refuse(f"line {number_} of .env is not NAME=value.")
        os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


# Neither a test run nor a benchmark must meet the servers that somebody has put there.
if find("SARAFAN_PROFILE") not in {"test", "bench"}:
    _read_file(ROOT / ".env")
