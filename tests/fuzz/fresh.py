"""
A new Idempotency-Key for most requests.

The fuzzer likes short texts, and says the same one again and again: a key that stood for another body is refused
before anything of the body is looked at, so that little else would be found out.
"""

from itertools import count
from random import Random
from typing import Any, Final

import schemathesis
from schemathesis.core.parameters import ParameterLocation

HEADER: Final = "Idempotency-Key"
# The rest says a key again, as the fuzzer has it.
SHARE: Final = 0.95

_dice = Random(5)  # noqa: S311 (no secret)
_numbers = count(1)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give a request a key of its own, unless it is a header that is wrong: that it is refused is to be seen."""
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER)
    if HEADER in (case.headers or {}) and not is_wrong and _dice.random() < SHARE:
        case.headers[HEADER] = f"fuzz-{next(_numbers)}"
