"""The page on which a sandbox is tried out; in the live back office, the way there."""

from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import Answer, ModelAdmin, page_of
from core.db import transaction
from core.errors import Denied
from integrations.models import Endpoint
from integrations.sandbox import clearing, clock, fixtures, marks, stories, triggering, turns
from integrations.sandbox.clock import Advanced
from integrations.webhooks import kinds
from rewards.actors import Actor
from tenants import context, hosts, sandboxes
from tenants.clock import now

CHANGE: Final = "integrations.change_endpoint"
PAGE: Final = "integrations_endpoint_sandbox"
# What the clock's buttons say, and how far they go.
SPANS: Final = {
    "1h": (_("+1 hour"), timedelta(hours=1)),
    "1d": (_("+1 day"), timedelta(days=1)),
    "7d": (_("+7 days"), timedelta(days=7)),
    "30d": (_("+30 days"), timedelta(days=30)),
}


class UnknownSpan(Denied):
    """No button of ours asks for it."""

    message = _("The clock is advanced by an hour, a day, a week or a month at a time.")


class SandboxPages(ModelAdmin):
    """The page of the sandbox, beside the webhooks that are tried out there."""

    def get_urls(self) -> list[URLPattern]:
        def button(what: str, act: Any, route: str = "") -> URLPattern:
            return self.post_url(f"sandbox/{what}/{route}", act, name=f"sandbox_{what}", permission=CHANGE)

        return [
            path("sandbox/", self.admin_site.admin_view(self.sandbox_view), name=PAGE),
            button("clock", self.advance_clock, "<str:span>/"),
            button("fixture", self.make_fixture, "<str:fixture>/"),
            button("trigger", self.trigger),
            button("clear", self.clear),
            *super().get_urls(),
        ]

    def sandbox_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        tenant = context.current()
        frame = {**self.admin_site.each_context(request), "title": gettext("Sandbox")}
        if tenant.environment == tenant.Environment.LIVE:
            sandbox = sandboxes.find(live=tenant)
            url = f"{hosts.url_of(hosts.name_for(sandbox.slug))}{request.path}" if sandbox else ""
            return TemplateResponse(
                request, "admin/integrations/sandbox/way.html", {**frame, "sandbox": sandbox, "url": url}
            )
        time = clock.read(at=now())
        shown = {
            "time": time,
            "ahead": marks.span(time.ahead),
            "spans": [(label, self.post_path("sandbox_clock", name)) for name, (label, _span) in SPANS.items()],
            "fixtures": [self._fixture(story) for story in stories.ALL.values()],
            "kinds": sorted(((kind.name, kind.label) for kind in kinds.ALL.values()), key=lambda each: each[0]),
            "trigger_url": self.post_path("sandbox_trigger"),
            "webhooks": Endpoint.objects.filter(status=Endpoint.Status.ACTIVE).count(),
            "clear_url": self.post_path("sandbox_clear"),
            "slug": tenant.slug,
        }
        return TemplateResponse(request, "admin/integrations/sandbox/page.html", {**frame, **shown})

    def advance_clock(self, request: HttpRequest, span: str) -> Answer:
        """Advance the clock by what the button says."""
        if span not in SPANS:
            raise UnknownSpan
        with turns.alone(schema=sandboxes.get_current().schema_name):
            at = now()
            return _sentence(clock.advance(to=at + SPANS[span][1], by=_actor(request), at=at))

    def make_fixture(self, request: HttpRequest, fixture: str) -> Answer:
        """Make a campaign, members and orders to look at."""
        made = fixtures.make(name=fixture, by=_actor(request), at=now())
        return gettext("%(title)s is there: %(about)s") % {"title": made.story.title, "about": made.story.about}

    def trigger(self, request: HttpRequest) -> Answer:
        """Send an example of a fact to the webhooks that want it."""
        with transaction():
            made = triggering.trigger(kind=request.POST.get("kind", ""), by=_actor(request), at=now())
        if not made:
            return gettext("No active webhook asks for this fact, so nothing was sent.")
        count = len(made)
        return ngettext("An example goes to %(count)d webhook.", "An example goes to %(count)d webhooks.", count) % {
            "count": count
        }

    def clear(self, request: HttpRequest) -> Answer:
        """Make the sandbox as new, if its name was typed."""
        clearing.clear(confirm=request.POST.get("confirm", "").strip(), by=_actor(request), at=now())
        return gettext("The sandbox is as new, and its clock says what it really is.")

    def _fixture(self, story: stories.Story) -> dict[str, Any]:
        campaigns = fixtures.find(story=story).campaigns
        return {
            "title": story.title,
            "about": story.about,
            "make_url": self.post_path("sandbox_fixture", story.name),
            "campaign_url": page_of(campaigns[0]) if campaigns else "",
        }


def _sentence(told: Advanced) -> str:
    said = [gettext("It is %(ahead)s later") % {"ahead": marks.span(told.passed)}]
    happened = [
        (gettext("midnights: %(count)s"), told.nights),
        (gettext("rewards granted: %(count)s"), told.facts.get("reward.granted", 0)),
        (gettext("cases escalated: %(count)s"), told.facts.get("case.escalated", 0)),
    ]
    said += [text % {"count": number_format(count)} for text, count in happened if count]
    said += [
        gettext("%(asset)s expired: %(amount)s") % {"asset": asset, "amount": number_format(amount)}
        for asset, amount in told.expired.items()
    ]
    said += [] if told.is_there else [gettext("That was all there was time for: press again.")]
    return " · ".join(said)


def _actor(request: HttpRequest) -> Actor:
    return Actor("staff", request.user.get_username())
