"""What a browser asks for on somebody else's page."""

from django.http import HttpRequest, HttpResponseBase
from django.http.response import HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.gzip import gzip_page

from core.http.conditions import conditional
from integrations.widget import script
from referrals import attribution
from tenants import context, hosts

# So long an older script, or an older policy, may go on working in somebody's browser.
KEPT_SECONDS = 600


@method_decorator(gzip_page, name="dispatch")
class Script(View):
    """`/widget.js`: the same for everybody. It knows no visitor, and sets no cookie."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        text = script.text_of(
            # The port is ours: what the request says of it, a cache in between may tell others for whom it is wrong.
            api=f"{hosts.url_of(hosts.name_in(request))}/api/v1/",
            policy=attribution.policy(),
            language=context.current().language,
        )
        response = HttpResponse(text, content_type="text/javascript; charset=utf-8")
        response["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
        # Any page may load it, however strict its own rules are (COEP).
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return conditional(request, response)
