"""What visitors and programs ask: follow a member's link, list whom a member invited."""

import re
import secrets
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.timezone import now
from django.views import View
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage, TenantView
from members import people
from members.models import Identity
from referrals import landing, links
from referrals.links import Link, UnknownCode
from referrals.models import Referral

VISITOR_COOKIE = "visitor"
VISITOR_COOKIE_SECONDS = 90 * 24 * 3600
RANDOM = re.compile(r"[0-9a-f]{32}")
# Longer numbers are no campaign's, and would not fit its column.
CAMPAIGN_ID = re.compile(r"[1-9][0-9]{0,17}")


class Follow(View):
    """`/r/<code>`: count the click and send the visitor on. A person's browser is counted; robots and HEAD are not."""

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        # Each visit is asked of us anew, and where it came from is nobody's business but the link's.
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        at = now()
        try:
            link = links.get(code=code, campaign_id=_campaign_id_of(request), at=at)
        except UnknownCode:
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


class Referrals(TenantView):
    """`/api/v1/members/{external_id}/referrals`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        invitee = serializers.CharField(
            source="invitee_external_id", allow_null=True, help_text="The friend's external_id."
        )
        invitee_id = serializers.IntegerField()
        status = serializers.SerializerMethodField(
            help_text="joined; qualified once it earned the inviter a reward that was not refused."
        )
        attributed_at = serializers.DateTimeField()
        qualified_at = serializers.DateTimeField(allow_null=True)
        channel = serializers.CharField()
        campaign_id = serializers.IntegerField(allow_null=True, help_text="The campaign whose link was followed.")

        def get_status(self, referral: Referral) -> str:
            return "qualified" if referral.qualified_at else "joined"

    @extend_schema(summary="List whom a member invited", responses=Output(many=True))
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        own_ids = Identity.objects.filter(member=OuterRef("invitee"), kind=Identity.Kind.EXTERNAL_ID, resolves=True)
        referrals = Referral.objects.filter(inviter=member).annotate(
            invitee_external_id=Subquery(own_ids.values("lookup")[:1]), campaign_id=F("click__campaign")
        )
        return self.page(referrals, request, self.Output)


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
