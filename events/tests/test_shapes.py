import pytest

from events.schemas import data, free_object, integer, record, text, visitors_text
from events.shapes import compile_schema

NAME = text(5, "")
PERSON = record({"name": NAME, "age": integer(0, 150, "")}, required=("name",))


def check(schema, value):
    """Return the clean value and the pointers of what is wrong."""
    problems = []
    clean = compile_schema(schema)(value, "/data", problems)
    return clean, [problem["pointer"] for problem in problems]


@pytest.mark.parametrize("value", ["abc", "  abc\n", "абв", "12345"])
def test_texts_are_trimmed_before_they_count(value):
    assert check(NAME, value) == (value.strip(), [])


@pytest.mark.parametrize("value", ["", "   ", "123456", "a\x00", "a\nb", "a\u202eb", "a\u200bb", 7, None, ["a"], True])
def test_other_texts_are_refused(value):
    assert check(NAME, value)[1] == ["/data"]


def test_a_visitors_text_is_cut_and_never_refused():
    assert check(visitors_text(5, ""), " 123456\n7") == ("12345", [])
    assert check(visitors_text(5, ""), 7)[1] == ["/data"]


@pytest.mark.parametrize(("value", "clean"), [(0, 0), (150, 150), (10.0, 10)])
def test_whole_numbers_are_taken_within_their_bounds(value, clean):
    found, problems = check(integer(0, 150, ""), value)

    assert (found, type(found), problems) == (clean, int, [])


@pytest.mark.parametrize("value", [-1, 151, 1.5, "1", True, None, [1], 1e300])
def test_other_numbers_are_refused(value):
    assert check(integer(0, 150, ""), value)[1] == ["/data"]


def test_an_object_holds_its_members_and_no_others():
    assert check(PERSON, {"name": "Anna", "age": 30}) == ({"name": "Anna", "age": 30}, [])
    assert check(PERSON, {"age": "30", "a/b~": 1})[1] == ["/data/name", "/data/age", "/data/a~1b~0"]
    assert check(PERSON, ["Anna"])[1] == ["/data"]


def test_an_optional_text_may_be_empty_and_is_then_left_out():
    schema = data(channel=visitors_text(50, ""), reason=text(5, "", length_min=0))

    assert check(schema, {"channel": " ", "reason": ""}) == ({}, [])


def test_each_item_of_a_list_is_checked_at_its_place():
    schema = {"type": "array", "items": PERSON, "maxItems": 2}

    assert check(schema, [{"name": " Anna"}]) == ([{"name": "Anna"}], [])
    assert check(schema, [{"name": "Anna"}, {}])[1] == ["/data/1/name"]
    assert check(schema, [{}, {}, {}])[1] == ["/data"]
    assert check(schema, {})[1] == ["/data"]


def test_a_free_object_is_bounded_by_its_size_as_json():
    schema = free_object(1024, "")

    assert check(schema, {"a": "x" * 1016}) == ({"a": "x" * 1016}, [])
    assert check(schema, {"a": "x" * 1017})[1] == ["/data"]
    assert check(schema, {"a": "ж" * 509})[1] == ["/data"]


def test_what_is_not_checked_cannot_be_promised():
    with pytest.raises(ValueError, match="format"):
        compile_schema({"type": "string", "format": "date-time"})
