"""What a visitor's browser asks: where a member's link leads."""

import re
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from core.callers import address_of
from core.db import current_schema
from referrals import landing, links
from referrals.links import Link, UnknownCode
from tenants import rates
from tenants.clock import now

VISITOR_COOKIE = "visitor"
VISITOR_COOKIE_SECONDS = 90 * 24 * 3600
RANDOM = re.compile(r"[0-9a-f]{32}")
# Longer numbers are no campaign's, and would not fit its column.
CAMPAIGN_ID = re.compile(r"[1-9][0-9]{0,17}")


class Follow(View):
    """
    `/r/<code>`: count the click and send the visitor on. A person's browser is counted; robots and HEAD are not.

    From one address links are followed so often a minute, and those that do not exist much less often.
    """

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        # Each visit is asked of us anew, and where it came from is nobody's business but the link's.
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        asked: dict[str, Any] = {"schema": current_schema(), "address": address_of(request), "at": timezone.now()}
        wait_seconds = rates.visit(**asked)
        if wait_seconds:
            return _ask_to_wait(request, wait_seconds)
        at = now()
        try:
            link = links.get(code=code, campaign_id=_campaign_id_of(request), at=at)
        except UnknownCode:
            rates.visit_of_unknown(**asked)
            return render(request, "referrals/unknown_code.html", {"code": code[:30]}, status=404)
        if request.method != "GET" or _is_robot(request):
            return _send_on(request, link, click_key=None)
        visitor, click_key = _visitor_of(request), secrets.token_hex(16)
        query = request.GET.dict()
        links.record_click(
            link=link,
            key=click_key,
            visitor=visitor,
            channel=landing.channel_of(query),
            utm=landing.utm_of(query),
            at=at,
        )
        return _remember(_send_on(request, link, click_key=click_key), visitor)


def _ask_to_wait(request: HttpRequest, wait_seconds: int) -> HttpResponse:
    response = render(request, "referrals/too_many.html", {"wait_seconds": wait_seconds}, status=429)
    response["Retry-After"] = str(wait_seconds)
    return response


def _campaign_id_of(request: HttpRequest) -> int | None:
    given = request.GET.get("c", "")
    return int(given) if CAMPAIGN_ID.fullmatch(given) else None


def _is_robot(request: HttpRequest) -> bool:
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return landing.is_robot(user_agent=request.headers.get("User-Agent", ""), purpose=purpose)


def _visitor_of(request: HttpRequest) -> str:
    given = request.COOKIES.get(VISITOR_COOKIE, "")
    return given if RANDOM.fullmatch(given) else secrets.token_hex(16)


def _send_on(request: HttpRequest, link: Link, *, click_key: str | None) -> HttpResponse:
    if not link.landing_url:
        return render(request, "referrals/invitation.html", {"code": link.code})
    utm = landing.utm_of(request.GET.dict())
    return HttpResponseRedirect(
        landing.address(landing_url=link.landing_url, code=link.code, click_key=click_key, utm=utm)
    )


def _remember(response: HttpResponse, visitor: str) -> HttpResponse:
    response.set_cookie(
        VISITOR_COOKIE,
        visitor,
        max_age=VISITOR_COOKIE_SECONDS,
        path="/r/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
