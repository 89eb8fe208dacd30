"""What schemathesis is to look at besides: that an answer tells nothing of another tenant (`SCHEMATHESIS_HOOKS`)."""

import os
import re
from typing import Any

import schemathesis

# The numbers, and the names, of rows that only the other tenant has.
OF_OTHERS = re.compile(os.environ.get("FUZZ_OF_OTHERS") or "$^")


@schemathesis.check
def tells_nothing_of_others(ctx: Any, response: Any, case: Any) -> None:
    """Look for the other tenant's rows in an answer, but for what was asked for."""
    asked = f"{case.path_parameters} {case.query} {case.body} {response.request.url}"
    told = {found for found in OF_OTHERS.findall(response.content.decode(errors="replace")) if found not in asked}
    if told:
        raise AssertionError(f"It tells of another tenant: {sorted(told)}")
