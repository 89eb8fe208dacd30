"""Two content security policies: a strict one, and what the admin's scripts need, for the admin alone."""

from typing import Final

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

from core.backoffice import BACK_OFFICE

DATA: Final = "/api/v1/"

STRICT: Final = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
# Alpine, which Unfold is built with, compiles expressions out of attributes and sets styles inline.
RELAXED: Final = STRICT | {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


# No page: it needs nothing, and no policy has to be put together for each answer.
OF_DATA: Final = f"default-src {NONE}; frame-ancestors {NONE}"


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Chooses the policy by the address."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(DATA):
            response.headers.setdefault(HEADER, OF_DATA)
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            parts.config = RELAXED if request.path_info.startswith(BACK_OFFICE) else STRICT
        return parts
