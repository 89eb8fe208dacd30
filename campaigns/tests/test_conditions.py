"""Whether a rule's conditions hold, and whether rows of them may be saved."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.conditions import CHOICES_MAX, CONDITIONS_MAX, TESTS, Problem, check, compile_rule
from campaigns.definitions import Condition, Miss
from campaigns.tests.offers import rule

FIELDS = [
    SimpleNamespace(name="amount_minor", type="money", operators=("at_least", "at_most", "equals")),
    SimpleNamespace(name="items.sku", type="text", operators=("equals", "one_of", "contains")),
    SimpleNamespace(name="channel", type="choice", operators=("equals", "one_of")),
    SimpleNamespace(name="member.invited", type="boolean", operators=("is",)),
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def miss_of(fields, **told):
    """Return why a rule does not hold for these fields; it is one that does not."""
    miss = compile_rule(rule(**told))(fields)
    assert miss
    return miss


def missing(field, operator, value, found):
    """Return the code of the miss of one condition on one found value, or None when it holds."""
    miss = compile_rule(rule(conditions=(Condition(field=field, operator=operator, value=value),)))({field: found})
    return miss and miss.code


@pytest.mark.parametrize(
    ("operator", "value", "holds", "fails"),
    [
        ("at_least", 500, [500, 501, 500.5], [499, "500", True, [], {}]),
        ("at_most", 500, [500, 0, -1], [501, "499", False]),
        ("equals", 1, [1, 1.0], [2, True, "1"]),
        ("equals", "Telegram", ["telegram", " TELEGRAM "], ["telegra", 5, True]),
        ("not_equals", "telegram", ["site", 5], ["Telegram"]),
        ("one_of", ("a", "b"), ["A", "b"], ["c", "", 1]),
        ("contains", "vinyl", ["LP-VINYL-7"], ["cd", 5, ""]),
        ("is", True, [True], [False, 1, "true"]),
        ("is", False, [False], [True, 0]),
    ],
)
def test_an_operator_holds_for_these_and_fails_for_those(operator, value, holds, fails):
    assert [missing("f", operator, value, found) for found in holds] == [None] * len(holds)
    assert [missing("f", operator, value, found) for found in fails] == ["condition"] * len(fails)


def test_the_miss_tells_what_was_asked_and_what_was_found():
    miss = compile_rule(rule(conditions=(Condition(field="channel", operator="one_of", value=("a", "b")),)))

    assert miss({"channel": "c"}) == Miss(
        "condition", {"index": 0, "field": "channel", "operator": "one_of", "value": ["a", "b"], "found": "c"}
    )


@pytest.mark.parametrize("operator", sorted(TESTS))
@pytest.mark.parametrize("fields", [{}, {"f": None}])
def test_an_absent_field_fails_whatever_the_operator(operator, fields):
    miss = compile_rule(rule(conditions=(Condition(field="f", operator=operator, value=1),)))

    assert miss(fields) == Miss("field_missing", {"field": "f"})


@pytest.mark.parametrize(
    ("operator", "value", "found", "code"),
    [
        ("equals", "lp-7", ["CD-1", "LP-7"], None),
        ("one_of", ("lp-7", "lp-8"), ("cd-1", "lp-8"), None),
        ("contains", "lp", ["cd-1"], "condition"),
        ("not_equals", "lp-7", ["cd-1", "cd-2"], None),
        ("not_equals", "lp-7", ["cd-1", "lp-7"], "condition"),
        ("equals", "lp-7", [], "condition"),
        ("not_equals", "lp-7", [], "condition"),
    ],
)
def test_a_field_of_several_values_holds_if_any_does_and_unequal_if_none_is_equal(operator, value, found, code):
    assert missing("items.sku", operator, value, found) == code


TWO = (
    Condition(field="amount_minor", operator="at_least", value=500),
    Condition(field="channel", operator="equals", value="bot"),
)


def test_of_all_conditions_the_first_that_said_no_is_named():
    assert miss_of({"amount_minor": 100, "channel": "x"}, conditions=TWO).params["field"] == "amount_minor"
    assert miss_of({"amount_minor": 500, "channel": "x"}, conditions=TWO).params["field"] == "channel"
    assert compile_rule(rule(conditions=TWO))({"amount_minor": 500, "channel": "bot"}) is None


def test_where_any_would_do_each_that_said_no_is_named():
    miss = compile_rule(rule(match="any", conditions=TWO))

    assert miss({"amount_minor": 100, "channel": "bot"}) is None
    assert miss({"amount_minor": 100}) == Miss(
        "no_condition",
        {
            "misses": [
                {
                    "code": "condition",
                    "index": 0,
                    "field": "amount_minor",
                    "operator": "at_least",
                    "value": 500,
                    "found": 100,
                },
                {"code": "field_missing", "field": "channel"},
            ]
        },
    )


@pytest.mark.parametrize("match", ["all", "any"])
def test_a_rule_without_conditions_holds_for_everything(match):
    assert compile_rule(rule(match=match))({}) is None


@pytest.mark.parametrize(
    ("order_number", "earlier", "miss"),
    [
        ("any", 7, None),
        ("first", 0, None),
        ("first", 1, Miss("not_first_order", {"earlier": 1})),
        ("repeat", 1, None),
        ("repeat", 0, Miss("not_repeat_order", {"earlier": 0})),
        ("first", None, Miss("field_missing", {"field": "member.orders"})),
    ],
)
def test_a_rule_may_be_for_the_first_order_or_for_later_ones(order_number, earlier, miss):
    assert compile_rule(rule(order_number=order_number))({"member.orders": earlier}) == miss


def test_an_order_of_the_wrong_number_is_named_before_its_conditions():
    assert miss_of({"member.orders": 2}, order_number="first", conditions=TWO).code == "not_first_order"


def test_a_long_value_is_cut_in_the_trace():
    miss = miss_of({"f": ["y" * 999] * 9}, conditions=(Condition(field="f", operator="equals", value="x"),))

    assert miss.params["found"] == ["y" * 200] * 5


@given(
    operator=st.sampled_from([*TESTS, "unheard_of"]),
    value=anything,
    found=anything,
    match=st.sampled_from(["all", "any"]),
    order_number=st.sampled_from(["any", "first", "repeat"]),
)
def test_it_never_raises_whatever_is_asked_and_found(operator, value, found, match, order_number):
    odd = rule(
        conditions=(Condition(field="f", operator=operator, value=value),), match=match, order_number=order_number
    )

    assert isinstance(compile_rule(odd)({"f": found, "member.orders": found}), Miss | None)


def row(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


@pytest.mark.parametrize(
    "fine",
    [
        row("amount_minor", "at_least", 50_000),
        row("items.sku", "one_of", ["lp-7", "lp-8"]),
        row("items.sku", "contains", "lp"),
        row("channel", "equals", "bot"),
        row("channel", "one_of", ["bot", "shop"]),
        row("member.invited", "is", False),
    ],
)
def test_a_sound_row_may_be_saved(fine):
    assert check([fine], FIELDS) == []


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (row("colour", "equals", "red"), "unknown_field"),
        (row(["x"], "equals", "red"), "unknown_field"),
        (row("amount_minor", "contains", 5), "unknown_operator"),
        (row("amount_minor", ["x"], 5), "unknown_operator"),
        (row("amount_minor", "at_least", ""), "value_missing"),
        (row("amount_minor", "at_least", None), "value_missing"),
        (row("amount_minor", "at_least", 5.5), "not_whole"),
        (row("amount_minor", "at_least", "5"), "not_whole"),
        (row("amount_minor", "at_least", True), "not_whole"),
        (row("amount_minor", "at_least", 10**16), "not_whole"),
        (row("items.sku", "equals", " "), "value_missing"),
        (row("items.sku", "equals", 5), "value_missing"),
        (row("items.sku", "equals", "x" * 201), "text_too_long"),
        (row("items.sku", "equals", "x\0"), "text_too_long"),
        (row("items.sku", "one_of", []), "value_missing"),
        (row("items.sku", "one_of", "lp"), "value_missing"),
        (row("items.sku", "one_of", ["lp", ""]), "value_missing"),
        (row("items.sku", "one_of", ["lp"] * (CHOICES_MAX + 1)), "too_many_values"),
        (row("member.invited", "is", "yes"), "not_yes_or_no"),
        ({"field": "channel"}, "not_a_row"),
        ("channel", "not_a_row"),
    ],
)
def test_an_odd_row_is_named_by_its_place(odd, code):
    problems = check([row("channel", "equals", "bot"), odd], FIELDS)

    assert [(problem.index, problem.code) for problem in problems] == [(1, code)]


def test_rows_are_a_list_and_not_too_many():
    many = [row("channel", "equals", "bot")] * (CONDITIONS_MAX + 1)

    assert check({"all": []}, FIELDS) == [Problem(None, "not_a_list")]
    assert check(many, FIELDS) == [Problem(None, "too_many", {"limit": CONDITIONS_MAX})]
    assert check(many[1:], FIELDS) == []


@given(rows=anything)
def test_checking_never_raises(rows):
    assert all(isinstance(problem, Problem) for problem in check(rows, FIELDS))


@given(
    fields=st.dictionaries(st.sampled_from([each.name for each in FIELDS]), anything),
    value=st.integers(0, 10**12),
)
def test_what_may_be_saved_can_be_asked(fields, value):
    asked = (
        Condition(field="amount_minor", operator="at_least", value=value),
        Condition(field="items.sku", operator="one_of", value=("a", "b")),
    )

    assert isinstance(compile_rule(rule(conditions=asked))(fields), Miss | None)
