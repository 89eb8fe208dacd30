from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework import serializers

from core.http.strictness import too_early, wrong_kinds


class Place(serializers.Serializer[Any]):
    city = serializers.CharField()


class Order(serializers.Serializer[Any]):
    name = serializers.CharField()
    size = serializers.IntegerField()
    is_gift = serializers.BooleanField()
    colour = serializers.ChoiceField(choices=["red"])
    at = serializers.DateTimeField()
    place = Place(allow_null=True)
    places = Place(many=True)
    tags = serializers.ListField(child=serializers.CharField())
    more = serializers.DictField()


GOOD = {
    "name": "x",
    "size": 3,
    "is_gift": True,
    "colour": "red",
    "at": "2026-03-17T12:00:00Z",
    "place": {"city": "x"},
    "places": [{"city": "x"}],
    "tags": ["a"],
    "more": {"a": 1},
}


def test_what_is_of_its_kind_passes():
    assert wrong_kinds(Order(), GOOD) == {}
    assert wrong_kinds(Order(), dict.fromkeys(GOOD)) == {}
    assert wrong_kinds(Order(), {"unknown": 1}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 5),
        ("name", True),
        ("name", 5.0),
        ("name", ["x"]),
        ("size", "5"),
        ("size", True),
        ("size", 5.0),
        ("is_gift", "yes"),
        ("is_gift", 1),
        ("colour", 1),
    ],
)
def test_what_is_of_another_kind_is_pointed_at(name, value):
    assert [*wrong_kinds(Order(), {**GOOD, name: value})] == [name]


def test_what_is_wrong_within_is_pointed_at_where_it_stands():
    given = {**GOOD, "place": {"city": 1}, "places": [{"city": "x"}, {"city": 2}], "tags": ["a", 3]}

    wrong = wrong_kinds(Order(), given)

    assert [*wrong] == ["place", "places", "tags"]
    assert [*wrong["place"]] == ["city"]
    assert [bool(each) for each in wrong["places"]] == [False, True]
    assert [bool(each) for each in wrong["tags"]] == [False, True]


@pytest.mark.parametrize("given", [[], "x", 1, None])
def test_what_is_no_object_is_left_to_the_serializer(given):
    assert wrong_kinds(Order(), given) == {}


def test_an_instant_before_there_were_programs_is_a_slip():
    early, late = datetime(1969, 12, 31, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)

    assert [*too_early({"since": early, "until": late, "name": "x"})] == ["since"]
