"""Banning a member and letting them back, each asked for on a page of its own."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from antifraud.lists import bans
from core.backoffice import ModelAdmin, may, path_to
from core.db import transaction
from core.errors import Failure
from core.templatetags.backoffice import whole
from members.models import Member
from members.names import names_of
from tenants.clock import now

DECIDE = "antifraud.decide_case"
PAGE_TEMPLATE = "rewards/by_hand_form.html"


class LiftForm(forms.Form):
    """Why."""

    note = forms.CharField(
        label=_("why"),
        max_length=bans.NOTE_LENGTH_MAX,
        help_text=_("It stands in the log. The member does not read it."),
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )


class BanForm(LiftForm):
    """Why, and what goes with it."""

    takes = forms.ChoiceField(
        label=_("what they were to get, and got"),
        initial=bans.PENDING,
        choices=[
            (bans.NOTHING, _("Leave it all as it is")),
            (bans.PENDING, _("Call off what is pending, and what waits for a moderator")),
            (bans.GRANTED, _("Do that, and put what was given before a moderator: a rejection takes it back")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    shuts_out = forms.BooleanField(
        label=_("also put their identities into the stop list"),
        required=False,
        help_text=_("So that they do not come back as somebody new: nothing is given where one of them turns up."),
        widget=UnfoldBooleanSwitchWidget,
    )


class BanPages(ModelAdmin):
    """The two pages, beside the lists. Who decides cases may use them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("ban/<int:member_id>/", view(self.ban_view), name="antifraud_listing_ban"),
            path("unban/<int:member_id>/", view(self.lift_view), name="antifraud_listing_unban"),
            *super().get_urls(),
        ]

    def ban_view(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Ask why and what goes with it, and ban."""
        member = _member(request, member_id)
        form = BanForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                self._ban(request, member, form.cleaned_data)
            except Failure as failure:
                form.add_error(None, str(failure))
            else:
                return HttpResponseRedirect(path_to("members.member", member.pk))
        return self._page(request, member, form, title=gettext("Ban a member"), press=gettext("Ban"))

    def lift_view(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Ask why, and let them back."""
        member = _member(request, member_id)
        form = LiftForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction():
                    bans.lift(member=member, by=request.user, note=form.cleaned_data["note"], at=now())  # type: ignore[arg-type]
            except Failure as failure:
                form.add_error(None, str(failure))
            else:
                messages.success(request, gettext("They earn and spend again."))
                return HttpResponseRedirect(path_to("members.member", member.pk))
        note = gettext("What the ban took stays where it is. Lines of theirs in the stop list stay, too.")
        return self._page(
            request, member, form, title=gettext("Let a member back"), press=gettext("Let back"), note=note
        )

    def _ban(self, request: HttpRequest, member: Member, told: dict[str, Any]) -> None:
        at = now()
        with transaction():
            banned = bans.ban(member=member, by=request.user, note=told["note"], takes=told["takes"], at=at)  # type: ignore[arg-type]
            if told["shuts_out"]:
                bans.shut_out(member=member, by=request.user, note=told["note"], at=at)  # type: ignore[arg-type]
        messages.success(request, _sentence(banned))
        if banned.kept:
            count = len(banned.kept)
            out = ngettext(
                "%(count)s reward is out of reach: spent, seen, used or sent.",
                "%(count)s rewards are out of reach: spent, seen, used or sent.",
                count,
            )
            messages.warning(request, out % {"count": whole(count)})

    def _page(
        self, request: HttpRequest, member: Member, form: forms.Form, *, title: str, press: str, note: str = ""
    ) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "press": press}
        who = {"member": member, "member_name": names_of([member.pk])[member.pk], "note": note}
        return TemplateResponse(request, PAGE_TEMPLATE, {**frame, **who, "form": form})


def _member(request: HttpRequest, member_id: int) -> Member:
    if not may(DECIDE)(request):
        raise PermissionDenied
    member = Member.objects.filter(pk=member_id).first()
    if member is None:
        raise Http404
    return member


def _sentence(banned: bans.Banned) -> str:
    numbers = {"cancelled": whole(len(banned.cancelled)), "flagged": whole(len(banned.flagged))}
    return gettext("Banned. Rewards called off: %(cancelled)s; put before a moderator: %(flagged)s.") % numbers
