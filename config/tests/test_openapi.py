import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.urls import get_resolver, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from rest_framework import serializers
from rest_framework.response import Response

from config.common_shapes import HEADERS
from core.http.deprecations import NOTICE, Deprecation
from events.kinds import KINDS
from integrations.webhooks import kinds as webhooks
from integrations.webhooks import outcomes, signing
from tenants.keys import ALL_SCOPES
from tenants.origins import HEADERS_SHOWN
from tenants.views import TenantView
from tests.people import browser_of, staff_of

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = signing.secret_of(b"k" * signing.KEY_SIZE_BYTES)


@pytest.fixture(scope="module")
def document():
    GENERATOR_STATS.reset()
    found = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(found, default=str))


def operations(document):
    return [
        (f"{method} {path}", path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_generated_without_a_warning(document):
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    validate_schema(document)


def test_every_shape_that_is_referred_to_is_there(document):
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert referred <= set(document["components"]["schemas"])


def test_every_operation_says_what_it_does_and_how_it_fails(document):
    for name, _path, method, operation in operations(document):
        expected = {"400", "401", "403", "404", "405", "406", "429", "500", "503"}
        expected |= {"409", "422"} if method == "post" else {"304"} if method == "get" else set()
        expected |= {"413", "415"} if method in {"post", "put", "patch"} else set()
        assert operation["summary"], name
        assert expected <= set(operation["responses"]), name
        assert all(resolved(document, each)["description"] for each in operation["responses"].values()), name


def resolved(document, described):
    """Return what a description refers to, or itself."""
    for part in described.get("$ref", "").split("/")[1:]:
        described = document if part == "components" else described
        described = described[part]
    return described


def codes_of(response):
    return set(response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"])


def problems(operation):
    """Return the codes that an operation says it can answer with, by status; without those that all have."""
    return {
        status: codes_of(response)
        for status, response in operation["responses"].items()
        if "application/problem+json" in response.get("content", {})
    }


@pytest.mark.parametrize(("status", "code"), [("405", "method_not_allowed"), ("500", "internal_server_error")])
def test_what_every_operation_can_answer_with_is_described_once(document, status, code):
    (place,) = {operation["responses"][status]["$ref"] for *_where, operation in operations(document)}
    content = resolved(document, {"$ref": place})["content"]["application/problem+json"]
    shape = Draft202012Validator({"components": document["components"], **content["schema"]})

    assert codes_of(resolved(document, {"$ref": place})) == {code}
    assert [shape.validate(each["value"]) for each in content["examples"].values()] == [None]


def views_of(document):
    """Yield every operation with its view."""
    resolver = get_resolver("config.urls_tenant")
    for name, address, method, operation in operations(document):
        yield name, method.upper(), resolver.resolve(re.sub(r"{\w+}", "1", address)).func.cls, operation


def test_every_operation_names_the_scopes_of_which_it_needs_one(document):
    for name, method, view, operation in views_of(document):
        scopes = view.scopes_of(method)
        told = [each["key"] for each in operation["security"]]
        besides = [view.scope_besides] if view.scope_besides else []
        expected = [[]] if scopes == ALL_SCOPES else [[scope, *besides] for scope in scopes]
        assert (name, told) == (name, expected)
        sentence = operation["description"].rpartition("Scope: ")[2]
        assert re.findall(r"`([a-z:]+)`", sentence) == [scope for each in expected for scope in each], name
        assert sentence.endswith("."), name


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/key", "Scope: any."),
        ("/api/v1/rewards", "Scope: `rewards:read`."),
        ("/api/v1/members/{external_id}/export", "Scope: `exports:read` and `members:read`."),
        ("/api/v1/campaigns/{campaign_id}", "Scope: `campaigns:read` or `public:read`."),
    ],
)
def test_a_scope_is_told_in_words(document, path, said):
    assert document["paths"][path]["get"]["description"].endswith(said)


def test_the_address_is_that_of_the_host_where_the_document_was_read(document):
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_an_operation_names_the_codes_of_what_its_verbs_refuse(document):
    cancel = problems(document["paths"]["/api/v1/rewards/{reward_id}/cancellation"]["post"])
    look = problems(document["paths"]["/api/v1/rewards/{reward_id}"]["get"])

    assert cancel["404"] == {"unknown_reward", "unknown_host", "not_found"}
    assert {"not_cancellable", "idempotency_key_in_use"} <= cancel["409"]
    assert cancel["422"] == {"idempotency_key_reused"}
    assert {"invalid", "no_reason", "malformed_json", "invalid_idempotency_key"} <= cancel["400"]
    assert look == {
        "400": {"bad_request", "unknown_expansion", "unknown_field", "unknown_parameter"},
        "401": {"authentication_failed", "not_authenticated"},
        "403": look["403"],
        "404": {"unknown_reward", "unknown_host", "not_found"},
        "406": {"not_acceptable"},
        "429": {"quota_used_up", "rate_limited", "too_many_unknown_keys"},
        "503": {"service_unavailable", "too_slow"},
    }
    assert {"missing_scope", "tenant_suspended"} <= look["403"]


def test_an_operation_names_the_headers_of_its_answers(document):
    report = document["paths"]["/api/v1/members"]["post"]["responses"]
    look = document["paths"]["/api/v1/rewards"]["get"]["responses"]
    always = {"X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}

    assert set(report["201"]["headers"]) == always | {"Idempotent-Replayed"}
    assert set(look["200"]["headers"]) == set(look["304"]["headers"]) == always | {"ETag"}
    assert set(look["429"]["headers"]) == always | {"Retry-After"}


def test_an_operation_takes_what_its_method_takes(document):
    for name, _path, method, operation in operations(document):
        taken = {each["name"] for each in operation.get("parameters", ())}
        assert ("Idempotency-Key" in taken) == (method == "post"), name
        assert ("If-None-Match" in taken) == (method == "get"), name


def bodies(document):
    """Yield every body in JSON, with its shape and its examples."""
    for name, _path, _method, operation in operations(document):
        for where, body in {"request": operation.get("requestBody", {}), **operation["responses"]}.items():
            for kind, content in body.get("content", {}).items():
                if kind in {"application/json", "application/problem+json"}:
                    yield f"{name} {where}", content


def examples_in(document, content):
    if "example" in content:
        return [content["example"]]
    shared = document["components"]["examples"]
    return [
        (shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each)["value"]
        for each in content["examples"].values()
    ]


def test_every_body_has_an_example_and_each_example_has_its_shape(document):
    shared = {"components": document["components"]}
    for name, content in bodies(document):
        valid = Draft202012Validator({**shared, **content["schema"]})
        told = examples_in(document, content)
        wrong = [error.message for example in told for error in valid.iter_errors(example)]
        assert (name, len(told) > 0, wrong) == (name, True, [])


class OldThings(TenantView):
    required_scope = "rewards:read"
    deprecated = Deprecation(since=SINCE, sunset=SINCE + NOTICE, link="https://example.com/changes")
    deprecated_fields = {"size": deprecated}

    class Output(serializers.Serializer[Any]):
        size = serializers.IntegerField()
        length = serializers.IntegerField()

    @extend_schema(summary="Look at things that will go", responses=Output)
    def get(self, request):
        return Response({"size": 3, "length": 3})


def test_what_will_go_is_marked():
    described = SchemaGenerator(patterns=[path("api/v1/things", OldThings.as_view())]).get_schema(public=True)

    operation = described["paths"]["/api/v1/things"]["get"]
    fields = described["components"]["schemas"]["OldThingsOutput"]["properties"]
    assert operation["deprecated"] is True
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
    assert [name for name, field in fields.items() if field.get("deprecated")] == ["size"]


def test_every_fact_that_a_webhook_tells_is_described(document):
    assert set(document["webhooks"]) == {*webhooks.ALL, "webhook.test"}
    for name, told in document["webhooks"].items():
        content = told["post"]["requestBody"]["content"]["application/json"]
        assert content["example"]["type"] == name
        Draft202012Validator(content["schema"]).validate(content["example"])
        assert content["example"].get("test", False) is (name == "webhook.test")


def test_the_headers_of_a_message_are_described_as_they_are_sent(document):
    sent = signing.headers_of(message_id="msg_1", body=b"{}", secrets=[SECRET, SECRET], at=SINCE)
    sent |= {outcomes.ATTEMPT: "10"}
    for name, told in document["webhooks"].items():
        described = [resolved(document, each) for each in told["post"]["parameters"]]
        assert {(each["name"], each["in"], each["required"]) for each in described} == {
            (header, "header", True) for header in sent
        }, name
    for each in described:
        Draft202012Validator(each["schema"]).validate(sent[each["name"]])
        Draft202012Validator(each["schema"]).validate(each["example"])


def test_every_group_of_operations_has_its_place_and_its_words(document):
    used = {tag for *_where, operation in operations(document) for tag in operation["tags"]}

    assert {tag["name"] for tag in document["tags"]} == used
    assert len(document["tags"]) == len(used)


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for *_where, operation in operations(document)]

    assert len(names) == len(set(names))


def test_every_kind_of_event_is_described_with_an_example(document):
    content = document["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    shapes = document["components"]["schemas"]
    named = [shapes[each["$ref"].rpartition("/")[2]] for each in shapes["EventReport"]["oneOf"]]
    examples = [each["value"].get("kind") for each in content["examples"].values()]

    kinds = [each["properties"]["kind"] for each in named]
    assert [kind.get("const", "custom.*") for kind in kinds] == list(KINDS)
    assert {name.replace("*", "quiz_done") for name in KINDS} <= set(examples)


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["acme.localhost", "localhost"])
def test_everybody_may_read_the_reference(client, host):
    document = client.get("/api/schema/", headers={"Host": host})
    page = client.get("/api/docs/", headers={"Host": host})

    assert (document.status_code, page.status_code) == (200, 200)
    assert b"/api/v1/events" in document.content


@pytest.mark.django_db
def test_the_page_of_keys_leads_to_the_reference(acme):
    page = browser_of(staff_of("admin")).get("/admin/tenants/apikey/").content.decode()

    assert 'href="/api/docs/"' in page


@pytest.mark.django_db
def test_the_reference_is_in_english_whatever_the_tenants_language(client):
    answers = [
        client.get("/api/schema/", headers={"Host": host, "Accept-Language": language}).content
        for host in ("acme.localhost", "localhost")
        for language in ("en", "ru")
    ]

    assert len(set(answers)) == 1
    assert b"Somebody signed up, perhaps" in answers[0]


@pytest.mark.django_db
def test_the_reference_asks_nobody_else_for_anything(client):
    page = client.get("/api/docs/", headers={"Host": "acme.localhost"}).content.decode()
    script = client.get("/api/docs/?script=", headers={"Host": "acme.localhost"}).content.decode()

    assert settings.STATIC_URL in page
    assert re.findall(r"https?://(?!acme\.localhost)[^\s\"']+", page + script) == []
    # The content security policy allows neither scripts nor styles in the page itself.
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\bstyle=", page) == []


def test_a_page_may_read_every_header_that_the_reference_names():
    assert set(HEADERS) <= set(HEADERS_SHOWN)
