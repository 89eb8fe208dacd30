"""A member's link as a picture."""

from collections.abc import Callable, Sequence
from typing import Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from referrals import pictures
from referrals.api.codes import PlaceInput, link_of
from tenants.views import TenantView

SVG, PNG = "image/svg+xml", "image/png"
FORMATS: Final[dict[str, tuple[str, Callable[..., bytes]]]] = {"svg": (SVG, pictures.svg), "png": (PNG, pictures.png)}


class AsAsked(DefaultContentNegotiation):
    """`format` says what the picture is, whatever is accepted; an error is a problem document all the same."""

    def select_renderer(  # type: ignore[override]  # REST framework's stubs want its own tuple
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], str(renderers[0].media_type)


class Qr(TenantView):
    """`/api/v1/members/{external_id}/qr`."""

    required_scope = "members:read"
    content_negotiation_class = AsAsked

    class Input(PlaceInput):
        format = serializers.ChoiceField(default="svg", choices=[*FORMATS])
        size = serializers.IntegerField(
            default=pictures.SIZE_DEFAULT,
            min_value=pictures.SIZE_MIN,
            max_value=pictures.SIZE_MAX,
            help_text="Width and height in pixels, with the quiet zone; of a PNG at most.",
        )

    @extend_schema(
        operation_id="get_member_qr_code",
        summary="Get a member's link as a QR code",
        parameters=[Input],
        responses={
            (200, SVG): OpenApiResponse(OpenApiTypes.STR, description="The picture, with an ETag."),
            (200, PNG): OpenApiResponse(OpenApiTypes.BINARY, description="The picture, with an ETag."),
        },
    )
    def get(self, request: Request, external_id: str) -> HttpResponse:
        given = self.valid(self.Input, request)
        url, _code = link_of(request, external_id, given)
        media_type, draw = FORMATS[given["format"]]
        return HttpResponse(draw(address=url, size_px=given["size"]), content_type=media_type)
