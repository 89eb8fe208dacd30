"""What a guide tells its reader to do: steps, each in one language or in several, and the answer that it shows."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = ("sh", "python", "js", "php")
FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """The same thing said in each language; `answer` is what is printed, if the guide shows it."""

    said: Mapping[str, str]
    answer: Any = None


@dataclass
class _Reading:
    said: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def close(self, answer: Any = None) -> None:
        if self.said:
            self.steps.append(Step(said=self.said, answer=answer))
            self.said = {}


def steps_of(guide: Path) -> list[Step]:
    """Return the steps of a guide, in order. A block of JSON that follows no snippet is only to be read."""
    reading = _Reading()
    for language, text in blocks_of(guide):
        if language == "json":
            reading.close(json.loads(text))
        elif language in LANGUAGES:
            if language in reading.said:
                reading.close()
            reading.said[language] = text
    reading.close()
    return reading.steps


def languages_of(guide: Path) -> list[str]:
    """Return the languages that a guide speaks."""
    return [language for language in LANGUAGES if any(language in step.said for step in steps_of(guide))]


def blocks_of(guide: Path) -> Iterator[tuple[str, str]]:
    """Yield each block of a guide: in which language it is, and its text."""
    for match in FENCE.finditer(guide.read_text(encoding="utf-8")):
        yield match[1], match[2]
