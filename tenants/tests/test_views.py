import json
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from tenants.views import TenantView

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Key:
    scopes: frozenset[str]


class HeaderAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scopes = request.headers.get("X-Scopes")
        return None if scopes is None else (object(), Key(frozenset(scopes.split())))

    def authenticate_header(self, request):
        return "Bearer"


class Things(TenantView):
    authentication_classes = (HeaderAuthentication,)
    required_scope = {"GET": "things:read", "POST": "things:write"}

    class Input(serializers.Serializer[Any]):
        size = serializers.IntegerField(min_value=1)

    def get(self, request):
        return Response(self.valid(self.Input, request))

    def post(self, request):
        return Response(self.valid(self.Input, request))


class OneThing(TenantView):
    authentication_classes = (HeaderAuthentication,)
    required_scope = "things:read"

    def get(self, request):
        return Response({})


def send(method, view=Things, scopes="things:read things:write", path="/api/v1/things", **kwargs):
    headers = {} if scopes is None else {"X-Scopes": scopes}
    request = APIRequestFactory().generic(method, path, headers=headers, **kwargs)
    response = view.as_view()(request).render()
    return response.status_code, json.loads(response.content) if response.content else None


def test_a_key_with_the_scope_passes():
    assert send("GET", scopes="things:read", path="/api/v1/things?size=3") == (200, {"size": 3})
    assert send("POST", data='{"size": 3}', content_type="application/json") == (200, {"size": 3})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_without_a_key_nothing_is_answered(method):
    status, document = send(method, scopes=None)

    assert (status, document["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(("method", "scope"), [("GET", "things:read"), ("POST", "things:write")])
def test_a_key_without_the_scope_is_told_which(method, scope):
    status, document = send(method, scopes="rewards:read")

    assert (status, document["code"], document["required_scope"]) == (403, "missing_scope", scope)


@pytest.mark.parametrize("view", [Things, OneThing])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(view, method):
    assert send(method, view=view)[0] == 405


def test_asking_for_the_headers_needs_what_reading_needs():
    assert send("HEAD", scopes="things:read", path="/api/v1/things?size=3")[0] == 200
    assert send("HEAD", scopes="things:write", path="/api/v1/things?size=3")[0] == 403


def test_what_was_sent_wrongly_is_pointed_at():
    status, document = send("POST", data='{"size": 0}', content_type="application/json")

    assert (status, [error["pointer"] for error in document["errors"]]) == (400, ["/size"])


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null"])
def test_another_kind_of_json_is_refused(body):
    assert send("POST", data=body, content_type="application/json")[0] == 400


def test_broken_json_and_other_media_types_are_refused():
    assert send("POST", data='{"size": NaN}', content_type="application/json")[1]["code"] == "malformed_json"
    assert send("POST", data="size=3", content_type="application/x-www-form-urlencoded")[0] == 415
