import json
import re

import pytest
from django.conf import settings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from events.kinds import KINDS


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
    for name, path, method, operation in operations(document):
        expected = {"400", "401", "403", "503"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"409", "413", "415", "422"} if method in {"post", "put", "patch"} else set()
        assert operation["summary"], name
        assert expected <= set(operation["responses"]), name
        assert all(response["description"] for response in operation["responses"].values()), name


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for *_where, operation in operations(document)]

    assert len(names) == len(set(names))


def test_every_kind_of_event_is_described_with_an_example(document):
    content = document["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    titles = [each["title"] for each in document["components"]["schemas"]["EventReport"]["oneOf"]]
    examples = [each["value"].get("kind") for each in content["examples"].values()]

    assert titles == list(KINDS)
    assert {name.replace("*", "quiz_done") for name in KINDS} <= set(examples)


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["acme.localhost", "localhost"])
def test_everybody_may_read_the_reference(client, host):
    document = client.get("/api/schema/", headers={"Host": host})
    page = client.get("/api/docs/", headers={"Host": host})

    assert (document.status_code, page.status_code) == (200, 200)
    assert b"/api/v1/events" in document.content


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
