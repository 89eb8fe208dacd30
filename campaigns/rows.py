"""
Rows of conditions as a person fills them in, and as a rule stores them.

In the form everything is text, several values stand between commas, and money is in the currency's units; stored, a
value has its type and money is in minor units. What cannot be read is left as it was: `conditions.check` names it.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from campaigns import wording
from core.errors import Failure
from core.money import to_major, to_minor
from events.fields import Field, FieldType
from tenants import context

type_of_row = Mapping[str, Any]

NUMBER_LENGTH_MAX = 20
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def stored(rows: object, *, trigger: str) -> object:
    """Return rows of the form as a rule stores them."""
    if not isinstance(rows, list):
        return rows
    return [_stored_row(row, trigger) if isinstance(row, dict) else row for row in rows]


def shown(rows: Sequence[type_of_row], *, trigger: str) -> list[dict[str, Any]]:
    """Return a rule's rows as the form shows them."""
    return [{**row, "value": _shown(row["value"], wording.find_field(trigger, row["field"]))} for row in rows]


def _stored_row(row: type_of_row, trigger: str) -> dict[str, Any]:
    field = wording.find_field(trigger, str(row.get("field")))
    if field is None or "value" not in row:
        return dict(row)
    value = _several(row["value"]) if row.get("operator") == "one_of" else row["value"]
    if isinstance(value, list):
        return {**row, "value": [_stored(each, field) for each in value]}
    return {**row, "value": _stored(value, field)}


def _several(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [part.strip() for part in re.split(r"[,;\n]", value) if part.strip()]


def _stored(value: object, field: Field) -> object:
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if text is None:
        return value
    match field.type:
        case FieldType.MONEY:
            return _minor(text)
        case FieldType.INTEGER:
            return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
        case FieldType.BOOLEAN:
            return BOOLEANS.get(text.lower(), text)
    return text


def _minor(text: str) -> object:
    # People write 1 000,50 as well as 1000.50.
    plain = re.sub(r"\s", "", text).replace(",", ".")
    with suppress(InvalidOperation, Failure):
        if len(plain) <= NUMBER_LENGTH_MAX and re.fullmatch(r"-?\d+(\.\d+)?", plain):
            return to_minor(Decimal(plain), context.current().currency)
    return text


def _shown(value: object, field: Field | None) -> object:
    if isinstance(value, list):
        return ", ".join(str(_shown(each, field)) for each in value)
    if isinstance(value, bool) or field is None:
        return value
    if field.type == FieldType.MONEY and isinstance(value, int):
        amount = to_major(value, context.current().currency)
        return f"{amount:f}" if amount % 1 else str(int(amount))
    return str(value)
