"""
Whether a rule's conditions hold. Pure: a rule is compiled once per version, and a check costs about a microsecond.

What is asked about an event is a flat mapping of field names: `amount_minor`, `channel`, `member.orders`, `items.sku`.
A field with several values (the SKUs of an order) holds if any of them does; for `not_equals`, if none is equal.
Texts are compared without regard to case. A field that is absent fails its condition, whatever the operator.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from campaigns.definitions import Condition, Miss, RuleLine

type_of_miss = Callable[[Mapping[str, object]], Miss | None]
type_of_test = Callable[[Any], bool]

CONDITIONS_MAX: Final = 20
CHOICES_MAX: Final = 50
TEXT_MAX: Final = 200
WHOLE_MAX: Final = 10**15

ORDERS: Final = "member.orders"
OF_MEMBER: Final = "member."
NUMBERS: Final = frozenset({int, float})
SEVERAL: Final = (list, tuple, set, frozenset)
WHOLE_TYPES: Final = frozenset({"money", "integer"})


class CataloguedField(Protocol):
    """What a check needs to know of a field of an event kind."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def operators(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row of conditions; `index` is None when it is wrong with all of them together."""

    index: int | None
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def compile_rule(rule: RuleLine) -> type_of_miss:
    """
    Return a function that says why an event's fields do not satisfy the rule, or None when they do. It never raises.

    The miss names the first condition that said no; where any one would do, all of them (`no_condition`).
    """
    order = _order_test(rule.order_number)
    tests = tuple(_compiled(condition, index) for index, condition in enumerate(rule.conditions))
    holds = _any_of(tests) if rule.match == "any" and tests else _all_of(tests)
    if order is None:
        return holds
    return lambda fields: order(fields) or holds(fields)


def compile_screen(rule: RuleLine) -> type_of_miss:
    """
    Return a function that says why an event alone, whoever it is about, cannot satisfy the rule's conditions.

    It asks for nothing of the member, so that most rules can be passed over before anything is read about anybody.
    """
    own = [
        _compiled(condition, index)
        for index, condition in enumerate(rule.conditions)
        if not condition.field.startswith(OF_MEMBER)
    ]
    if rule.match == "all":
        return _all_of(own)
    # Where any one will do, a condition on the member may yet hold.
    return _any_of(own) if own and len(own) == len(rule.conditions) else _all_of(())


def check(rows: object, fields: Sequence[CataloguedField]) -> list[Problem]:
    """Return what is wrong with rows, `[{"field", "operator", "value"}]`, for a kind of event with these fields."""
    if not isinstance(rows, list):
        return [Problem(None, "not_a_list")]
    if len(rows) > CONDITIONS_MAX:
        return [Problem(None, "too_many", {"limit": CONDITIONS_MAX})]
    known = {each.name: each for each in fields}
    return [problem for index, row in enumerate(rows) if (problem := _row_problem(index, row, known))]


# --- Whether it holds -----------------------------------------------------------------------------------------------


def _order_test(order_number: str) -> type_of_miss | None:
    if order_number not in {"first", "repeat"}:
        return None
    wants_first = order_number == "first"

    def test(fields: Mapping[str, object]) -> Miss | None:
        earlier = fields.get(ORDERS)
        if not _is_number(earlier):
            return Miss("field_missing", {"field": ORDERS})
        if (earlier == 0) is wants_first:
            return None
        return Miss("not_first_order" if wants_first else "not_repeat_order", {"earlier": earlier})

    return test


def _all_of(tests: Sequence[type_of_miss]) -> type_of_miss:
    if len(tests) == 1:
        return tests[0]

    def holds(fields: Mapping[str, object]) -> Miss | None:
        for test in tests:
            if miss := test(fields):
                return miss
        return None

    return holds


def _any_of(tests: Sequence[type_of_miss]) -> type_of_miss:
    def holds(fields: Mapping[str, object]) -> Miss | None:
        misses = []
        for test in tests:
            miss = test(fields)
            if miss is None:
                return None
            misses.append({"code": miss.code, **miss.params})
        return Miss("no_condition", {"misses": misses})

    return holds


