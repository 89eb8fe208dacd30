"""
What a field may be compared with, where that is a list: the form offers it, and a sentence says it by its name.

What the tenant makes itself belongs to higher floors: settings.FIELD_CHOICES names for a field who lists it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.utils.module_loading import import_string

from core.db import current_schema
from events.fields import Field

type_of_names = dict[str, str]

_kept: ContextVar[dict[tuple[str, str], type_of_names] | None] = ContextVar("field_choices", default=None)


@contextmanager
def at_hand() -> Iterator[None]:
    """Read each list once within; outside, it is read whenever it is asked for."""
    if _kept.get() is not None:
        yield
        return
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def names_of(field: Field) -> type_of_names:
    """Return the names of all values that there are, by value and in their order: none where anything may be given."""
    if field.name not in settings.FIELD_CHOICES:
        return {value: str(label) for value, label in field.choices}
    kept = _kept.get()
    if kept is None:
        return _read(field.name)
    key = (current_schema(), field.name)
    if key not in kept:
        kept[key] = _read(field.name)
    return kept[key]


def _read(name: str) -> type_of_names:
    return dict(import_string(settings.FIELD_CHOICES[name])())
