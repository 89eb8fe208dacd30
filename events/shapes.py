"""
Checks JSON against the part of JSON Schema (2020-12) that `events.kinds` uses, and cleans it on the way.

A schema is compiled once into closures: many times faster than a general validator, and every refusal is a
sentence with a JSON pointer. A word of the schema that would not be checked is refused when it is compiled.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.db import json_text
from core.errors import FieldError
from core.errors import translated as _

# Takes a value, its pointer and the list that problems are added to; returns the value, clean.
type_of_check = Callable[[Any, str, list[FieldError]], Any]

WORDS: Final = {
    "string": {"minLength", "maxLength", "pattern", "x-cut-to"},
    "integer": {"minimum", "maximum"},
    "boolean": set(),
    "array": {"items", "maxItems"},
    "object": {"properties", "required", "additionalProperties", "x-size-bytes-max"},
}
NOTES: Final = {"type", "description"}


def compile_schema(schema: Mapping[str, Any]) -> type_of_check:
    """
    Return the check of a schema.

    It trims texts, drops optional ones that are empty and turns 10.0 into 10; what it returns is worth reading only
    when it added no problem.
    """
    kind = schema["type"]
    unknown = set(schema) - WORDS[kind] - NOTES
    if unknown:
        raise ValueError(f"Nothing here checks {sorted(unknown)}.")
    return _COMPILERS[kind](schema)


def escaped(name: str) -> str:
    """Return a member's name as it stands in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _text(schema: Mapping[str, Any]) -> type_of_check:
    length_min, length_max = schema.get("minLength", 0), schema.get("maxLength")
    cut_to = schema.get("x-cut-to")
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None

    def check(value: Any, pointer: str, problems: list[FieldError]) -> Any:
        if not isinstance(value, str):
            return _refuse(problems, pointer, _("This must be a string."), value)
        clean = value.strip()[:cut_to]
        if len(clean) < length_min:
            return _refuse(problems, pointer, _("This must not be empty."), value)
        if length_max is not None and len(clean) > length_max:
            detail = _("This is longer than %(max)s characters.") % {"max": length_max}
            return _refuse(problems, pointer, detail, value)
        if pattern is not None and clean and not pattern.fullmatch(clean):
            return _refuse(problems, pointer, _("This holds characters that do not belong here."), value)
        return clean

    return check


def _boolean(schema: Mapping[str, Any]) -> type_of_check:
    def check(value: Any, pointer: str, problems: list[FieldError]) -> Any:
        return value if isinstance(value, bool) else _refuse(problems, pointer, _("This must be true or false."), value)

    return check


def _integer(schema: Mapping[str, Any]) -> type_of_check:
    minimum, maximum = schema["minimum"], schema["maximum"]

    def check(value: Any, pointer: str, problems: list[FieldError]) -> Any:
        # JSON knows one kind of number: 10.0 is the whole number 10. Python's True is none.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int:
            return _refuse(problems, pointer, _("This must be a whole number."), value)
        if not minimum <= value <= maximum:
            detail = _("This must be from %(min)s to %(max)s.") % {"min": minimum, "max": maximum}
            return _refuse(problems, pointer, detail, value)
        return value

    return check


def _array(schema: Mapping[str, Any]) -> type_of_check:
    check_item, length_max = compile_schema(schema["items"]), schema["maxItems"]

    def check(value: Any, pointer: str, problems: list[FieldError]) -> Any:
        if not isinstance(value, list):
            return _refuse(problems, pointer, _("This must be a list."), value)
        if len(value) > length_max:
            return _refuse(problems, pointer, _("This holds more than %(max)s.") % {"max": length_max}, value)
        return [check_item(each, f"{pointer}/{index}", problems) for index, each in enumerate(value)]

    return check


def _object(schema: Mapping[str, Any]) -> type_of_check:
    size_bytes_max = schema.get("x-size-bytes-max")
    check_members = None if schema["additionalProperties"] else _members(schema)

    def check(value: Any, pointer: str, problems: list[FieldError]) -> Any:
        if not isinstance(value, dict):
            return _refuse(problems, pointer, _("This must be an object."), value)
        if size_bytes_max is not None and size_bytes(value) > size_bytes_max:
            detail = _("This is larger than %(max)s KiB.") % {"max": size_bytes_max // 1024}
            return _refuse(problems, pointer, detail, value)
        return check_members(value, pointer, problems) if check_members else value

    return check


def _members(schema: Mapping[str, Any]) -> type_of_check:
    checks = {name: compile_schema(each) for name, each in schema["properties"].items()}
    required = tuple(schema.get("required", ()))

    def check(value: Any, pointer: str, problems: list[FieldError]) -> Any:
        for name in required:
            if name not in value:
                _refuse(problems, f"{pointer}/{name}", _("This is required."), None)
        found = {}
        for name, inner in value.items():
            place = f"{pointer}/{escaped(name)}"
            if name not in checks:
                _refuse(problems, place, _("There is no such field. What else you want to keep goes to extra."), None)
                continue
            clean = checks[name](inner, place, problems)
            if clean != "":
                found[name] = clean
        return found

    return check


def size_bytes(value: object) -> int:
    """Return how large a value is as JSON."""
    return len(json_text(value).encode())


def _refuse(problems: list[FieldError], pointer: str, detail: Any, value: Any) -> Any:
    problems.append(FieldError(pointer=pointer, detail=detail))
    return value


_COMPILERS: Final[Mapping[str, Callable[[Mapping[str, Any]], type_of_check]]] = {
    "string": _text,
    "integer": _integer,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
