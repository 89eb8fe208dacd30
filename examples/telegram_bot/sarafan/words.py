"""What the bot says, in the languages that it speaks."""

import json
from pathlib import Path

from aiogram.types import User

WORDS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
DEFAULT = "en"


def language_of(user: User) -> str:
    """Return the language of somebody's Telegram (`pt-br`), if we speak it."""
    language = (user.language_code or "").partition("-")[0].lower()
    return language if language in WORDS else DEFAULT


def say(language: str, name: str, **told: object) -> str:
    return WORDS.get(language, WORDS[DEFAULT])[name].format(**told)
