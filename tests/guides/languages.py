"""
Runs the snippets of a guide as a reader does: one program for each language, which pauses after each step.

While it pauses, the platform handles what was reported: a reader who tries one step after another leaves it the time.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "--- the next step ---"
SECONDS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Language:
    """How a program of it is run, and how it pauses until it reads a line."""

    program: str
    suffix: str
    pause: str

    @property
    def path(self) -> str | None:
        """Return where the interpreter is, or None where there is none."""
        return sys.executable if self.program == "python" else shutil.which(self.program)


ALL: Final[Mapping[str, Language]] = {
    "sh": Language("curl", ".sh", f"\necho '{MARK}'; read -r _\n"),
    "python": Language("python", ".py", f"\nprint({MARK!r}, flush=True); input()\n"),
    "js": Language(
        "node",
        ".mjs",
        f"\nconsole.log('{MARK}'); await import('node:fs').then(fs => fs.readSync(0, Buffer.alloc(1)));\n",
    ),
    "php": Language("php", ".php", f"\necho '{MARK}', PHP_EOL; fgets(STDIN);\n"),
}
MISSING: Final = [name for name, language in ALL.items() if language.path is None]


def run(
    *, language: str, steps: Sequence[str], folder: Path, variables: Mapping[str, str], meanwhile: Callable[[], None]
) -> Iterator[str]:
    """
    Run the steps in order, and yield what each has printed.

    :raises AssertionError: when the program ends before its last step.
    """
    how = ALL[language]
    file = folder / f"guide{how.suffix}"
    file.write_text("".join(step + how.pause for step in steps), encoding="utf-8")
    command = ["sh" if language == "sh" else str(how.path), file.name]
    with subprocess.Popen(  # noqa: S603 (the guides' own snippets)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=os.environ | variables
    ) as program:
        assert program.stdin
        assert program.stdout
        for number, _step in enumerate(steps, start=1):
            printed = []
            for line in program.stdout:
                if line.strip().endswith(MARK):
                    printed.append(line.strip().removesuffix(MARK))
                    break
                printed.append(line)
            else:
                raise AssertionError(f"It ended in step {number}: {''.join(printed)}")
            yield "".join(printed)
            meanwhile()
            program.stdin.write("\n")
            program.stdin.flush()
        assert program.wait(SECONDS_MAX) == 0
