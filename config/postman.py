"""The API as a Postman collection (format v2.1), made of the OpenAPI document. Pure."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS: Final = ("get", "post", "put", "patch", "delete")
# Postman makes another one up for each request that is sent.
NEW_GUID: Final = "{{$guid}}"
BASE_URL: Final = "http://localhost:8000"
# Headers that whoever tries something out sets by hand, if at all.
SWITCHED_OFF: Final = frozenset({"If-None-Match"})

# Whom the examples are about.
SHOWN: Final[Mapping[str, str]] = {"external_id": "anna"}

type_of_json = dict[str, Any]


def collection(document: Mapping[str, Any]) -> type_of_json:
    """Return the collection: a folder for each tag, in it a request for each operation, with examples to send."""
    folders: dict[str, list[type_of_json]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                folders[operation["tags"][0]].append(_request(path, method, operation))
    info = document["info"]
    return {
        "info": {"name": info["title"], "description": info.get("description", ""), "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{key}}", "type": "string"}]},
        "variable": [{"key": "base_url", "value": BASE_URL}, {"key": "key", "value": "sk_test_…"}],
        "item": [
            {"name": tag["name"], "description": tag["description"], "item": folders[tag["name"]]}
            for tag in document["tags"]
        ],
    }


def _request(path: str, method: str, operation: type_of_json) -> type_of_json:
    parameters = operation.get("parameters", [])
    request: type_of_json = {
        "method": method.upper(),
        "url": _url(path, parameters),
        "header": [*_headers(parameters)],
        "description": operation["description"],
    }
    body = _body(operation)
    if body is not None:
        request["header"].insert(0, {"key": "Content-Type", "value": "application/json"})
        request["body"] = _raw(body)
    answers = [*_answers(operation, request)]
    return {"name": operation["summary"], "request": request, "response": answers}


def _url(path: str, parameters: list[type_of_json]) -> type_of_json:
    """Return an address in Postman's parts. `{name}` of ours is `:name` of theirs."""
    parts = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    named = {each["name"]: each for each in parameters if each["in"] == "path"}
    asked = [each for each in parameters if each["in"] == "query"]
    return {
        "raw": "/".join(["{{base_url}}", *parts]),
        "host": ["{{base_url}}"],
        "path": parts,
        "variable": [{"key": name, **_described(each), "value": _value(each)} for name, each in named.items()],
        # Switched off: whoever needs one ticks it.
        "query": [{"key": each["name"], **_described(each), "value": _value(each), "disabled": True} for each in asked],
    }


def _headers(parameters: list[type_of_json]) -> Iterator[type_of_json]:
    for each in parameters:
        if each["in"] == "header":
            value = NEW_GUID if each["name"] == "Idempotency-Key" else ""
            off = {"disabled": True} if each["name"] in SWITCHED_OFF else {}
            yield {"key": each["name"], "value": value, **_described(each), **off}


def _described(parameter: type_of_json) -> type_of_json:
    return {"description": parameter["description"]} if "description" in parameter else {}


def _value(parameter: type_of_json) -> str:
    known: type_of_json = {**parameter.get("schema", {}), **parameter}
    examples = [value for _name, value in _examples(known)]
    return str(examples[0]) if examples else SHOWN.get(parameter["name"], "")


def _body(operation: type_of_json) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((value for _name, value in _examples(content)), None)


def _answers(operation: type_of_json, request: type_of_json) -> Iterator[type_of_json]:
    """Yield what good answers look like. What else may come is the same everywhere, and in the documentation."""
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            if status.startswith("2"):
                for name, value in _examples(content):
                    yield {
                        "name": f"{status} {name}".strip(),
                        "originalRequest": request,
                        "code": int(status),
                        "header": [{"key": "Content-Type", "value": kind}],
                        "body": value if isinstance(value, str) else _written(value),
                    }


def _examples(content: type_of_json) -> Iterator[tuple[str, Any]]:
    for name, example in content.get("examples", {}).items():
        yield name, example["value"]
    if "example" in content:
        yield "", content["example"]


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _raw(body: Any) -> type_of_json:
    return {"mode": "raw", "raw": _written(body), "options": {"raw": {"language": "json"}}}
