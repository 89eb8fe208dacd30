"""JSON that means one thing only and fits a jsonb column."""

import json
import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any, Never

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from core.errors import Invalid

BODY_SIZE_BYTES_MAX = 1024 * 1024
BODY_DEPTH_MAX = 10


class MalformedJson(Invalid):
    """The body is not JSON as RFC 8259 has it, or is the kind of JSON that two parsers read in two ways."""

    message = _("The body is not valid JSON.")


class BodyTooLarge(APIException):
    """More than BODY_SIZE_BYTES_MAX: 413, for which there is no family of failures."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The body is larger than one mebibyte. Send it in parts.")
    default_code = "body_too_large"


class StrictJSONParser(BaseParser):
    """Read JSON that means one thing only and fits a jsonb column: see MalformedJson for what is refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """
        Return the body's value.

        :raises BodyTooLarge: above BODY_SIZE_BYTES_MAX, of which no more is read.
        :raises MalformedJson: for anything else.
        """
        body = stream.read(BODY_SIZE_BYTES_MAX + 1)
        if len(body) > BODY_SIZE_BYTES_MAX:
            raise BodyTooLarge
        return read_json(body)


def read_json(body: bytes) -> Any:
    """
    Return the value of a JSON text, read strictly.

    That is: UTF-8, no NaN or infinity, no name twice in an object, no NUL or half of a surrogate pair in a string,
    nothing nested deeper than BODY_DEPTH_MAX.

    :raises MalformedJson: with a sentence that says which.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedJson(_("The body is not UTF-8.")) from error
    try:
        value = json.loads(
            text, object_pairs_hook=_object_of, parse_constant=_refuse_constant, parse_float=_finite_float
        )
    except RecursionError as error:
        raise MalformedJson(_("The body is nested too deeply.")) from error
    except ValueError as error:
        raise MalformedJson from error
    _check_depth(value)
    if "\\u" in text:  # Only an escape can bring in what cannot be stored.
        _check_text(json.dumps(value, ensure_ascii=False))
    return value


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson(_("A name stands twice in one object."))
    return found


def _refuse_constant(name: str) -> Never:
    raise MalformedJson(_("NaN and infinities are not JSON."))


def _finite_float(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise MalformedJson(_("A number is too large."))
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _depth in range(BODY_DEPTH_MAX + 1):
        containers = [each for each in level if isinstance(each, dict | list)]
        if not containers:
            return
        level = [inner for each in containers for inner in (each.values() if isinstance(each, dict) else each)]
    raise MalformedJson(_("The body is nested too deeply."))


def _check_text(dumped: str) -> None:
    # json.dumps writes NUL as an escape, and an escaped backslash as two: only an odd number of them escapes.
    if re.search(r"(?<!\\)(?:\\\\)*\\u0000", dumped):
        raise MalformedJson(_("PostgreSQL cannot store the character NUL."))
    try:
        dumped.encode()
    except UnicodeEncodeError as error:
        raise MalformedJson(_("A string holds half of a surrogate pair.")) from error
