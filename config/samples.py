"""
Examples in the API's reference, made from the shapes themselves: each operation has one of what is sent and answered.

A view that gives examples of its own keeps them. Values that tell more than their type does are here by their names.
"""

from collections.abc import Mapping
from typing import Any, Final

type_of_schema = dict[str, Any]

AT: Final = "2026-03-17T12:00:00Z"
BY_NAME: Final[dict[str, Any]] = {
    "amount": 50,
    "amount_minor": 4990,
    "asset": "points",
    "brand": "coffee-house",
    "campaign_id": 3,
    "code": "ANNA-7K2M",
    "currency": "USD",
    "email": "anna@example.com",
    "event_id": 42,
    "external_id": "anna",
    "gift": "coffee-house",
    "id": 12,
    "key": "desk-17",
    "level": "gold",
    "member": "anna",
    "member_id": 6,
    "name": "Bring a friend",
    "next_cursor": None,
    "order_id": "1001",
    "phone": "+12025550142",
    "reason": "Sorry for the wait",
    "sentence": "Your friend paid the first order (Bring a friend).",
    "telegram": "100200300",
    "text": "+100: your friend paid the first order (Bring a friend).",
    "url": "https://example.com/webhooks",
    "value_minor": 50000,
}
BY_FORMAT: Final = {
    "date-time": AT,
    "date": "2026-03-17",
    "uri": "https://shop.example.com/r/ANNA-7K2M",
    "email": "anna@example.com",
    "uuid": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
DEPTH_MAX: Final = 6


def add_samples(document: type_of_schema) -> None:
    """Give an example to every body in the document that has none, in place."""
    shapes = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for content in _contents(operation):
                if "schema" in content and not {"example", "examples"} & set(content):
                    content["example"] = sample(content["schema"], shapes)


def _contents(operation: Mapping[str, Any]) -> list[type_of_schema]:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [
        content for body in bodies for kind, content in body.get("content", {}).items() if kind == "application/json"
    ]


def sample(shape: type_of_schema, shapes: Mapping[str, type_of_schema], *, name: str = "", depth: int = 0) -> Any:
    """Return a value of a shape."""
    if "$ref" in shape:
        return sample(shapes[shape["$ref"].rpartition("/")[2]], shapes, name=name, depth=depth)
    for said in ("example", "const", "default"):
        if said in shape:
            return shape[said]
    if shape.get("enum"):
        return next((each for each in shape["enum"] if each), shape["enum"][0])
    for several in ("oneOf", "anyOf"):
        if several in shape:
            wanted = next((each for each in shape[several] if each.get("type") != "null"), shape[several][0])
            return sample(wanted, shapes, name=name, depth=depth)
    if "allOf" in shape:
        merged = [sample(each, shapes, name=name, depth=depth) for each in shape["allOf"]]
        return {key: value for each in merged for key, value in each.items()} if len(merged) > 1 else merged[0]
    return _of_type(shape, shapes, name=name, depth=depth)


def _of_type(shape: type_of_schema, shapes: Mapping[str, type_of_schema], *, name: str, depth: int) -> Any:
    kinds = shape.get("type", "object")
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    if kind == "array":
        # What holds its like would have no end.
        of_one: dict[str, Any] = {"name": name.removesuffix("s"), "depth": depth + 1}
        return [] if depth > DEPTH_MAX else [sample(shape.get("items", {}), shapes, **of_one)]
    if kind == "object":
        return _object(shape, shapes, depth=depth)
    if name in BY_NAME and _fits(BY_NAME[name], kinds):
        return BY_NAME[name]
    return _plain(shape, kind, name)


def _object(shape: type_of_schema, shapes: Mapping[str, type_of_schema], *, depth: int) -> dict[str, Any]:
    found = {
        name: sample(inner, shapes, name=name, depth=depth + 1)
        for name, inner in shape.get("properties", {}).items()
        if not inner.get("deprecated")
    }
    more = shape.get("additionalProperties")
    if not found and isinstance(more, dict):
        return {"points": sample(more, shapes, depth=depth + 1)} if more else {}
    return found


def _plain(shape: type_of_schema, kind: str, name: str) -> Any:
    if kind == "string":
        text = BY_FORMAT.get(shape.get("format", ""), name.replace("_", " ") or "text")
        return text[: shape.get("maxLength", len(text))]
    least = shape.get("minimum", 0 if name.startswith(("window", "used")) else 1)
    return {"integer": int(least), "number": float(least), "boolean": True}.get(kind)


def _fits(value: Any, kinds: str | list[str]) -> bool:
    kind = {str: "string", int: "integer", type(None): "null"}[type(value)]
    return kind in ([kinds] if isinstance(kinds, str) else kinds)
