"""Webhooks: where facts are sent, whether they arrive, and the buttons for when they do not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import Answer, Question, link, list_of, page_of, post_button
from core.db import transaction
from core.errors import Failure
from core.templatetags.backoffice import whole
from integrations.admin import marks
from integrations.admin.forms import SinceForm, WebhookForm
from integrations.models import Delivery, Endpoint
from integrations.sandbox.admin import SandboxPages
from integrations.webhooks import endpoints, examples, figures, resending, secrets
from integrations.webhooks.health import NOTES
from rewards.actors import Actor
from tenants.admin.secrets import SecretsPage
from tenants.clock import now


@admin.register(Endpoint)
class WebhookAdmin(SandboxPages, SecretsPage):
    """Where facts are sent."""

    secrets_title = _("The webhook is added")
    form = WebhookForm
    list_display = ["address", "state", "last_delivered", "waiting", "facts"]
    list_display_links = ["address"]
    list_before_template = "admin/integrations/endpoint/list_head.html"
    ordering = ["-pk"]
    readonly_fields = ["state", "last_delivered", "waiting", "failing", "secrets", "sent_again", "buttons", "log"]

    # Who may do what

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = request.user.has_perm("integrations.delete_endpoint")
        return allowed

    # The form, and the page of a webhook

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        what = (_("What it is told of"), {"fields": ["confirmed", "others"]})
        if not self.has_change_permission(request, obj):
            what = (_("What it is told of"), {"fields": ["facts"]})
        where = (None, {"fields": ["url", "description"]})
        if obj is None:
            return [where, what]
        health = ["state", "buttons", "last_delivered", "waiting", "failing", "secrets", "sent_again", "log"]
        return [(_("How it goes"), {"fields": health}), where, what]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Sequence[str]:
        return [*self.readonly_fields, "facts"]

    def name_of(self, row: Endpoint) -> str:
        return row.description or row.url

    def dress(self, rows: Sequence[Any]) -> None:
        known = figures.read([row.pk for row in rows])
        for row in rows:
            row.figures = known[row.pk]

    def save_model(self, request: HttpRequest, obj: Endpoint, form: WebhookForm, change: bool) -> None:  # noqa: FBT001
        if change:
            endpoints.change(endpoint=obj, wanted=form.wanted(), by=_actor(request), at=now())
            return
        made, secret = endpoints.add(wanted=form.wanted(), by=_actor(request), at=now())
        obj.pk = made.pk
        request.secrets = [(_("Secret"), secret)]  # type: ignore[attr-defined]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Write nothing: the verbs write the audit log themselves."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Write nothing, as above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Write nothing, as above."""

    def delete_model(self, request: HttpRequest, obj: Endpoint) -> None:
        endpoints.delete(endpoint=obj, by=_actor(request), at=now())

    def get_deleted_objects(self, objs: QuerySet[Endpoint], request: HttpRequest) -> Any:
        # Not each of the thousands of deliveries by its name.
        counts = {
            str(Endpoint._meta.verbose_name_plural): len(objs),
            str(Delivery._meta.verbose_name_plural): Delivery.objects.filter(endpoint__in=objs).count(),
        }
        return [str(each) for each in objs], counts, set(), []

    # Columns

    @admin.display(description=_("webhook"))
    def address(self, webhook: Endpoint) -> SafeString:
        lines = [webhook.description, webhook.url] if webhook.description else [webhook.url]
        return format_html_join(
            SafeString("<br>"), '<span class="wrap-anywhere">{}</span>', ((each,) for each in lines)
        )

    @admin.display(description=_("state"))
    def state(self, webhook: Endpoint) -> SafeString:
        note = NOTES.get(webhook.status_note)
        mark = marks.state_of(webhook)
        return format_html('{} <span class="soft wraps">{}</span>', mark, note) if note else mark

    @admin.display(description=_("last success"))
    def last_delivered(self, webhook: Endpoint) -> SafeString | str:
        return marks.ago(_figures_of(webhook).delivered_at)

    @admin.display(description=_("waiting"))
    def waiting(self, webhook: Endpoint) -> SafeString | str:
        count = _figures_of(webhook).waiting
        shown = whole(count) + ("+" if count == figures.WAITING_MAX else "")
        return link(shown, f"{list_of(Delivery)}?show=waiting&endpoint={webhook.pk}") if count else "0"

    @admin.display(description=_("facts"))
    def facts(self, webhook: Endpoint) -> str:
        count = len(webhook.kinds)
        return ngettext("%(count)d kind", "%(count)d kinds", count) % {"count": count}

    @admin.display(description=_("failing since"))
    def failing(self, webhook: Endpoint) -> str:
        return marks.when(webhook.failing_since)

    @admin.display(description=_("secrets that sign"))
    def secrets(self, webhook: Endpoint) -> SafeString:
        shown = ((each.ending, _until(each)) for each in secrets.signing_now(webhook, at=now()))
        return format_html_join(SafeString("<br>"), '<code>…{}=</code> <span class="soft">{}</span>', shown)

    @admin.display(description=_("sent again"))
    def sent_again(self, webhook: Endpoint) -> str:
        course = resending.find_course(webhook)
        if course is None:
            return "—"
        said = _said(course)
        return gettext("Since %(since)s: %(said)s") % {"since": marks.when(course.since), "said": said}

    @admin.display(description=_("what was sent"))
    def log(self, webhook: Endpoint) -> SafeString:
        return link(gettext("Deliveries"), f"{list_of(Delivery)}?show=all&endpoint={webhook.pk}")

    @admin.display(description="")
    def buttons(self, webhook: Endpoint) -> SafeString:
        is_active = webhook.status == Endpoint.Status.ACTIVE
        signing = secrets.signing_now(webhook, at=now())
        shown = [
            (_("Send a test"), "test", "plain", "science") if is_active else None,
            (_("Send again since …"), "resend", "plain", "replay") if is_active else None,
            (_("Pause"), "pause", "plain", "pause") if is_active else (_("Resume"), "resume", "primary", "play_arrow"),
            (_("Replace the secret"), "rotate", "plain", "autorenew"),
            (_("End the old secrets now"), "end-overlap", "danger", "key_off") if len(signing) > 1 else None,
        ]
        made = (
            (post_button(label, self.post_path(name, webhook.pk), tone=tone, icon=icon),)  # type: ignore[arg-type]
            for label, name, tone, icon in filter(None, shown)
        )
        return format_html('<span class="acts">{}</span>', format_html_join("", "{}", made))

    # Buttons

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/test/", self.test, name="test"),
            self.post_url("<int:pk>/pause/", self.pause, name="pause"),
            self.post_url("<int:pk>/resume/", self.resume, name="resume"),
            self.post_url("<int:pk>/rotate/", self.rotate, name="rotate"),
            self.post_url("<int:pk>/end-overlap/", self.end_overlap, name="end-overlap", ask=self.ask_end_overlap),
            self.post_url("<int:pk>/resend/", self.resend, name="resend"),
            *super().get_urls(),
        ]

    def test(self, request: HttpRequest, pk: int) -> SafeString:
        with transaction():
            made = examples.test(endpoint=_get(pk), by=_actor(request), at=now())
        return format_html(
            "{} {}", gettext("A test is on its way."), link(gettext("See what comes of it"), page_of(made))
        )

    def pause(self, request: HttpRequest, pk: int) -> Promise:
        with transaction():
            endpoints.pause(endpoint=_get(pk), by=_actor(request), at=now())
        return _("Nothing is sent there for now. What happens meanwhile waits.")

    def resume(self, request: HttpRequest, pk: int) -> Promise:
        with transaction():
            endpoints.resume(endpoint=_get(pk), by=_actor(request), at=now())
        return _("It goes on: what waits is sent now.")

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        with transaction():
            _webhook, secret = endpoints.rotate(endpoint=_get(pk), by=_actor(request), at=now())
        note = _("For 24 hours the old secret signs too, so that you can replace it without losing a message.")
        return self.show_once(request, [(_("New secret"), secret)], title=_("The secret is replaced"), note=note)

    def resend(self, request: HttpRequest, pk: int) -> Answer:
        webhook = _get(pk)
        form = SinceForm(
            request.POST if "which" in request.POST else None, initial={"since": now() - timedelta(days=1)}
        )
        if not form.is_valid():
            return self._asked_since(request, webhook, form)
        try:
            with transaction():
                course = resending.resend_since(endpoint=webhook, by=_actor(request), at=now(), **form.told())
        except Failure as failure:
            form.add_error("since", str(failure))
            return self._asked_since(request, webhook, form)
        return _said(course)

    def ask_end_overlap(self, request: HttpRequest, pk: int) -> Question:
        newest, *_olds = secrets.signing_now(_get(pk), at=now())
        return Question(
            gettext("Let only the newest secret sign?"),
            gettext(
                "A server that still checks with an old one refuses every message from then on. The newest ends in "
                "…%(ending)s=."
            )
            % {"ending": newest.ending},
            _("End the old secrets now"),
        )

    def end_overlap(self, request: HttpRequest, pk: int) -> Promise:
        with transaction():
            endpoints.end_overlap(endpoint=_get(pk), by=_actor(request), at=now())
        return _("Only the newest secret signs from now on.")

    def _asked_since(self, request: HttpRequest, webhook: Endpoint, form: SinceForm) -> HttpResponse:
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "title": gettext("Send again"),
            "webhook": webhook,
            "form": form,
            "act_url": self.post_path("resend", webhook.pk),
            "back_url": reverse("admin:integrations_endpoint_change", args=[webhook.pk]),
        }
        return TemplateResponse(request, "admin/integrations/endpoint/resend.html", page)


def _get(pk: int) -> Endpoint:
    return get_object_or_404(Endpoint, pk=pk)


def _actor(request: HttpRequest) -> Actor:
    return Actor("staff", request.user.get_username())


def _figures_of(webhook: Any) -> figures.Figures:
    known: figures.Figures = getattr(webhook, "figures", None) or figures.read([webhook.pk])[webhook.pk]
    return known


def _until(signing: secrets.Signing) -> str:
    if signing.until is None:
        return gettext("the newest")
    return gettext("until %(instant)s") % {"instant": marks.when(signing.until)}


def _said(course: resending.Course) -> str:
    shown = {"shown": whole(course.count), "percent": course.done_percent}
    if course.is_done:
        return ngettext("%(shown)s fact is sent again.", "%(shown)s facts are sent again.", course.count) % shown
    so_far = gettext("%(shown)s facts are sent again so far: %(percent)s %% of the log is gone through.")
    return so_far % shown
