"""`manage.py postman`: every operation, ready to be sent."""

import json
import re

import pytest
from django.core.management import call_command

from config.postman import METHODS, NEW_GUID
from config.reference import document

# Of the schema of Postman's format v2.1: what it asks of a collection, a folder, a request and an answer.
REQUEST = {
    "type": "object",
    "required": ["method", "url", "header"],
    "properties": {
        "method": {"enum": [method.upper() for method in METHODS]},
        "url": {
            "type": "object",
            "required": ["raw", "host", "path"],
            "properties": {
                "raw": {"type": "string", "pattern": "^{{base_url}}/"},
                "host": {"const": ["{{base_url}}"]},
                "path": {"type": "array", "items": {"type": "string", "minLength": 1, "not": {"pattern": "[{}/]"}}},
                "query": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                "variable": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
            },
        },
        "header": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
        "body": {
            "type": "object",
            "required": ["mode", "raw"],
            "properties": {"mode": {"const": "raw"}, "raw": {"type": "string"}},
        },
    },
}
ANSWER = {
    "type": "object",
    "required": ["name", "originalRequest", "code", "body"],
    "properties": {"originalRequest": REQUEST, "code": {"type": "integer"}, "body": {"type": "string"}},
}
ITEM = {
    "type": "object",
    "required": ["name", "request"],
    "properties": {"request": REQUEST, "response": {"type": "array", "items": ANSWER}},
}
FORMAT = {
    "$defs": {"pair": {"type": "object", "required": ["key", "value"], "properties": {"value": {"type": "string"}}}},
    "type": "object",
    "required": ["info", "item"],
    "properties": {
        "info": {
            "type": "object",
            "required": ["name", "schema"],
            "properties": {"schema": {"const": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}},
        },
        "variable": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
        "item": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "item"],
                "properties": {"item": {"type": "array", "minItems": 1, "items": ITEM}},
            },
        },
    },
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    file = tmp_path_factory.mktemp("postman") / "made" / "sarafan.json"
    call_command("postman", file, verbosity=0)
    return json.loads(file.read_text(encoding="utf-8"))


def requests_of(collection):
    return [each["request"] for folder in collection["item"] for each in folder["item"]]


def test_it_has_postmans_format(collection):
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (slow to import, and needed here only)

    assert [error.message for error in Draft202012Validator(FORMAT).iter_errors(collection)] == []


def test_every_operation_is_in_the_folder_of_its_tag(collection):
    described = {
        (operation["tags"][0], method.upper(), path)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    }

    found = [
        (folder["name"], each["request"]["method"], _path_of(each["request"]))
        for folder in collection["item"]
        for each in folder["item"]
    ]
    assert len(found) == len(set(found))
    assert set(found) == described


def _path_of(request):
    return re.sub(r":(\w+)", r"{\1}", "/" + "/".join(request["url"]["path"]))


def test_address_and_key_are_variables_that_one_sets_once(collection):
    assert [each["key"] for each in collection["variable"]] == ["base_url", "key"]
    assert collection["auth"]["bearer"] == [{"key": "token", "value": "{{key}}", "type": "string"}]


def test_each_post_has_an_idempotency_key_that_is_made_up_when_it_is_sent(collection):
    for request in requests_of(collection):
        keys = [each["value"] for each in request["header"] if each["key"] == "Idempotency-Key"]
        assert (request["url"]["raw"], keys) == (request["url"]["raw"], [NEW_GUID] * (request["method"] == "POST"))


def test_every_body_is_there_as_an_example_in_json(collection):
    described = [
        operation["operationId"]
        for operations in document()["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]

    bodies = [json.loads(request["body"]["raw"]) for request in requests_of(collection) if "body" in request]
    assert len(bodies) == len(described)


def test_good_answers_are_shown(collection):
    told = {each["name"]: each["response"] for folder in collection["item"] for each in folder["item"]}

    (answer,) = [each for each in told["Get a member's link for one place where it is shared"] if each["code"] == 200]
    assert json.loads(answer["body"])["code"] == "ANNA"
