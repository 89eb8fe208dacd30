import json
import logging
import re
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.db.models import ProtectedError
from django.http import Http404
from django.test import RequestFactory
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core import http
from core.errors import Conflict, Denied, Invalid, Limited, NotFound, Unprocessable


class OutOfStock(Conflict):
    message = _("Nothing is left.")


def answer_to(error):
    class Raises(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request):
            raise error

    request = APIRequestFactory().get("/api/v1/things")
    request.META["SARAFAN_REQUEST_ID"] = "r-1"
    return Raises.as_view()(request).render()


def document_of(response):
    assert response["Content-Type"] == "application/problem+json"
    return json.loads(response.content)


def test_a_failure_becomes_a_problem_document():
    response = answer_to(OutOfStock(extra={"left": 0, "status": 200}))

    assert response.status_code == 409
    assert document_of(response) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Nothing is left.",
        "code": "out_of_stock",
        "request_id": "r-1",
        "left": 0,
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid(), 400, "invalid"),
        (Denied(), 403, "denied"),
        (NotFound(), 404, "not_found"),
        (Conflict(), 409, "conflict"),
        (Unprocessable(), 422, "unprocessable"),
        (Limited(), 429, "limited"),
        (http.BodyTooLarge(), 413, "body_too_large"),
        (drf.ParseError(), 400, "parse_error"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.AuthenticationFailed(), 401, "authentication_failed"),
        (drf.PermissionDenied(), 403, "permission_denied"),
        (drf.NotFound(), 404, "not_found"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.NotAcceptable(), 406, "not_acceptable"),
        (drf.UnsupportedMediaType("text/html"), 415, "unsupported_media_type"),
        (drf.Throttled(wait=1.2), 429, "throttled"),
        (Http404("secret"), 404, "not_found"),
        (PermissionDenied("secret"), 403, "denied"),
        (SuspiciousOperation("secret"), 400, "invalid"),
        (ProtectedError("secret", set()), 409, "still_referred_to"),
    ],
)
def test_every_expected_error_has_its_status_and_code(error, status, code):
    response = answer_to(error)

    assert (response.status_code, document_of(response)["code"]) == (status, code)
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("error", [drf.NotAuthenticated(), drf.AuthenticationFailed()])
def test_who_is_not_known_is_told_how_to_say_it(error):
    assert answer_to(error)["WWW-Authenticate"] == "Bearer"


def test_who_is_too_fast_is_told_when_to_come_back():
    assert answer_to(drf.Throttled(wait=1.2))["Retry-After"] == "2"


def test_each_wrong_field_is_pointed_at():
    class Item(serializers.Serializer[Any]):
        sku = serializers.CharField()

    class Order(serializers.Serializer[Any]):
        number = serializers.IntegerField(min_value=1)
        items = Item(many=True)
        tags = serializers.ListField(child=serializers.CharField(max_length=3))

        def validate(self, attrs):
            raise serializers.ValidationError("No.")

    bad = Order(data={"number": 0, "items": [{"sku": "a"}, {}], "tags": ["abc", "abcd"]})
    whole = Order(data={"number": 1, "items": [], "tags": []})
    odd = drf.ValidationError({"a/b~c": ["Odd."]})
    for serializer in (bad, whole):
        serializer.is_valid()

    pointers = [
        [error["pointer"] for error in document_of(answer_to(each))["errors"]]
        for each in (drf.ValidationError(bad.errors), drf.ValidationError(whole.errors), odd)
    ]
    assert pointers == [["/number", "/items/1/sku", "/tags/1"], [""], ["/a~1b~0c"]]


def test_a_bug_is_logged_and_says_nothing_of_itself(caplog):
    with caplog.at_level(logging.ERROR, logger="core.http.problems"):
        response = answer_to(ZeroDivisionError("secret"))

    assert (response.status_code, document_of(response)["code"]) == (500, "internal_server_error")
    assert "secret" not in response.content.decode()
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def test_a_database_that_is_away_asks_to_come_back():
    response = answer_to(OperationalError("secret"))

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert document_of(response)["code"] == "service_unavailable"


@pytest.mark.parametrize(
    ("handler", "status"),
    [(http.bad_request, 400), (http.permission_denied, 403), (http.page_not_found, 404)],
)
def test_errors_outside_views_are_problems_under_api_only(handler, status):
    under_api = handler(RequestFactory().get("/api/v1/nothing"), Exception("secret"))
    elsewhere = handler(RequestFactory().get("/shop/nothing"), Exception("secret"))

    assert (under_api.status_code, document_of(under_api)["status"]) == (status, status)
    assert (elsewhere.status_code, elsewhere["Content-Type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize(("error", "status"), [(ZeroDivisionError(), 500), (OperationalError(), 503)])
def test_a_bug_outside_views_is_a_problem_under_api_only(error, status):
    try:
        raise error
    except type(error):
        under_api = http.server_error(RequestFactory().get("/api/v1/nothing"))
        elsewhere = http.server_error(RequestFactory().get("/shop/nothing"))

    assert (under_api.status_code, document_of(under_api)["status"]) == (status, status)
    assert (elsewhere.status_code, elsewhere["Content-Type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize(("method", "offered"), [("get", "/admin/?q=1&amp;p=2"), ("post", "/admin/")])
def test_a_page_that_is_given_up_can_be_tried_again_and_what_was_sent_is_not_sent_again(method, offered):
    try:
        raise OperationalError
    except OperationalError:
        page = http.server_error(getattr(RequestFactory(), method)("/admin/?q=1&p=2"))

    assert (page.status_code, page["Retry-After"]) == (503, "2")
    assert re.findall(r'<a href="([^"]*)"', page.content.decode()) == [offered]


def test_a_middleware_can_answer_with_a_problem():
    response = http.problem_response(RequestFactory().get("/api/"), status=401, detail="Whose key is this?")

    assert document_of(response)["detail"] == "Whose key is this?"
    assert (document_of(response)["code"], response["WWW-Authenticate"]) == ("unauthorized", "Bearer")


def test_one_failure_of_many_has_a_document_of_its_own():
    document = http.problem_document(OutOfStock(pointer="/events/3"), RequestFactory().get("/"))

    assert (document["status"], document["code"]) == (409, "out_of_stock")
    assert document["errors"] == [{"pointer": "/events/3", "detail": "Nothing is left."}]
