"""What the back office asks before it issues or cancels something."""

import secrets
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns import giving
from members import search
from members.models import Member
from rewards.issuing import REASON_LENGTH_MAX, Wanted


class ReasonForm(forms.Form):
    """Why it is cancelled."""

    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_LENGTH_MAX, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True})
    )


class IssueForm(forms.Form):
    """Who gets what, and why. Whom it is about may be chosen before."""

    member = forms.CharField(
        label=_("Member"),
        max_length=254,
        help_text=_("Your id, Telegram id, whole e-mail or phone"),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    gives = forms.ChoiceField(label=_("What"), widget=UnfoldAdminSelectWidget)
    amount = forms.DecimalField(
        label=_("How much"),
        required=False,
        max_digits=16,
        decimal_places=4,
        help_text=_("Units, or what a certificate is worth. Of everything else there is one."),
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH_MAX,
        help_text=_("It stands in the log."),
        widget=UnfoldAdminTextInputWidget,
    )
    # One form is one reward, however often it is sent.
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, member: Member | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = member
        gives = self.fields["gives"]
        assert isinstance(gives, forms.ChoiceField)
        gives.choices = giving.choices()
        self.fields["key"].initial = secrets.token_hex(16)
        if member is not None:
            del self.fields["member"]

    def clean_member(self) -> Member:
        found = search.find(self.cleaned_data["member"])
        if len(found) != 1:
            raise forms.ValidationError(_("Nobody is known by that.") if not found else _("Several are known by that."))
        return Member.objects.get(pk=found[0])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "gives" not in cleaned or "amount" not in cleaned:
            return cleaned
        kind, what = giving.split(cleaned["gives"])
        asked = giving.ask(kind=kind, what=what)
        number = cleaned["amount"]
        if asked is not None and number is None:
            self.add_error("amount", gettext("How much?"))
            return cleaned
        try:
            cleaned["units"] = giving.units_of(Decimal(number or 1), asked)
        except giving.Unreadable as wrong:
            self.add_error("amount", str(wrong))
            return cleaned
        if problem := giving.problem(kind=kind, what=what, amount=cleaned["units"]):
            self.add_error("gives", problem)
        return cleaned

    def wanted(self) -> Wanted:
        """Return what was asked for."""
        given = self.cleaned_data
        kind, what = giving.split(given["gives"])
        member = self.chosen or given["member"]
        return Wanted(f"staff:{given['key']}", member.pk, kind, what, given["units"], given["reason"])
