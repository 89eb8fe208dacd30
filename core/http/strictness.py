"""Bodies mean what they say: the number 5 is no text and the text "5" no number, as which REST framework takes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

EARLIEST_YEAR: Final = 1970
# What a request's filters and repetitions call their beginning, and by how much the caller's clock may be ahead.
SINCE: Final = "since"
AHEAD_MAX: Final = timedelta(minutes=5)
# What a field is in JSON, the narrower kind first; and the code of its own sentence about anything else.
KINDS: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str], ...] = (
    (serializers.BooleanField, (bool,), "invalid"),
    (serializers.IntegerField, (int,), "invalid"),
    (serializers.ChoiceField, (str,), "invalid_choice"),
    (serializers.CharField, (str,), "invalid"),
)


def wrong_kinds(field: Any, value: Any) -> Any:
    """Return what is of another kind than it should be, in the shape of a serializer's `errors`; empty for nothing."""
    if isinstance(field, serializers.Serializer):
        if not isinstance(value, Mapping):
            return {}
        found = {name: wrong_kinds(each, value[name]) for name, each in field.fields.items() if name in value}
        return {name: wrong for name, wrong in found.items() if wrong}
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        wrong = [wrong_kinds(field.child, each) for each in value] if isinstance(value, list) else []
        return wrong if any(wrong) else []
    return [] if value is None or _is_of_kind(field, value) else [_sentence(field, value)]


def too_early(validated: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what names an instant before there were programs: a slip, whose zone had another offset than any today."""
    return {
        name: [str(_("This is before 1970."))]
        for name, value in validated.items()
        if isinstance(value, datetime) and value.year < EARLIEST_YEAR
    }


def still_to_come(validated: Mapping[str, Any], *, at: datetime) -> dict[str, list[str]]:
    """Return a beginning that is yet to come: a slip that an empty answer would hide. Clocks may differ a bit."""
    since = validated.get(SINCE)
    if not isinstance(since, datetime) or since <= at + AHEAD_MAX:
        return {}
    return {SINCE: [str(_("This is still to come."))]}


def _is_of_kind(field: Any, value: Any) -> bool:
    usual = next((kinds for of, kinds, _code in KINDS if isinstance(field, of)), None)
    # Of a field that takes more the class says so.
    kinds = getattr(field, "json_kinds", usual)
    if kinds is None:
        return True
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _sentence(field: Any, value: Any) -> str:
    code = next(code for of, _kinds, code in KINDS if isinstance(field, of))
    return str(field.error_messages[code]).format(input=value)
