"""Every request begins in the schema of the host that it was sent to."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation

from core.callers import address_of
from core.errors import Failure
from core.http.problems import API_PREFIX, PROBLEM_TYPE, STATUS, Problem
from tenants import context, hosts, key_uses, origins, spaces
from tenants.requests import TenantRequest


class TenantMiddleware:
    """
    Choose the schema, the addresses (URL configuration), the time zone and the language by the host name.

    A connection outlives its request, so it may still be in the schema of another tenant when a request begins.
    Nothing is read or written before this middleware has chosen anew, in every request, for every host: that is what
    keeps one request's tenant from the next. An unknown host and a suspended tenant go no further than this.
    """

    def __init__(self, get_response: Callable[[TenantRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponse:
        request.tenant = None
        try:
            self._choose(request, hosts.name_in(request))
        except Failure as failure:
            return _refuse(request, failure)
        response = self.get_response(request)
        self._note_key(request)
        return response

    def _note_key(self, request: TenantRequest) -> None:
        # KeyAuthentication has set one of them. The answer is made, so what it changed is committed.
        address, at = address_of(request), timezone.now()  # noqa: TID251 (an edge; keys live in real time)
        if hasattr(request, "api_key"):
            key_uses.note(key=request.api_key, address=address, at=at)
        elif hasattr(request, "ended_key"):
            key_uses.note_refused(key=request.ended_key, address=address, at=at)

    def _choose(self, request: TenantRequest, host: str) -> None:
        if hosts.is_platform(host):
            context.leave()
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
            return
        tenant = hosts.get_tenant(host)
        context.enter(tenant)
        request.tenant = tenant


class SandboxMiddleware:
    """Whatever a sandbox's host answers is of one sandbox: not begun before it is cleared, and ended afterwards."""

    def __init__(self, get_response: Callable[[TenantRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponse:
        with spaces.reading():
            return self.get_response(request)


def _refuse(request: TenantRequest, failure: Failure) -> HttpResponse:
    # Of the tenant nothing is told, not even its language.
    context.leave()
    translation.activate(translation.get_language_from_request(request))
    status = next(status for family, status in STATUS.items() if isinstance(failure, family))
    if request.path.startswith(API_PREFIX):
        # A page may read this, whoever's it is: it is said to everybody, with a key or without.
        if origins.is_preflight(request):
            return origins.preflight()
        readable = origins.headers_for(origins.EVERY_PAGE)
        document = Problem(status=status, code=failure.code, detail=failure.detail).document(request)
        return JsonResponse(document, status=status, content_type=PROBLEM_TYPE, headers=readable)
    return render(request, "tenants/refused.html", {"sentence": failure.detail}, status=status)
