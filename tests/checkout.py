"""What is in this checkout: its packages, their sources and their models."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = sorted(path.parent.name for path in ROOT.glob("[a-z]*/__init__.py"))


def own_models() -> list[Any]:
    """Return the models that are ours."""
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]


def sources(*, with_tests: bool = False) -> Iterator[tuple[str, str]]:
    """Yield every Python file of ours: its path in the checkout, and its text."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if with_tests or not re.search(r"(^|/)tests/|^benchmarks/", name):
                yield name, path.read_text(encoding="utf-8")
