"""The API's reference: what all operations have in common, which no view has to describe."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import CharField, Serializer

from config import common_shapes, failures, guides, links, problem_shapes, samples, webhook_messages
from config.common_shapes import headers, type_of_schema
from config.failures import type_of_failure
from config.tags import PAGES, TAGS
from core.errors import Failure, NotFound, code_of
from core.http import bodies, expansions, reading, sparse
from core.http.expansions import type_of_expandable
from core.http.problems import STATUS
from core.http.reading import Readable
from core.http.shapes import flat, shape_of, type_of_names
from events import openapi as events
from tenants import auth, middleware, rates, views
from tenants.views import TenantView

OF_WRITING: Final = frozenset({"POST", "PUT", "PATCH"})
# Where the document itself was read: of a tenant its own host, of the platform its own.
SERVERS: Final = [{"url": "/", "description": "The host that this was read at, a tenant's or the platform's."}]

type_of_codes = dict[int, dict[str, str]]


class ApiSchema(AutoSchema):
    """Describes an operation with what it shares with others: parameters, headers, problems."""

    def get_serializer_name(self, serializer: Serializer[Any], direction: Any) -> str:
        # Every view has an Output: what tells them apart is the view.
        return type(serializer).__qualname__.replace(".", "")

    def get_operation(self, *where: Any) -> type_of_schema | None:
        found: type_of_schema | None = super().get_operation(*where)
        if found is not None:
            found["description"] = f"{found.get('description', '')} {_scopes_told(found['security'])}".strip()
        return found

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own signature
        # A view's docstring is for whoever reads the code.
        return ""

    def is_deprecated(self) -> bool:
        return getattr(self.view, "deprecated", None) is not None

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> type_of_schema:
        found: type_of_schema = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(field, CharField) and not (field.allow_blank or field.read_only):
            found["minLength"] = 1
            if found.get("default") == "":
                # It may be left out; sent so, it would be refused.
                del found["default"]
        return found

    def _get_parameters(self) -> list[type_of_schema]:
        found: list[type_of_schema] = super()._get_parameters()
        if self.method == "POST":
            found.append(common_shapes.IDEMPOTENCY_KEY)
        if self.method == "GET":
            found += [*self._of_reading(), common_shapes.IF_NONE_MATCH]
        return found

    def _of_reading(self) -> list[type_of_schema]:
        view = cast("Readable", self.view)
        of: Any = type(self.view)
        shape = shape_of(of, "GET")
        found = []
        if shape.names:
            found.append(_fields(reading.names_of(shape, view)))
        if view.expandable:
            found.append(_expand(view.expandable))
        return found

    def _get_request_body(self, direction: Any = "request") -> type_of_schema | None:
        found: type_of_schema | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if found is not None and isinstance(self.get_request_serializer(), dict):
            # A shape that was written by hand says nothing of this, and "optional" would be understood.
            found["required"] = True
        return found

    def _get_response_bodies(self, direction: Any = "response") -> type_of_schema:
        found: type_of_schema = super()._get_response_bodies(direction)
        if self.method == "GET":
            found["304"] = {"description": "What you have still holds."}
            found["414"] = {"description": "The address is longer than eight kibibytes."}
            self._complete_row(self._row_of(found.get("200", {})))
        for status, codes in self._codes().items():
            entry = found.setdefault(str(status), {"description": ""})
            entry.setdefault("content", {})[problem_shapes.PROBLEM_JSON] = problem_shapes.answer_of(status, codes)
            named = ", ".join(f"`{code}`" for code in sorted(codes))
            entry["description"] = f"{entry['description'] or problem_shapes.SAID[status]} {named}".strip()
        found["431"] = {"description": "A header is longer than eight kibibytes, or there are more than a hundred."}
        for code, response in found.items():
            # One that a view describes with a bare schema has no words of its own.
            response["description"] = response.get("description") or HTTPStatus(int(code)).phrase
            response["headers"] = {**response.get("headers", {}), **headers(*self._headers_of(int(code)))}
        return found | problem_shapes.REFERRED_TO

    def _headers_of(self, status: int) -> list[str]:
        found = [*common_shapes.ALWAYS]
        found += ["ETag"] if self.method == "GET" and status in {200, 304} else []
        found += ["Idempotent-Replayed"] if self.method == "POST" and status < 500 else []
        found += ["Retry-After"] if status in {429, 503} else []
        return found + ([*common_shapes.OF_DEPRECATED] if self.is_deprecated() else [])

    def _row_of(self, response: type_of_schema) -> type_of_schema:
        """Return the shape of what was asked for, or of one row of it: the very shape, not a copy."""
        shape = response.get("content", {}).get("application/json", {}).get("schema", {})
        row = self._resolved(shape)
        return self._resolved(row["properties"]["data"]["items"]) if "next_cursor" in row.get("properties", {}) else row

    def _complete_row(self, row: type_of_schema) -> None:
        view = cast("TenantView", self.view)
        for name in view.deprecated_fields:
            row["properties"][name] = {**row["properties"][name], "deprecated": True}
        if not view.expandable:
            return
        known = row["properties"].setdefault(expansions.PLACE, {"type": "object", "properties": {}})["properties"]
        for name, expansion in view.expandable.items():
            one = self.resolve_serializer(expansion.shape, "response").ref
            known[name] = {"type": "array", "items": one} if expansion.is_many else {"anyOf": [one, {"type": "null"}]}

    def _resolved(self, shape: type_of_schema) -> type_of_schema:
        if "$ref" not in shape:
            return shape
        name = shape["$ref"].rpartition("/")[2]
        return next(each.schema for each in self.registry._components.values() if each.name == name)

    def _codes(self) -> type_of_codes:
        """Return the codes of the problems that the operation can answer with, by status, each with its sentence."""
        found: type_of_codes = defaultdict(dict)
        for status, codes in problem_shapes.BEYOND.items():
            found[status] |= codes
        for failure in self._failures():
            status, code, sentence = _told(failure)
            found[status][code] = sentence
        if "{" in self.path:
            # What is no number cannot be one of ours.
            found[404]["not_found"] = str(NotFound.message)
        for status, codes in (problem_shapes.OF_BODIES if self.method in OF_WRITING else {}).items():
            found[status] |= codes
        return dict(sorted(found.items()))

    def _failures(self) -> set[type_of_failure]:
        view: Any = type(self.view)
        handler = inspect.unwrap(getattr(view, self.method.lower()))
        found = {*failures.failures_of(handler, of=view), *_of_everything(view)}
        never: set[type_of_failure] = set()
        never |= set() if cast("Readable", view).expandable else {expansions.UnknownExpansion}
        never |= set() if shape_of(view, "GET").names else {sparse.UnknownField}
        return {each for each in found - never if _may_happen(each, self.method)}


def _scopes_told(security: Sequence[Mapping[str, Sequence[str]]]) -> str:
    """Return a sentence that says for people what the security requirement says for programs."""
    told = [" and ".join(f"`{scope}`" for scope in scopes) for each in security for scopes in each.values()]
    return f"Scope: {' or '.join(told) or 'any'}."


def _of_everything(view: type) -> frozenset[type_of_failure]:
    """Return what may happen before an operation begins, and around it."""
    return (
        failures.failures_of(TenantView.dispatch, TenantView.perform_authentication, of=view)  # type: ignore[arg-type]
        | failures.failures_of(views.HasScope.has_permission, of=views.HasScope)  # type: ignore[arg-type]
        | failures.failures_of(auth.KeyAuthentication.authenticate, of=auth.KeyAuthentication)  # type: ignore[arg-type]
        | failures.failures_of(middleware.TenantMiddleware.__call__, of=middleware.TenantMiddleware)  # type: ignore[arg-type]
        | failures.failures_of(bodies.StrictJSONParser.parse, of=bodies.StrictJSONParser)  # type: ignore[arg-type]
        | failures.failures_of(rates.take, of=TenantView)  # type: ignore[arg-type]
    )


# Where a failure is made tells which requests can meet it.
ONLY: Final[dict[str, frozenset[str]]] = {
    "tenants.answers": frozenset({"POST"}),
    "core.http.bodies": OF_WRITING,
    "core.http.sparse": frozenset({"GET"}),
    "core.http.expansions": frozenset({"GET"}),
}


def _may_happen(failure: type_of_failure, method: str) -> bool:
    return method in ONLY.get(failure.__module__, {method}) and failure.__name__ != "MethodNotAllowed"


def _told(failure: type_of_failure) -> tuple[int, str, str]:
    if issubclass(failure, Failure):
        status = next(status for family, status in STATUS.items() if issubclass(failure, family))
        return status, code_of(failure.__name__), str(failure.message)
    return int(failure.status_code), failure.default_code, str(failure.default_detail)


def _fields(names: type_of_names) -> type_of_schema:
    one: type_of_schema = {"type": "string", "enum": [*flat(names)]}
    if free := [*_free(names)]:
        beneath = {"type": "string", "pattern": rf"^({'|'.join(map(re.escape, free))})(\.[A-Za-z0-9_:-]+)+$"}
        one = {"anyOf": [one, beneath]}
    return {
        "name": sparse.PARAMETER,
        "in": "query",
        "required": False,
        "description": "Only these, with commas between; a dot leads into an object. The answer then lacks all others, "
        f"even what it always has otherwise. At most {sparse.LENGTH_MAX} characters.",
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": one, "minItems": 1},
    }


def _free(names: type_of_names, above: str = "") -> Iterator[str]:
    """Yield the names below which there are no fixed ones."""
    for name, beneath in names.items():
        if beneath is None:
            yield above + name
        else:
            yield from _free(beneath, f"{above}{name}.")


def _expand(known: type_of_expandable) -> type_of_schema:
    scopes = ", ".join(f"`{name}` takes `{expansion.scope}`" for name, expansion in known.items())
    return {
        "name": expansions.PARAMETER,
        "in": "query",
        "required": False,
        "description": f"What to look up and put beneath `expanded`, with commas between. Of scopes {scopes}.",
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "string", "enum": [*known]}, "minItems": 1},
    }


def complete(result: type_of_schema, **_: Any) -> type_of_schema:
    """Add what is referred to by name, the webhooks, and an example of every body (POSTPROCESSING_HOOKS)."""
    components = result["components"]
    by_hand = events.SHAPES | {"Problem": common_shapes.PROBLEM}
    if twice := components["schemas"].keys() & by_hand.keys():
        raise ValueError(f"Two shapes have one name, and one would be told for the other: {sorted(twice)}")
    shapes = components["schemas"] | by_hand
    components["schemas"] = dict(sorted(shapes.items()))
    components["headers"] = common_shapes.HEADERS
    components["parameters"] = webhook_messages.HEADERS
    components["responses"] = problem_shapes.responses_of_all()
    result["tags"] = [*_tags()]
    components["examples"] = problem_shapes.shared_examples(result)
    result["servers"] = SERVERS
    result["webhooks"] = webhook_messages.described()
    links.add_links(result)
    samples.add_samples(result)
    return cast("type_of_schema", _without_marks(result))


def _tags() -> Iterator[type_of_schema]:
    for name, said in TAGS.items():
        page = guides.address_of(PAGES.get(name, name))
        yield {"name": name, "description": said, "externalDocs": {"description": "Guide", "url": page}}


def _without_marks(value: Any) -> Any:
    # Left for the hook that names sets of choices, which is not used here.
    if isinstance(value, dict):
        return {name: _without_marks(inner) for name, inner in value.items() if name != "x-spec-enum-id"}
    return [_without_marks(inner) for inner in value] if isinstance(value, list) else value