def _compiled(condition: Condition, index: int) -> type_of_miss:
    name, operator = condition.field, condition.operator
    test = _test(operator, condition.value)
    wants_all = operator == "not_equals"
    shown = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    asked = {"index": index, "field": name, "operator": operator, "value": shown}

    def holds(fields: Mapping[str, object]) -> Miss | None:
        found = fields.get(name)
        if found is None:
            return Miss("field_missing", {"field": name})
        if isinstance(found, SEVERAL):
            several = [test(each) for each in found]
            held = bool(several) and all(several) if wants_all else any(several)
        else:
            held = test(found)
        if held:
            return None
        return Miss("condition", {**asked, "found": _shown(found)})

    return holds


def _test(operator: str, value: Any) -> type_of_test:
    takes, build = TESTS.get(operator, (_is_nothing, _equals))
    # What nobody could have saved today holds for nothing, and the trace shows it.
    return build(value) if takes(value) else (lambda found: False)


def _at_least(value: float) -> type_of_test:
    return lambda found: type(found) in NUMBERS and found >= value


def _at_most(value: float) -> type_of_test:
    return lambda found: type(found) in NUMBERS and found <= value


def _equals(value: object) -> type_of_test:
    wanted = _folded(value)
    return lambda found: _folded(found) == wanted


def _not_equals(value: object) -> type_of_test:
    unwanted = _folded(value)
    return lambda found: _folded(found) != unwanted


def _one_of(value: Sequence[object]) -> type_of_test:
    among = frozenset(_folded(each) for each in value)
    return lambda found: _folded(found) in among


def _contains(value: str) -> type_of_test:
    part = value.strip().casefold()
    return lambda found: isinstance(found, str) and part in found.casefold()


def _is(value: bool) -> type_of_test:  # noqa: FBT001 (it is the value that a row asks for)
    return lambda found: found is value


def _folded(value: object) -> tuple[str, object]:
    # The tag keeps 1, True and "1" apart, and makes what cannot be hashed comparable.
    if isinstance(value, str):
        return "text", value.strip().casefold()
    if isinstance(value, bool):
        return "boolean", value
    return ("number", value) if _is_number(value) else ("other", repr(value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_anything(value: object) -> bool:
    return True


def _is_nothing(value: object) -> bool:
    return False


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _shown(found: object) -> object:
    # A trace is stored with its event: it shows what was found and does not repeat a whole order.
    if isinstance(found, SEVERAL):
        return [_shown(each) for each in list(found)[:5]]
    return found if isinstance(found, (bool, int, float)) else str(found)[:TEXT_MAX]


# What an operator's value must be, and the test that it makes.
TESTS: Final[Mapping[str, tuple[Callable[[object], bool], Callable[[Any], type_of_test]]]] = {
    "at_least": (_is_number, _at_least),
    "at_most": (_is_number, _at_most),
    "equals": (_is_anything, _equals),
    "not_equals": (_is_anything, _not_equals),
    "one_of": (_is_list, _one_of),
    "contains": (_is_text, _contains),
    "is": (_is_boolean, _is),
}


# --- Whether it may be saved ----------------------------------------------------------------------------------------


def _row_problem(index: int, row: object, known: Mapping[str, CataloguedField]) -> Problem | None:
    if not isinstance(row, dict) or set(row) != {"field", "operator", "value"}:
        return Problem(index, "not_a_row")
    asked = known.get(row["field"]) if isinstance(row["field"], str) else None
    if asked is None:
        return Problem(index, "unknown_field", {"field": str(row["field"])[:TEXT_MAX]})
    if row["operator"] not in asked.operators:
        return Problem(index, "unknown_operator", {"field": asked.name, "operator": str(row["operator"])[:TEXT_MAX]})
    code = _value_problem(row["operator"], row["value"], asked)
    return Problem(index, code, {"field": asked.name}) if code else None


def _value_problem(operator: str, value: object, asked: CataloguedField) -> str | None:
    if operator == "one_of":
        if not isinstance(value, (list, tuple)) or not value:
            return "value_missing"
        if len(value) > CHOICES_MAX:
            return "too_many_values"
        return next((code for each in value if (code := _single_problem(each, asked))), None)
    return _single_problem(value, asked)


def _single_problem(value: object, asked: CataloguedField) -> str | None:
    if value is None or value == "":
        return "value_missing"
    if asked.type in WHOLE_TYPES:
        return None if _is_whole(value) else "not_whole"
    if asked.type == "boolean":
        return None if isinstance(value, bool) else "not_yes_or_no"
    return _text_problem(value)


def _text_problem(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "value_missing"
    return "text_too_long" if len(value) > TEXT_MAX or "\0" in value else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= WHOLE_MAX
