"""What a marketer fills in about limits, of one campaign or over all of them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from campaigns.fields import MoneyField, NewRowForm, points_field
from campaigns.models import Limit

LIMITS_MAX = 8
DAYS_MIN, DAYS_MAX = 2, 92
COUNT_MAX = 10**6


class LimitForm(NewRowForm):
    """A limit of rewards, of points, of their cost, or of several of these. Days are asked for a rolling one only."""

    days = forms.IntegerField(
        required=False,
        min_value=DAYS_MIN,
        max_value=DAYS_MAX,
        label=_("How many days"),
        help_text=_("From 2 to 92, today included."),
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    max_count = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=COUNT_MAX,
        label=_("Rewards at most"),
        help_text=_("What a rule gives at once is one reward."),
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    max_points = points_field(required=False, label=_("Points at most"))
    max_cost_minor = MoneyField(
        required=False,
        label=_("Cost at most"),
        help_text=_("In your currency: what all that is given costs you."),
    )

    class Meta:
        model = Limit
        fields = ("per", "period", "days", "max_count", "max_points", "max_cost_minor", "when_short")
        help_texts = {
            "per": _(
                "Each person, or whoever uses the same device or card, by itself. Of a reward for a referral it is the "
                "friend's device or card."
            ),
            "period": _("Hours, days, weeks and months begin by your clock."),
        }

    class Media:
        js = ("campaigns/limit_form.js",)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if told.get("period") != Limit.Period.ROLLING:
            told["days"] = None
        elif "days" in told and told["days"] is None:
            self.add_error("days", _("In how many days?"))
        maxima = ("max_count", "max_points", "max_cost_minor")
        if not self.errors and all(told.get(name) is None for name in maxima):
            self.add_error("max_count", _("At most how many rewards, how many points, or what cost?"))
        return told

    def validate_constraints(self) -> None:
        """Leave that to the formset: a row may take the place of one that is deleted in the same form."""


class LimitForms(PaginationInlineFormSet):  # type: ignore[misc]
    """The limits of a campaign."""

    def clean(self) -> None:
        """Look for two of a kind: most have no days, and Django finds no two rows equal that are empty somewhere."""
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        kinds = [(row.get("per"), row.get("period"), row.get("days")) for row in rows if row]
        if len(kinds) > len(set(kinds)):
            raise ValidationError(
                gettext("There are two limits for the same whom and the same period: put them into one.")
            )
