"""What a member's browser asks for: the page of a certificate."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.timezone import localdate, now
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from core.errors import Failure, NotFound
from core.http import address_of
from core.money import format_money
from rewards.certificates import brands, page
from rewards.models import Entitlement
from tenants import context

Status = Entitlement.Status
PICTURES = "/media/"
PREPARING = (Status.WAITING, Status.ORDERED, Status.UNKNOWN)


# The token is all that opens the page, and whoever has it may press its buttons: a cookie would prove nothing more, and
# the browsers within messengers often keep none.
@method_decorator(csrf_exempt, name="dispatch")
class Certificate(View):
    """`/c/<certificate>`: looking shows the brand and a button; only its POST shows the code, and is counted."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        _speak_to(request)
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    def get(self, request: HttpRequest, certificate: str) -> HttpResponse:
        try:
            entitlement = page.get(certificate)
        except NotFound as failure:
            return _nothing(request, failure)
        return _page(request, entitlement)

    def post(self, request: HttpRequest, certificate: str) -> HttpResponse:
        at = now()
        try:
            entitlement = page.get(certificate)
            brand = request.POST.get("brand", "")
            if brand:
                schema = context.current().schema_name
                return _page(request, page.choose(schema=schema, entitlement=entitlement, brand=brand[:50], at=at))
            agent = request.headers.get("User-Agent", "")
            code = page.show(entitlement=entitlement, address=address_of(request), agent=agent, at=at)
        except NotFound as failure:
            return _nothing(request, failure)
        except Failure as failure:
            entitlement.refresh_from_db()
            return _page(request, entitlement, sentence=str(failure), status=HTTPStatus.CONFLICT)
        return _page(request, entitlement, code=code)


def _page(
    request: HttpRequest,
    entitlement: Entitlement,
    *,
    code: page.Code | None = None,
    sentence: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    gift = entitlement.gift
    is_choosing = entitlement.status == Status.CHOOSING
    offered = brands.choices(gift, value_minor=entitlement.value_minor) if is_choosing else []
    told = {
        "entitlement": entitlement,
        "gift": gift,
        "tenant": context.current(),
        "value": _money(entitlement),
        "picture": _path_of(gift.picture),
        "brands": [(brand, _path_of(brand.picture)) for brand in offered],
        "last_day": entitlement.valid_until and localdate(entitlement.valid_until - timedelta(microseconds=1)),
        "code": code,
        "sentence": sentence,
        "is_showable": page.is_showable(entitlement, at=now()),
        "is_preparing": entitlement.status in PREPARING,
        "is_used": entitlement.status == Status.USED,
        "is_cancelled": entitlement.status == Status.CANCELLED,
    }
    return render(request, "rewards/certificate.html", told, status=status)


def _nothing(request: HttpRequest, failure: NotFound) -> HttpResponse:
    return render(request, "rewards/certificate_unknown.html", {"sentence": str(failure)}, status=HTTPStatus.NOT_FOUND)


def _path_of(picture: Any) -> str:
    # At the host that was asked, whichever of the tenant's it is: the page loads nothing from another.
    return f"{PICTURES}{picture.name}" if picture else ""


def _money(entitlement: Entitlement) -> str:
    if not entitlement.value_minor:
        return ""
    currency = entitlement.currency or context.current().currency
    return format_money(entitlement.value_minor, currency, translation.get_language() or settings.LANGUAGE_CODE)


def _speak_to(request: HttpRequest) -> None:
    """Choose the first language of the browser that we have; with none of them the tenant's stays."""
    for language, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        try:
            known = translation.get_supported_language_variant(language)
        except LookupError:
            continue
        translation.activate(known)
        return
