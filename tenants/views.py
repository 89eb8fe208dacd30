"""What every operation of a tenant's API shares."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, MethodNotAllowed, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from core.callers import address_of
from core.db import savepoint, transaction
from core.errors import Conflict, Denied, Failure, FieldError, Invalid, Unprocessable
from core.http import CursorPage, StrictJSONParser, deprecations, reading
from core.http.conditions import conditional
from core.http.deprecations import Deprecation
from core.http.expansions import type_of_expandable
from core.http.strictness import SINCE, still_to_come, too_early, wrong_kinds
from tenants import answers, origins, rates, spaces
from tenants.answers import Answered, Asked
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.rates import Allowance, QuotaUsedUp, RateLimited

type_of_scope = str | tuple[str, ...]


class MissingScope(Denied):
    """The API key is good, but not for this."""

    message = _("This API key lacks the scope that this needs.")


class HasScope(BasePermission):
    """Let a request pass whose API key has the view's `required_scope`, and what it needs besides."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is None:
            return False  # REST framework answers 401.
        asked, had = cast("TenantView", view), cast("KnownKey", request.auth).scopes
        scopes = asked.scopes_of(str(request.method))
        if had.isdisjoint(scopes):
            raise MissingScope(extra={"required_scope": scopes[0]})
        if asked.scope_besides and asked.scope_besides not in had:
            raise MissingScope(extra={"required_scope": asked.scope_besides})
        return True


