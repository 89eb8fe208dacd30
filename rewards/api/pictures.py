"""What browsers ask for: pictures, and the files of exclusive content."""

from http import HTTPStatus
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views import View

from core.db import transaction
from core.errors import NotFound
from rewards import pictures
from tenants.clock import now

PICTURE_SECONDS = 24 * 3600


class Picture(View):
    """`/media/<path>`: a picture of the tenant whose host was asked."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, path: str) -> HttpResponseBase:
        try:
            found = pictures.open_picture(path=path)
        except NotFound as failure:
            return _nothing(request, failure)
        response = FileResponse(found.file, content_type=found.content_type)
        response["Cache-Control"] = f"public, max-age={PICTURE_SECONDS}"
        return _strict(response)


class Content(View):
    """`/content/<token>`: the file that its owner was given a link to. Never shown in the browser, only saved."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        at = now()
        try:
            found = pictures.open_content(token=token, at=at)
            if request.method == "GET" and found.entitlement:
                with transaction():
                    pictures.note_opened(entitlement=found.entitlement, at=at)
        except NotFound as failure:
            return _nothing(request, failure)
        response = FileResponse(found.file, as_attachment=True, filename=found.name, content_type=found.content_type)
        response["Cache-Control"] = "private, no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return _strict(response)


def _strict(response: Any) -> HttpResponseBase:
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response  # type: ignore[no-any-return]


def _nothing(request: HttpRequest, failure: NotFound) -> HttpResponseBase:
    response = render(request, "rewards/no_file.html", {"sentence": str(failure)}, status=HTTPStatus.NOT_FOUND)
    response["Cache-Control"] = "no-store"
    return response
