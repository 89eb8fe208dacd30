"""What the back office asks before it issues something."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from campaigns import giving
from rewards.admin.hand_forms import AmountField, HandForm
from rewards.issuing import Wanted


class IssueForm(HandForm):
    """Who gets what, and why."""

    gives = forms.ChoiceField(label=_("What"), widget=UnfoldAdminSelectWidget)
    amount = AmountField(
        label=_("How much"),
        required=False,
        help_text=_("Units, or what a certificate is worth. Of everything else there is one."),
    )
    field_order = ["member", "gives", "amount", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gives = self.fields["gives"]
        assert isinstance(gives, forms.ChoiceField)
        gives.choices = giving.choices()

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
        return Wanted(self.act_key, self.about.pk, kind, what, given["units"], given["reason"])
