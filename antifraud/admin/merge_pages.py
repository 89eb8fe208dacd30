"""The page that merges another member into one, beside the lists. Who decides cases may use it, but for themselves."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from antifraud.moderation import owners
from core.backoffice import ModelAdmin, may, path_to
from core.db import transaction
from core.errors import Failure
from core.templatetags.backoffice import whole
from members import merging, search
from members.models import Member
from members.names import names_of
from rewards import assets, units
from tenants.clock import now

# As for a ban.
DECIDE = "antifraud.decide_case"
TEMPLATE = "rewards/by_hand_form.html"
NOTE_LENGTH_MAX = 300
NOTE = _(
    "All that the other is known by and has comes here: balances, rewards, gifts, limits. Both ids find this member "
    "from then on, and both codes work. It cannot be undone: look first at what would come."
)
# What is told of the figures of a merger, in this order.
SENTENCES = {
    "identities": _("identities: %(count)s"),
    "events": _("events: %(count)s"),
    "rewards": _("rewards: %(count)s"),
    "entitlements": _("gifts: %(count)s"),
    "redemptions": _("purchases, payouts and what is set aside: %(count)s"),
    "flagged": _("put before a moderator, as one has invited the other: %(count)s"),
}


class MergeForm(forms.Form):
    """Who it is, and why; then whether to do it."""

    who = forms.CharField(
        label=_("the same person is also known as"),
        max_length=254,
        help_text=_("Your id, Telegram, e-mail or phone of the other member, in full."),
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("why"),
        max_length=NOTE_LENGTH_MAX,
        help_text=_("It stands in the log. The member does not read it."),
        widget=UnfoldAdminTextInputWidget,
    )
    is_sure = forms.BooleanField(
        label=_("I know that this cannot be undone"),
        required=False,
        help_text=_("Without this you are shown what would come."),
        widget=UnfoldBooleanSwitchWidget,
    )

    def clean_who(self) -> Member:
        """Return the one member who is known by that."""
        found = search.find(self.cleaned_data["who"])
        if len(found) != 1:
            raise forms.ValidationError(
                gettext("Several members are known by that.") if found else gettext("Nobody is known by that.")
            )
        return Member.objects.get(pk=found[0])


class MergePages(ModelAdmin):
    """The page, beside the lists."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.merge_view)
        return [path("merge/<int:member_id>/", view, name="antifraud_listing_merge"), *super().get_urls()]

    def merge_view(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Ask who the other is, show what would come, and merge."""
        if not may(DECIDE)(request):
            raise PermissionDenied
        into = Member.objects.filter(pk=member_id).first()
        if into is None:
            raise Http404
        form, note = MergeForm(request.POST if request.method == "POST" else None), str(NOTE)
        if request.method == "POST" and form.is_valid():
            try:
                merged = self._merge(request, into, form.cleaned_data)
            except Failure as failure:
                form.add_error(None, str(failure))
            else:
                if form.cleaned_data["is_sure"]:
                    messages.success(request, gettext("Merged. Both ids find this member now."))
                    return HttpResponseRedirect(path_to("members.member", member_id))
                note = gettext("What would come here: %(what)s.") % {"what": _words_of(merged.moved)}
        told = {"title": gettext("Merge another member into this one"), "press": _press(form), "note": note}
        who = {"member": into, "member_name": names_of([member_id])[member_id], "form": form}
        frame = {**self.admin_site.each_context(request), "opts": Member._meta}
        return TemplateResponse(request, TEMPLATE, {**frame, **told, **who})

    def _merge(self, request: HttpRequest, into: Member, told: Mapping[str, Any]) -> merging.Merged:
        at = now()
        with transaction():
            for member in (into, told["who"]):
                owners.require_other(member=member, by=request.user, at=at)  # type: ignore[arg-type]
            if not told["is_sure"]:
                return merging.preview(into=into, away=told["who"], at=at)
            by = request.user.get_username()
            return merging.merge(into=into, away=told["who"], actor_kind="staff", actor=by, note=told["note"], at=at)


def _press(form: forms.Form) -> str:
    return gettext("Merge") if form.is_bound and form.is_valid() else gettext("Look")


def _words_of(moved: Mapping[str, Any]) -> str:
    lines = {line.code: line for line in assets.lines().values()}
    words = [units.signed(balance, lines[code]) for code, balance in moved["balances"].items()]
    words += [str(said) % {"count": whole(moved[what])} for what, said in SENTENCES.items() if moved[what]]
    return gettext(", ").join(words)
