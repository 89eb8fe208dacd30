"""
The sentences that are translated: found in the code without gettext's programs, and kept in `locale/`.

Besides our own there are those of libraries that come without Russian or Chinese.
"""

import gettext
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import polib
from babel.messages.extract import extract
from django.apps import apps
from django.conf import global_settings, settings
from django.utils.translation.template import templatize

# Locale (Django asks for the folder of this name) → how many forms a plural has, and which one is for `n`.
PLURALS: Final = {
    "ru": (3, "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2"),
    "zh_Hans": (1, "0"),
}
LIBRARIES: Final = ("unfold", "axes")
# Django's Russian puts names into its sentences as they are, which is the wrong case or gender for most of ours.
REWORDED: Final = (
    "%(model_name)s with this %(field_label)s already exists.",
    "Add %(name)s",
    "Add %s",
    "Add another %(verbose_name)s",
    'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? '
    "All of the following related items will be deleted:",
    "Cannot delete %(name)s",
    "Change %s",
    "Delete selected %(verbose_name_plural)s",
    "Successfully deleted %(count)d %(items)s.",
    "The %(name)s “%(obj)s” was deleted successfully.",
    "The {name} “{obj}” was added successfully.",
    "The {name} “{obj}” was added successfully. You may add another {name} below.",
    "The {name} “{obj}” was changed successfully.",
    "The {name} “{obj}” was changed successfully. You may add another {name} below.",
    "The {name} “{obj}” was changed successfully. You may edit it again below.",
    "View %s",
)
# Our own folders without sentences for anybody who uses the site.
NOT_READ: Final = {"benchmarks", "staticfiles", "tests", "migrations", "var"}

# What a call is named → which of its arguments hold the sentence, its plural and ("c") its context.
_CONTEXT: Final = (1, "c")
_CALLS: Final = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": (_CONTEXT, 2),
    "pgettext_lazy": (_CONTEXT, 2),
    "npgettext": (_CONTEXT, 2, 3),
    "npgettext_lazy": (_CONTEXT, 2, 3),
}


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A sentence as the code has it. `plural` and `context` are empty where it has none."""

    text: str
    context: str = ""
    plural: str = ""


type_of_places = dict[Message, set[str]]


def file_of(locale: str) -> Path:
    """Return where a locale's translations are kept."""
    return Path(settings.LOCALE_PATHS[0]) / locale / "LC_MESSAGES" / "django.po"


def collect() -> type_of_places:
    """Return every message with the files that it stands in."""
    found = messages_in(settings.BASE_DIR, base=settings.BASE_DIR)
    found |= {Message(text): {"django"} for text in REWORDED}
    for name in LIBRARIES:
        folder = _folder_of(name)
        for message, places in messages_in(folder, base=folder.parent).items():
            if message in found or not _is_known(message):
                found.setdefault(message, set()).update(places)
    return found


def messages_in(folder: Path, *, base: Path) -> type_of_places:
    """Return the messages of a folder; places are relative to `base`."""
    found: type_of_places = {}
    for path in _files(folder):
        for message in _messages_of(path):
            found.setdefault(message, set()).add(path.relative_to(base).as_posix())
    return found


def updated(locale: str, *, found: type_of_places) -> polib.POFile:
    """Return a locale's file as it should be: all that was found, with the translations there are, and nothing else."""
    forms, rule = PLURALS[locale]
    kept = {_message_of(entry): entry for entry in read(locale)}
    file = polib.POFile(wrapwidth=0)
    file.header = "Collected by `manage.py collect_messages`; only the translations are written by hand."
    file.metadata = {
        "Language": locale,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": f"nplurals={forms}; plural=({rule});",
    }
    for message in sorted(found):
        entry = kept.get(message) or _new_entry(message, forms)
        # Without line numbers: else a new line at the top of a file would change them all.
        entry.occurrences = [(place, "") for place in sorted(found[message])]
        file.append(entry)
    return file


def read(locale: str) -> polib.POFile:
    """Return a locale's file as it is; one that does not exist is empty."""
    path = file_of(locale)
    return polib.pofile(str(path), wrapwidth=0) if path.exists() else polib.POFile()


def _folder_of(library: str) -> Path:
    spec = importlib.util.find_spec(library)
    if spec is None or spec.origin is None:
        raise LookupError(f"{library} is not installed.")
    return Path(spec.origin).parent


def _files(folder: Path) -> Iterator[Path]:
    # Not by `rglob`: the database and the virtual environment stand in the checkout, and are large.
    for path in folder.iterdir():
        if path.is_dir():
            if path.name not in NOT_READ and not path.name.startswith("."):
                yield from _files(path)
        elif path.suffix == ".py" or (path.suffix in {".html", ".txt"} and "templates" in path.parts):
            yield path


def _messages_of(path: Path) -> Iterator[Message]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What is left of a template are calls, one on a line, and an indentation that means nothing.
        source = "\n".join(line.lstrip() for line in templatize(source, origin=str(path)).splitlines())
    for _line, texts, _comments, context in extract("python", BytesIO(source.encode()), _CALLS):
        text, plural = (texts, "") if isinstance(texts, str) else texts
        # An empty one asks for the catalogue's head.
        if text:
            yield Message(text, context or "", plural)


def _is_known(message: Message) -> bool:
    """Say whether Django, or a library, brings a translation into each of our languages."""
    return all(any(_has(catalogue, message) for catalogue in _catalogues(locale)) for locale in PLURALS)


@cache
def _catalogues(locale: str) -> list[gettext.NullTranslations]:
    folders = [Path(global_settings.__file__).parent, *(Path(app.path) for app in apps.get_app_configs())]
    return [gettext.translation("django", folder / "locale", [locale], fallback=True) for folder in folders]


def _has(catalogue: gettext.NullTranslations, message: Message) -> bool:
    if message.plural:
        return catalogue.ngettext(message.text, message.plural, 1) != message.text
    if message.context:
        return catalogue.pgettext(message.context, message.text) != message.text
    return catalogue.gettext(message.text) != message.text


def _message_of(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural)


def _new_entry(message: Message, forms: int) -> polib.POEntry:
    return polib.POEntry(
        msgid=message.text,
        msgctxt=message.context or None,
        msgid_plural=message.plural,
        msgstr_plural=dict.fromkeys(range(forms), "") if message.plural else {},
    )