class TenantView(APIView):
    """
    Be the base of every operation of a tenant's API: input, one verb, output.

    `required_scope` names the scope that the key needs, or one for each HTTP method; of several any will do. What
    changes something runs in one transaction, unless the view says otherwise (`is_atomic`); with an Idempotency-Key its
    first answer is kept there, and given again.

    What reads has an ETag, and knows the parameters that `@extend_schema` describes, `fields`, and `expand` for what is
    `expandable`, if the key may read that too. `deprecated` says that the operation will go, `deprecated_fields` that
    names in its answer will.
    """

    # What is asked with an Idempotency-Key, where the work takes many transactions.
    asked: Asked | None = None
    # Set once the request is counted: what the key may ask still, where that is known.
    allowance: Allowance | None = None
    is_atomic: ClassVar[bool] = True
    # The work takes many transactions, each of which stands: its first answer is kept after it, in another. What must
    # be the same when a request that was broken off is repeated is a plan (`tenants.answers`).
    is_stepwise: ClassVar[bool] = False
    expandable: ClassVar[type_of_expandable] = {}
    deprecated: ClassVar[Deprecation | None] = None
    deprecated_fields: ClassVar[Mapping[str, Deprecation]] = {}
    required_scope: ClassVar[type_of_scope | Mapping[str, type_of_scope]]
    scope_besides: ClassVar[str] = ""
    permission_classes = [HasScope]
    parser_classes = [StrictJSONParser]
    metadata_class = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if origins.is_preflight(request):
            return origins.preflight(self.allowed_methods)
        # As REST framework's own, but for `_handle`.
        self.args, self.kwargs = args, kwargs
        asked = self.initialize_request(request, *args, **kwargs)
        self.request = asked
        self.headers = self.default_response_headers
        try:
            self.initial(asked, *args, **kwargs)
            response = self._handle(asked, lambda: self._handler_of(asked)(asked, *args, **kwargs))
        except Exception as error:
            response = self.handle_exception(error)
        found = self.finalize_response(asked, cast("Response", response), *args, **kwargs)
        return self._marked(conditional(request, _written_out(self._with_notice(found))))

    def perform_authentication(self, request: Request) -> None:
        """Know whose the request is, and let it pass if they have not asked too often: before any work."""
        super().perform_authentication(request)
        key = getattr(request._request, "api_key", None)
        if key is None:
            return
        try:
            # Whoever may not report events must not use up the quota of those who may.
            may_ask = not key.scopes.isdisjoint(self.scopes_of(str(request.method)))
            events, unreadable = self.events_in(request) if may_ask else 0, None
        except (APIException, Failure) as error:
            # It is a request all the same.
            events, unreadable = 0, error
        try:
            self.allowance = rates.take(key=key, address=address_of(request._request), events=events, at=timezone.now())
        except (RateLimited, QuotaUsedUp) as refused:
            self.allowance = refused.allowance
            raise
        if unreadable is not None:
            raise unreadable

    def events_in(self, request: Request) -> int:
        """Return how many events a request reports, which have a quota of their own."""
        return 0

    @classmethod
    def scopes_of(cls, method: str) -> tuple[str, ...]:
        """Return the scopes of which a request with this method needs one, the usual one first."""
        scope = cls.required_scope
        if isinstance(scope, Mapping):
            name = "GET" if method == "HEAD" else method
            if name not in scope:
                raise MethodNotAllowed(name)
            scope = scope[name]
        return (scope,) if isinstance(scope, str) else scope

    def valid(self, serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
        """
        Return what was sent, checked: the body, or the query of a GET or a DELETE.

        :raises rest_framework.exceptions.ValidationError: answered 400 with a pointer to each error.
        :raises Invalid: likewise, with the name of each parameter.
        """
        is_query = _is_reading(request) or request.method == "DELETE"
        given = serializer_class(data=reading.values_of(request, serializer_class) if is_query else request.data)
        if not is_query and (wrong := wrong_kinds(given, request.data)):
            raise ValidationError(wrong)
        given.is_valid(raise_exception=not is_query)
        wrong = dict(given.errors) or too_early(given.validated_data)
        if not wrong and SINCE in given.validated_data:
            wrong = still_to_come(given.validated_data, at=now())
        if wrong:
            raise Invalid(errors=[*_wrong_parameters(wrong)]) if is_query else ValidationError(wrong)
        return dict(given.validated_data)

    def page(self, queryset: QuerySet[Any], request: Request, serializer_class: type[BaseSerializer[Any]]) -> Response:
        """Answer with one page of a list."""
        pages = CursorPage()
        rows = pages.paginate_queryset(queryset, request, self)
        return pages.get_paginated_response(serializer_class(rows, many=True).data)

    def _handler_of(self, request: Request) -> Callable[..., Response]:
        method = str(request.method).lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        return cast("Callable[..., Response]", handler or self.http_method_not_allowed)

    def _handle(self, request: Request, handle: Callable[[], Response]) -> HttpResponseBase:
        reading.check_parameters(request, view=self)
        if _is_reading(request):
            wanted = reading.wanted_of(request, view=self)
            self._check_may_expand(request, wanted.expansions)
            with spaces.reading():
                return cast("HttpResponseBase", reading.dressed(handle(), wanted, view=self))
        key = request.headers.get("Idempotency-Key")
        if key is not None and request.method == "POST":
            asked = Asked(key=key, method="POST", path=request.path, body=request.data)
            handle_once = self._handle_step_by_step if self.is_stepwise else self._handle_once
            return handle_once(request, asked, handle)
        if not self.is_atomic:
            return handle()
        with transaction():
            return handle()

    def _check_may_expand(self, request: Request, names: Sequence[str]) -> None:
        for scope in [self.expandable[name].scope for name in names]:
            if scope not in cast("KnownKey", request.auth).scopes:
                raise MissingScope(extra={"required_scope": scope})

    def _handle_once(self, request: Request, asked: Asked, handle: Callable[[], Response]) -> HttpResponseBase:
        at = timezone.now()
        with transaction():
            first = answers.begin(asked=asked, at=at)
            if first is not None:
                return _told_again(first)
            response = self._rendered(request, handle)
            answers.keep(asked=asked, answered=_answered(response), at=at)
            return response

    def _handle_step_by_step(self, request: Request, asked: Asked, handle: Callable[[], Response]) -> HttpResponseBase:
        self.asked = asked
        with answers.alone(asked=asked):
            with transaction():
                first = answers.begin(asked=asked, at=timezone.now())
            if first is not None:
                return _told_again(first)
            response = self._finished(request, handle())
            with transaction():
                answers.keep(asked=asked, answered=_answered(response), at=timezone.now())
            return response

    def _rendered(self, request: Request, handle: Callable[[], Response]) -> HttpResponse:
        try:
            with savepoint():
                response = handle()
        except (Conflict, Unprocessable) as error:
            # It was understood and decided about: so it was answered, and nothing of the work is left. Whatever else
            # goes wrong was not, and the same key may try again.
            response = self.handle_exception(error)
        return self._finished(request, response)

    def _finished(self, request: Request, response: Response) -> HttpResponse:
        finished = self.finalize_response(request, response, *self.args, **self.kwargs)
        return cast("HttpResponse", _written_out(finished))

    def _marked(self, response: HttpResponseBase) -> HttpResponseBase:
        """Tell the caller how often they may still ask, and a browser whether its page may read the answer."""
        told = {} if self.allowance is None else self.allowance.headers()
        origin = getattr(self.request._request, "page_origin", None)
        if origin is not None:
            told |= origins.headers_for(origin)
            patch_vary_headers(response, ["Origin"])
        for name, value in told.items():
            response.headers[name] = value
        return response

    def _with_notice(self, response: HttpResponseBase) -> HttpResponseBase:
        ending = [] if self.deprecated is None else [self.deprecated]
        if self.deprecated_fields and isinstance(response, Response):
            ending += deprecations.in_answer(reading.rows_of(response.data), self.deprecated_fields)
        soonest = deprecations.soonest(ending)
        for name, value in (soonest.headers() if soonest else {}).items():
            response.headers[name] = value
        return response


def _written_out(response: HttpResponseBase) -> HttpResponseBase:
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _answered(response: HttpResponse) -> Answered:
    return Answered(response.status_code, response.headers, response.content.decode())


def _told_again(first: Answered) -> HttpResponse:
    response = HttpResponse(first.body, status=first.status)
    # Django would call an answer without a body HTML.
    del response.headers["Content-Type"]
    for name, value in {**first.headers, "Idempotent-Replayed": "true"}.items():
        response.headers[name] = value
    return response


def _wrong_parameters(errors: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, sentences in errors.items():
        for sentence in sentences if isinstance(sentences, list) else [sentences]:
            yield FieldError(parameter=name, detail=str(sentence))


def _is_reading(request: Request) -> bool:
    return request.method in {"GET", "HEAD"}
