"""What is given and taken by hand, in the back office: asked for in a form, confirmed by a second person."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.backoffice import VIEWS_TEMPLATE, AppendOnlyAdmin, ViewFilter, link, may, path_to, post_button
from core.db import transaction
from core.errors import Failure
from core.templatetags.backoffice import status_mark
from members.names import names_of
from rewards import adjustments, units
from rewards.adjustments import Wish
from rewards.admin.hand_forms import AmountField, HandForm, page
from rewards.admin.who import actor_of, member_asked
from rewards.models import Adjustment, Asset
from tenants.clock import now

ASK = "rewards.add_adjustment"
CONFIRM = "rewards.change_adjustment"
TONES = {"waiting": "flagged", "posted": "granted", "refused": "refused"}
WAITING_FIRST = Case(When(status="waiting", then=Value(0)), default=Value(1), output_field=IntegerField())


class AssetField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A choice of an asset by its name, money with its currency."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}, {obj.currency}" if obj.currency else str(obj.name)


class AskForm(HandForm):
    """What should change, of whom and why."""

    asset = AssetField(
        label=_("Of what"), queryset=Asset.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    amount = AmountField(label=_("Amount"), help_text=_("Below zero to take."))
    field_order = ["member", "asset", "amount", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assets = self.fields["asset"]
        assert isinstance(assets, forms.ModelChoiceField)
        assets.queryset = Asset.objects.filter(is_active=True).order_by("pk")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "asset" in cleaned and "amount" in cleaned:
            units_wanted = Decimal(cleaned["amount"]).scaleb(cleaned["asset"].scale)
            if units_wanted != units_wanted.to_integral_value():
                self.add_error("amount", gettext("This has more digits than there are."))
            elif not units_wanted:
                self.add_error("amount", gettext("Nothing would change."))
            cleaned["units"] = int(units_wanted)
        return cleaned

    def wish(self) -> Wish:
        """Return what was asked for."""
        given = self.cleaned_data
        return Wish(self.act_key, self.about.pk, given["asset"].pk, given["units"], given["reason"])


class AdjustmentView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), ("waiting", _("Waiting")), ("decided", _("Decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Adjustment]) -> QuerySet[Adjustment]:
        match self.value():
            case "waiting":
                return queryset.filter(status=Adjustment.Status.WAITING)
            case "decided":
                return queryset.exclude(status=Adjustment.Status.WAITING)
        return queryset


@admin.register(Adjustment)
class AdjustmentAdmin(AppendOnlyAdmin):
    """Changes by hand: what waits for a second person stands first."""

    list_display = ["number", "who", "change", "reason", "asked", "state", "decide"]
    list_display_links = ["number"]
    list_filter = [AdjustmentView, "asset"]
    list_select_related = ["asset"]
    list_before_template = VIEWS_TEMPLATE
    list_per_page = 50
    fields = ["who", "change", "reason", "asked", "state", "decide"]
    readonly_fields = ["who", "change", "asked", "state", "decide"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/confirm/", self.confirm, name="confirm", permission=CONFIRM),
            self.post_url("<int:pk>/refuse/", self.refuse, name="refuse", permission=CONFIRM),
            *super().get_urls(),
        ]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [WAITING_FIRST, "-pk"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(ASK)(request)

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.member_id for row in rows)
        for row in rows:
            row.member_name = names[row.member_id]

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return self.list_display if may(CONFIRM)(request) else self.list_display[:-1]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return self.fields if may(CONFIRM)(request) else self.fields[:-1]

    # Columns

    def name_of(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, adjustment: Adjustment) -> str:
        return f"#{adjustment.pk}"

    @admin.display(description=_("member"))
    def who(self, adjustment: Any) -> SafeString:
        name = getattr(adjustment, "member_name", None) or names_of([adjustment.member_id])[adjustment.member_id]
        return link(name, path_to("members.member", adjustment.member_id))

    @admin.display(description=_("amount"), ordering="amount")
    def change(self, adjustment: Adjustment) -> SafeString:
        return format_html('<b class="num strong nowrap">{}</b>', units.signed(adjustment.amount, adjustment.asset))

    @admin.display(description=_("asked by"), ordering="asked_at")
    def asked(self, adjustment: Adjustment) -> SafeString:
        return _who_and_when(adjustment.asked_by, adjustment.asked_at)

    @admin.display(description=_("status"), ordering="status")
    def state(self, adjustment: Adjustment) -> SafeString:
        mark = status_mark(TONES[adjustment.status], adjustment.get_status_display())
        if not adjustment.decided_by:
            return mark
        return format_html("{} {}", mark, _who_and_when(adjustment.decided_by, adjustment.decided_at))

    @admin.display(description="")
    def decide(self, adjustment: Adjustment) -> SafeString | str:
        if adjustment.status != Adjustment.Status.WAITING:
            return ""
        confirm = post_button(_("Confirm"), self.post_path("confirm", adjustment.pk), tone="good", icon="check")
        refuse = post_button(_("Refuse"), self.post_path("refuse", adjustment.pk), tone="danger", icon="close")
        return format_html('<span class="acts">{}{}</span>', confirm, refuse)

    # Buttons

    def confirm(self, request: HttpRequest, pk: int) -> str:
        with transaction():
            done = adjustments.confirm(adjustment=adjustments.get(adjustment_id=pk), by=actor_of(request), at=now())
        return gettext("Posted: %(change)s.") % {"change": units.signed(done.amount, done.asset)}

    def refuse(self, request: HttpRequest, pk: int) -> str:
        with transaction():
            adjustments.refuse(adjustment=adjustments.get(adjustment_id=pk), by=actor_of(request), at=now())
        return gettext("Refused: nothing is posted.")

    # The form

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AskForm(request.POST or None, member=member_asked(request))
        if request.method == "POST" and form.is_valid():
            answer = self._ask(request, form)
            if answer is not None:
                return answer
        note = gettext(
            "A large change waits for a second person; so do small ones together that come to as much within a day."
        )
        title, press = gettext("Give or take by hand"), gettext("Ask for it")
        return page(request, self, title=title, form=form, press=press, note=note)

    def _ask(self, request: HttpRequest, form: AskForm) -> HttpResponse | None:
        try:
            with transaction():
                made = adjustments.ask(wish=form.wish(), by=actor_of(request), at=now())
        except Failure as failure:
            form.add_error(None, str(failure))
            return None
        told = {"change": units.signed(made.amount, made.asset)}
        if made.status == Adjustment.Status.WAITING:
            messages.warning(request, gettext("%(change)s waits for a second person.") % told)
        else:
            messages.success(request, gettext("Posted: %(change)s.") % told)
        return HttpResponseRedirect(path_to("members.member", made.member_id))


def _who_and_when(who: str, at: Any) -> SafeString:
    return format_html(
        '{} <span class="soft nowrap">{}</span>', who, date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    )
