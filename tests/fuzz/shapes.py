"""The shapes that the reference tells of, to look at what the fuzzer does not look at by itself."""

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

BODY: Final = "requestBody/content/application~1json/schema"
ANSWER: Final = "responses/200/content/application~1json/schema"


def as_told(document: Any) -> Any:
    """Return it as it is."""
    return document


def without_required(document: Any) -> Any:
    """Return a document in which nothing has to be there."""
    if isinstance(document, dict):
        return {
            name: without_required(each)
            for name, each in document.items()
            if not (name == "required" and isinstance(each, list))
        }
    return [without_required(each) for each in document] if isinstance(document, list) else document


@cache
def shape_of(operation: str, place: str, change: Callable[[Any], Any] = as_told) -> Draft202012Validator:
    """Return what looks at the shape of an operation ("POST /api/v1/events") that stands at a place."""
    method, _, path = operation.partition(" ")
    document = change(json.loads(Path(os.environ["FUZZ_DOCUMENT"]).read_text()))
    way = "/".join(("paths", path.replace("/", "~1"), method.lower(), place))
    return Draft202012Validator({**document, "$ref": f"#/{way}"})
