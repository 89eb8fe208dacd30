"""The guides of docs/api/ for those who have no checkout: served beside the reference, by every host, to everybody."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config import markdown

FOLDER: Final = Path(settings.BASE_DIR, "docs/api")
FRONT: Final = "readme"
IN_THE_MAP: Final = re.compile(r"^## (.+)$|^\| \[(.+?)\]\(([\w-]+)\.md\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu."""

    page: str
    title: str


def pages() -> dict[str, Path]:
    """Return the file of each page, by the page's name in its address."""
    return {path.stem.lower(): path for path in sorted(FOLDER.glob("*.md"))}


def menu() -> dict[str, list[Entry]]:
    """Return what the map on the front page names, by its headings."""
    found: dict[str, list[Entry]] = {}
    entries: list[Entry] = []
    for heading, title, name in IN_THE_MAP.findall(pages()[FRONT].read_text(encoding="utf-8")):
        if heading:
            entries = found.setdefault(heading, [])
        else:
            entries.append(Entry(name.lower(), title))
    return {heading: entries for heading, entries in found.items() if entries}


def address_of(page: str) -> str:
    """Return where a page is read."""
    return reverse("guides") if page == FRONT else reverse("guide", args=[page])


@require_safe
def guide(request: HttpRequest, page: str = FRONT) -> HttpResponse:
    """Show one page, in English like the reference."""
    path = pages().get(page)
    if path is None:
        raise Http404
    shown = {"page": page, "guide": _rendered(path, path.stat().st_mtime_ns), "menu": _addressed()}
    return render(request, "docs/guide.html", shown)


@cache
def _rendered(path: Path, _changed_at: int) -> markdown.Rendered:
    return markdown.render(path.read_text(encoding="utf-8"), address_of=_leads_to)


def _addressed() -> dict[str, list[tuple[str, Entry]]]:
    return {heading: [(address_of(entry.page), entry) for entry in entries] for heading, entries in menu().items()}


def _leads_to(target: str) -> str | None:
    """Return where a link of a page leads, and None where only a checkout has what it names."""
    place, sharp, heading = target.partition("#")
    if not place or re.match(r"https?:", target):
        return target
    page = place.removesuffix(".md").lower()
    return f"{address_of(page)}{sharp}{heading}" if page in pages() else None
