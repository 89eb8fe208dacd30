import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.http import BodyTooLarge, MalformedJson, StrictJSONParser, read_json
from core.http.bodies import BODY_SIZE_BYTES_MAX

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


def nested(levels):
    return b"[" * levels + b"]" * levels


@given(values, st.booleans())
def test_plain_json_is_read(value, ascii_only):
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "\\u0061": 2}}',
        b'"\xff"',
        '"я"'.encode("cp1251"),
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'"\\\\\\u0000"',
        b'"\x00"',
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b"9" * 5_000,
        nested(11),
        nested(100_000),
        b'{"a":' * 11 + b"1" + b"}" * 11,
    ],
)
def test_what_two_programs_would_read_in_two_ways_is_refused(body):
    with pytest.raises(MalformedJson):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),  # PHP and 1C write a byte order mark
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ],
)
def test_what_only_looks_odd_is_read(body, value):
    assert read_json(body) == value


def test_ten_levels_are_read():
    assert json.dumps(read_json(nested(10))).encode() == nested(10)


def test_a_body_is_read_up_to_its_limit_and_no_further():
    most = b'"' + b"a" * (BODY_SIZE_BYTES_MAX - 2) + b'"'
    endless = io.BytesIO(most + b" " * 1_000)

    assert len(StrictJSONParser().parse(io.BytesIO(most))) == BODY_SIZE_BYTES_MAX - 2
    with pytest.raises(BodyTooLarge):
        StrictJSONParser().parse(endless)
    assert endless.tell() == BODY_SIZE_BYTES_MAX + 1
