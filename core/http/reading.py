"""What every reading operation lets one say in the query: sparse `fields`, what to `expand`, and nothing unknown."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField, Serializer

from core.errors import FieldError, Invalid
from core.http import expansions, sparse
from core.http.expansions import type_of_expandable
from core.http.shapes import Shape, shape_of, type_of_names
from core.http.sparse import type_of_wanted


class UnknownParameter(Invalid):
    """The operation knows no such parameter. A filter that was misspelled would else be none."""

    message = _("The operation knows no such parameter.")


class Readable(Protocol):
    """A view, as far as it is asked here."""

    expandable: ClassVar[type_of_expandable]


class Wanted(NamedTuple):
    """What a query asks for beside its filters."""

    fields: type_of_wanted | None
    expansions: list[str]


def check_parameters(request: Request, *, view: Readable) -> None:
    """
    Refuse what the operation does not know, of any method.

    :raises UnknownParameter: naming each, and those that there are.
    """
    if not request.query_params:
        return
    method = "GET" if request.method == "HEAD" else str(request.method)
    shape = shape_of(type(view), method)
    if shape.parameters is None:
        return
    known = sorted({*shape.parameters, *common_parameters(shape, view)} if method == "GET" else shape.parameters)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        told = ", ".join(known) or "–"
        detail = _("There is no such parameter. There are: %(known)s.") % {"known": told}
        errors = [FieldError(parameter=name[:100], detail=detail) for name in unknown]
        raise UnknownParameter(errors=errors, extra={"known": known})


def values_of(request: Request, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
    """
    Return what a query says, by name: a list of it where a list is asked for.

    As a form, REST framework would take what is there but empty for what is not there.
    """
    query = request.query_params
    several = {name for name, field in serializer_class().fields.items() if isinstance(field, ListField)}
    return {name: query.getlist(name) if name in several else query[name] for name in query}


def common_parameters(shape: Shape, view: Readable) -> set[str]:
    """Return what a reading operation knows beside its own parameters."""
    return ({sparse.PARAMETER} if shape.names else set()) | ({expansions.PARAMETER} if view.expandable else set())


def names_of(shape: Shape, view: Readable) -> type_of_names:
    """Return the names that `fields` may ask for."""
    names = dict(shape.names or {})
    return {**names, expansions.PLACE: None} if view.expandable else names


def wanted_of(request: Request, *, view: Readable) -> Wanted:
    """
    Return what the query asks for.

    :raises sparse.UnknownField:
    :raises expansions.UnknownExpansion:
    """
    shape = shape_of(type(view), "GET")
    fields, expand = (request.query_params.get(name) for name in (sparse.PARAMETER, expansions.PARAMETER))
    return Wanted(
        fields=sparse.read(fields, known=names_of(shape, view)) if fields is not None and shape.names else None,
        expansions=expansions.read(expand, known=view.expandable) if expand is not None and view.expandable else [],
    )


def dressed(response: Any, wanted: Wanted, *, view: Readable) -> Any:
    """Return an answer with what is to be expanded, and without what is not wanted."""
    if not isinstance(response, Response) or (wanted.fields is None and not wanted.expansions):
        return response
    fields = wanted.fields
    if fields is not None and wanted.expansions:
        # Whoever asks for it wants it.
        fields = {expansions.PLACE: None, **fields}
    rows = rows_of(response.data)
    if wanted.expansions:
        rows = expansions.expand(rows, wanted.expansions, known=view.expandable)
    rows = sparse.keep(rows, fields)
    response.data = {**response.data, "data": rows} if is_page(response.data) else rows[0]
    return response


def is_page(data: Any) -> bool:
    """Tell whether an answer is one page of a list."""
    return isinstance(data, Mapping) and {"data", "next_cursor"} <= set(data)


def rows_of(data: Any) -> list[Any]:
    """Return the rows of a page, or the one thing that was asked for."""
    return list(data["data"]) if is_page(data) else [data]
