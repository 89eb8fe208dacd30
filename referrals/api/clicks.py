"""Clicks that a tenant's own page or app reports, where nobody has followed a link of ours."""

import secrets
from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.callers import address_of, subscriber_of
from core.http.pages import BIGINT_MAX
from referrals import landing, links
from referrals.links import UnknownCode
from tenants import guessing
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView

CODE_LENGTH_MAX = 100


class UtmInput(serializers.Serializer[Any]):
    source = serializers.CharField(  # type: ignore[assignment]  # REST framework's fields have a `source` too
        required=False, max_length=landing.UTM_LENGTH_MAX
    )
    medium = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    campaign = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    term = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    content = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)


class Clicks(TenantView):
    """`/api/v1/clicks`. Anybody can make a click up, so no rule starts from one, and by itself it earns nothing."""

    required_scope: ClassVar[dict[str, str]] = {"POST": "clicks:write"}

    class Input(serializers.Serializer[Any]):
        code = serializers.CharField(max_length=CODE_LENGTH_MAX, help_text="The code that the visitor came with.")
        channel = serializers.CharField(
            required=False, default="", allow_blank=True, max_length=landing.CHANNEL_LENGTH_MAX
        )
        utm = UtmInput(required=False)
        campaign_id = serializers.IntegerField(
            required=False, allow_null=True, default=None, min_value=1, max_value=BIGINT_MAX
        )
        visitor = serializers.RegexField(
            r"^[A-Za-z0-9_-]{16,32}$",
            required=False,
            help_text="Random, and the same for all clicks of one browser: what the first answer said.",
        )

    class Output(serializers.Serializer[Any]):
        click_id = serializers.CharField(help_text="Send it with member.joined when the visitor signs up.")
        visitor = serializers.CharField(help_text="Keep it in the browser, and send it with the next click.")
        landing_url = serializers.CharField(
            allow_null=True, help_text="Where the link would have led, with the code and the click; null for nowhere."
        )

    @extend_schema(
        operation_id="report_click",
        summary="Report that somebody came with a member's code",
        description="For pages and apps that take a code without the link, with a publishable key too. A click tells "
        "who is credited when the visitor signs up; it is no event, and starts no rule.",
        request=Input,
        responses={201: OpenApiResponse(Output, description="The click is counted.")},
        examples=[
            OpenApiExample(
                "From a page", value={"code": "ANNA", "channel": "site", "utm": {"source": "blog"}}, request_only=True
            ),
            OpenApiExample(
                "It is counted",
                value={
                    "click_id": "9f86d081884c7d659a2feaa0c55ad015",
                    "visitor": "0cc175b9c0f1b6a831c399e269772661",
                    "landing_url": "https://shop.example/hello?ref=ANNA&click_id=9f86d081884c7d659a2feaa0c55ad015",
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        at = now()
        link = guessing.unless_guessing(
            lambda: links.get(code=given["code"], campaign_id=given["campaign_id"], at=at),
            who=_who(request),
            missing=UnknownCode,
            at=at,
        )
        key, visitor = secrets.token_hex(16), given.get("visitor") or secrets.token_hex(16)
        utm = dict(given.get("utm", {}))
        links.record_click(link=link, key=key, visitor=visitor, channel=given["channel"], utm=utm, at=at)
        page = link.landing_url and landing.address(
            landing_url=link.landing_url, code=link.code, click_key=key, utm=utm
        )
        return Response(
            self.Output({"click_id": key, "visitor": visitor, "landing_url": page or None}).data, status=201
        )


def _who(request: Request) -> str:
    # A publishable key is everybody's: whoever guesses with it must not keep the others out.
    return f"clicks:{cast('KnownKey', request.auth).prefix}:{subscriber_of(address_of(request._request))}"
