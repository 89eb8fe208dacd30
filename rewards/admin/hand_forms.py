"""What is done by hand is asked for alike: whom it is about, how much, why; on a page with one button."""

import secrets
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from members import search
from members.models import Member
from members.names import names_of

REASON_LENGTH_MAX = 300
PAGE_TEMPLATE = "rewards/by_hand_form.html"


class MemberField(forms.CharField):
    """Somebody, typed as they are known. Its value is the member."""

    def __init__(self, **kwargs: Any) -> None:
        usual = {
            "label": _("Member"),
            "max_length": 254,
            "help_text": _("Your id, Telegram id, whole e-mail or phone"),
            "widget": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }
        super().__init__(**usual | kwargs)

    def clean(self, value: Any) -> Any:
        found = search.find(super().clean(value))
        if len(found) != 1:
            several = _("Several members are known by that: say it by your own id.")
            raise ValidationError(several if found else _("Nobody is known by that."))
        return Member.objects.get(pk=found[0])


class AmountField(forms.DecimalField):
    """An amount as people write it, of any asset."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "any"})
        super().__init__(max_digits=16, decimal_places=4, widget=widget, **kwargs)


class ReasonField(forms.CharField):
    """Why it is done."""

    def __init__(self, **kwargs: Any) -> None:
        usual = {"label": _("Reason"), "max_length": REASON_LENGTH_MAX, "widget": UnfoldAdminTextInputWidget}
        super().__init__(**usual | kwargs)


class ReasonForm(forms.Form):
    """Why something is cancelled."""

    reason = ReasonField(widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}))


class HandForm(forms.Form):
    """Something for a member. Whom it is about may be chosen before."""

    member = MemberField()
    reason = ReasonField(help_text=_("The member reads it in the statement."))
    # One form is one act, however often it is sent.
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, member: Member | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = member
        self.fields["key"].initial = secrets.token_hex(16)
        if member is not None:
            del self.fields["member"]

    @property
    def about(self) -> Member:
        """Whom a valid form is about."""
        member: Member = self.chosen or self.cleaned_data["member"]
        return member

    @property
    def act_key(self) -> str:
        """What a valid form is known by."""
        return f"staff:{self.cleaned_data['key']}"


def page(
    request: HttpRequest, pages: "ModelAdmin[Any]", *, title: str, form: forms.Form, press: str, note: str = ""
) -> HttpResponse:
    """Return the page of a form: `press` stands on its button, `note` above its fields."""
    member = getattr(form, "chosen", None)
    told = {
        "title": title,
        "form": form,
        "press": press,
        "note": note,
        "member": member,
        "member_name": names_of([member.pk])[member.pk] if member else "",
    }
    frame = {**pages.admin_site.each_context(request), "opts": pages.opts}
    return TemplateResponse(request, PAGE_TEMPLATE, frame | told)
