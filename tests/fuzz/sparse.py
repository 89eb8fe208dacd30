"""
Answers to which `fields` were asked: no shape can say that they lack what was not named, so it is looked at here.

Whatever is there has the shape that the reference tells, in which nothing is required; and it is what was named.
"""

from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from tests.fuzz.shapes import ANSWER, shape_of, without_required

SPARSE = "fields"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Ask for whole answers on a walk: it goes on from what is in them, and ends at a failure, even a filtered one."""
    is_walk = case.meta is not None and case.meta.phase.name == "stateful"
    # What is wrong with a query may be its `fields`.
    if is_walk and case.query and not case.meta.is_negative_at(ParameterLocation.QUERY):
        case.query = {name: value for name, value in case.query.items() if name != SPARSE}


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Let the usual check of shapes speak of whole answers only."""
    is_of_shape = type(failure).__name__ == "JsonSchemaError"
    return not (is_of_shape and response.status_code == 200 and SPARSE in (case.query or {}))


@schemathesis.check
def a_sparse_answer_has_what_was_named(ctx: Any, response: Any, case: Any) -> None:
    """Look at the shape of what is there, and at the names in it."""
    if response.status_code != 200 or SPARSE not in (case.query or {}):
        return
    answer = response.json()
    wrong = [error.message for error in shape_of(case.operation.label, ANSWER, without_required).iter_errors(answer)]
    if wrong:
        raise AssertionError(f"A sparse answer of another shape: {wrong[:3]}")
    asked = {name.partition(".")[0] for name in _texts(case.query[SPARSE])} | (
        {"expanded"} if "expand" in case.query else set()
    )
    rows = answer["data"] if "next_cursor" in answer else [answer]
    if unasked := {name for row in rows for name in row} - asked:
        raise AssertionError(f"Nobody asked for {sorted(unasked)}, but for {sorted(asked)}")


def _texts(asked: Any) -> list[str]:
    texts = asked if isinstance(asked, list) else [asked]
    return [part for text in texts for part in str(text).split(",")]
