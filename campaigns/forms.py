"""What a marketer fills in. What does not apply is cleared here, whatever the browser has hidden or sent."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from campaigns import giving, versions
from campaigns.fields import MoneyField, points_field
from campaigns.models import Campaign, RewardTier

TIERS_MAX = 20


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """A campaign without its rules."""

    budget_points = points_field(
        required=False,
        label=_("Budget, points"),
        help_text=_("What all its rewards may give together. Empty: no budget."),
    )
    budget_minor = MoneyField(
        required=False,
        label=_("Budget, money"),
        help_text=_("What all its rewards may cost you together, points and gifts alike. Empty: no budget."),
    )
    landing_url = forms.URLField(
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=widgets.UnfoldAdminURLInputWidget(attrs={"placeholder": "https://"}),
        label=_("Landing address"),
        help_text=_("The page where a friend lands who follows a member's link."),
    )
    refund_policy = forms.ChoiceField(
        choices=Campaign.RefundPolicy,
        initial=Campaign.RefundPolicy.TO_ZERO,
        label=_("What a refund takes back"),
        help_text=_(
            "A debt needs an asset that may be owed. What somebody has seen, used or been sent cannot be taken back: "
            "it is noted as lost."
        ),
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )
    # Which version the form was filled in from: whoever saves second is told before overwriting the first.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Campaign
        fields = (
            "name",
            "goal",
            "starts_at",
            "ends_at",
            "budget_points",
            "budget_minor",
            "when_short",
            "refund_policy",
            "landing_url",
            "priority",
            "exclusive_group",
        )
        labels = {"name": _("Campaign name")}

    # What kept an earlier attempt at saving this request from being done: sentences.
    refusals: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = versions.find_last(campaign=self.instance) if self.instance.pk else None
        self.initial["seen"] = last.number if last else None
        if self.refusals:
            # Said once: whoever then presses again means it.
            self.data = {**self.data.dict(), "seen": self.initial["seen"] or ""}  # type: ignore[attr-defined]

    def clean_landing_url(self) -> str:
        url = str(self.cleaned_data["landing_url"])
        if url and not url.lower().startswith(("http://", "https://")):
            raise ValidationError(_("A web address begins with https:// or http://."))
        return url

    def clean_exclusive_group(self) -> str:
        return str(self.cleaned_data["exclusive_group"]).strip()

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        starts_at, ends_at = told.get("starts_at"), told.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("It ends before it starts."))
        for sentence in self.refusals:
            self.add_error(None, sentence)
        return told


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    """A step of the ladder. An empty row is no step. `asked` says what its amounts are of: points, unless told."""

    from_count = forms.IntegerField(
        min_value=1, max_value=10**6, label=_("From friend number"), widget=widgets.UnfoldAdminIntegerFieldWidget()
    )
    amount_points = forms.DecimalField(
        max_digits=20,
        decimal_places=4,
        label=_("Points for each"),
        widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "min": 0}),
    )

    class Meta:
        model = RewardTier
        fields = ("from_count", "amount_points")

    def __init__(self, *args: Any, asked: giving.Ask | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked or giving.Ask("")
        if self.asked.digits:
            self.fields["amount_points"].label = gettext("For each: %(amount)s") % {"amount": self.asked.label}
        if self.instance.pk:
            self.initial["amount_points"] = giving.number_of(self.instance.amount_points, self.asked)

    def clean_amount_points(self) -> int:
        try:
            return giving.units_of(self.cleaned_data["amount_points"], self.asked)
        except giving.Unreadable as wrong:
            raise ValidationError(str(wrong)) from wrong

    def validate_constraints(self) -> None:
        """Leave that to the formset: a row may take the place of one that is deleted in the same form."""


class TierForms(PaginationInlineFormSet):  # type: ignore[misc]
    """The ladder of a campaign."""

    def get_unique_error_message(self, unique_check: Any) -> str:
        return gettext("Two steps begin with the same friend.")
