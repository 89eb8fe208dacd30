import base64
from typing import Any

import pytest
from django.contrib.auth.models import Group
from rest_framework import serializers
from rest_framework.test import APIRequestFactory

from core.http import CursorPage
from tenants.views import TenantView


class Groups(TenantView):
    authentication_classes = ()
    permission_classes = []

    class Output(serializers.Serializer[Any]):
        name = serializers.CharField()

    def get(self, request):
        return self.page(Group.objects.filter(name__startswith="test-"), request, self.Output)


def page(**query):
    response = Groups.as_view()(APIRequestFactory().get("/", query))
    return response.status_code, response.data


def add(*numbers):
    Group.objects.bulk_create(Group(name=f"test-{number}") for number in numbers)


def names(data):
    return [row["name"] for row in data["data"]]


@pytest.mark.django_db
def test_pages_follow_each_other_newest_first_until_there_is_none():
    add(1, 2, 3, 4, 5)

    _, first = page(limit="2")
    _, second = page(limit="2", cursor=first["next_cursor"])
    _, third = page(limit="2", cursor=second["next_cursor"])

    assert [names(each) for each in (first, second, third)] == [["test-5", "test-4"], ["test-3", "test-2"], ["test-1"]]
    assert third["next_cursor"] is None


@pytest.mark.django_db
def test_a_row_that_arrives_meanwhile_shifts_nothing():
    add(1, 2, 3)

    _, first = page(limit="2")
    add(4)
    _, second = page(limit="2", cursor=first["next_cursor"])

    assert [names(first), names(second)] == [["test-3", "test-2"], ["test-1"]]


@pytest.mark.django_db
def test_a_page_that_is_just_full_is_the_last():
    add(1, 2)

    _, only = page(limit="2")

    assert (names(only), only["next_cursor"]) == (["test-2", "test-1"], None)


@pytest.mark.django_db
def test_a_page_has_fifty_rows_unless_asked_otherwise():
    add(*range(51))

    assert len(page()[1]["data"]) == 50
    assert len(page(limit="100")[1]["data"]) == 51


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "٣", "1e1", "9" * 99])
def test_a_page_of_another_size_is_refused(limit):
    status, document = page(limit=limit)

    assert (status, document["code"]) == (400, "invalid_limit")


@pytest.mark.parametrize(
    "text", [b"", b"id:", b"id:00", b"id:-1", b"id:01", b"id:9223372036854775808", b"id:1 OR 1=1", b"\xff"]
)
def test_a_cursor_that_is_not_ours_is_refused(text):
    status, document = page(cursor=base64.urlsafe_b64encode(text).decode())

    assert (status, document["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("cursor", ["x", "%%%", "я", "aWQ6MQ==\n", "=" * 5])
def test_a_cursor_that_is_not_base64_is_refused(cursor):
    status, document = page(cursor=cursor)

    assert (status, document["code"]) == (400, "invalid_cursor")


def test_a_page_is_described_for_the_documentation():
    pages = CursorPage()

    schema = pages.get_paginated_response_schema({"type": "array"})
    parameters = pages.get_schema_operation_parameters(Groups())

    assert (schema["required"], schema["properties"]["data"]) == (["data", "next_cursor"], {"type": "array"})
    assert [parameter["name"] for parameter in parameters] == ["cursor", "limit"]
