"""What a marketer fills in. What does not apply is cleared here, whatever the browser has hidden or sent."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from campaigns import conditions, rows, summary, versions, wording
from campaigns.models import Campaign, Limit, RewardTier, Rule
from events.kinds import CUSTOM, CUSTOM_NAME, KINDS

POINTS_MAX = 10**9
HOLD_DAYS_MAX = 365
RULES_MAX = 20
TIERS_MAX = 20
LIMITS_MAX = 8
ORDER = "order.paid"
PREFIX = "custom."


def triggers() -> Iterator[tuple[str, Any]]:
    """Give the kinds of event that a rule can start from."""
    yield from ((kind.name, kind.label) for kind in KINDS.values() if kind.is_trigger)


def points_field(**told: Any) -> forms.IntegerField:
    """Return a field for an amount of points."""
    return forms.IntegerField(min_value=1, max_value=POINTS_MAX, widget=widgets.UnfoldAdminIntegerFieldWidget(), **told)


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """A campaign without its rules."""

    budget_points = points_field(
        required=False,
        label=_("Budget, points"),
        help_text=_("What all its rewards may cost together. Empty: no budget."),
    )
    landing_url = forms.URLField(
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=widgets.UnfoldAdminURLInputWidget(attrs={"placeholder": "https://"}),
        label=_("Landing address"),
        help_text=_("The page where a friend lands who follows a member's link."),
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
            "when_short",
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


class NewRowForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row that is there is meant, even if nobody has touched what it proposes."""

    def has_changed(self) -> bool:
        return self.instance._state.adding or super().has_changed()


class RuleForm(NewRowForm):
    """One rule. `trigger`, `percent` and `conditions` are told here in people's terms, and stored in the model's."""

    trigger = forms.ChoiceField(
        choices=triggers, initial=ORDER, label=_("When"), widget=widgets.UnfoldAdminSelectWidget()
    )
    custom_name = forms.CharField(
        required=False,
        max_length=50,
        label=_("Name of your event"),
        help_text=_("As your program sends it, after “custom.”: quiz_passed."),
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"placeholder": "quiz_passed"}),
    )
    order_number = forms.ChoiceField(
        choices=Rule.OrderNumber,
        initial=Rule.OrderNumber.FIRST,
        required=False,
        label=_("Which order"),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    amount_points = points_field(required=False, initial=100, label=_("Points"))
    percent = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        label=_("Percent"),
        help_text=_("Of the order, in points: 2.5 is 2.5%. Rounded down to whole points."),
        widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
    )
    hold_days = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=HOLD_DAYS_MAX,
        initial=0,
        label=_("Hold, days"),
        help_text=_("The points can be spent after so many days, so that a refund comes before it. 0: at once."),
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    conditions = forms.JSONField(
        required=False,
        label=_("Only if"),
        help_text=_("Without a condition it holds for each such event."),
        widget=widgets.UnfoldAdminTextareaWidget(
            attrs={"data-conditions": "", "rows": 3, "placeholder": '[{"field", "operator", "value"}]'}
        ),
    )

    class Meta:
        model = Rule
        fields = (
            "trigger",
            "order_number",
            "recipient",
            "amount_kind",
            "amount_points",
            "hold_days",
            "match",
            "conditions",
            "is_active",
        )
        labels = {"match": _("Of these conditions"), "amount_kind": _("How much"), "is_active": _("In use")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        if rule.pk:
            # What Unfold shows above the rule.
            rule.get_inline_title = summary.sentence_of(versions.line_of(rule))
        if rule.rate_bps:
            self.initial["percent"] = (Decimal(rule.rate_bps) / 100).normalize()
        if rule.trigger:
            self.initial["conditions"] = rows.shown(rule.conditions, trigger=rule.trigger)
        if rule.trigger.startswith(PREFIX):
            self.initial.update(trigger=CUSTOM, custom_name=rule.trigger.removeprefix(PREFIX))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        self._clean_trigger(told)
        self._clean_amount(told)
        self._clean_conditions(told)
        told["hold_days"] = told.get("hold_days") or 0
        return told

    def _clean_trigger(self, told: dict[str, Any]) -> None:
        name = str(told.get("custom_name", "")).strip().removeprefix(PREFIX)
        if told.get("trigger") == CUSTOM:
            told["trigger"] = PREFIX + name
            if not re.fullmatch(CUSTOM_NAME, told["trigger"]):
                self.add_error("custom_name", _("1 to 50 small letters, digits, dots and underscores."))
        if told.get("trigger") != ORDER:
            told["order_number"] = Rule.OrderNumber.ANY
        told["order_number"] = told.get("order_number") or Rule.OrderNumber.ANY

    def _clean_amount(self, told: dict[str, Any]) -> None:
        kind, percent = told.get("amount_kind"), told.get("percent")
        is_fixed, is_percent = kind == Rule.AmountKind.FIXED, kind == Rule.AmountKind.PERCENT
        told["amount_points"] = told.get("amount_points") if is_fixed else None
        self.instance.rate_bps = int(percent * 100) if is_percent and percent else None
        if is_fixed and told["amount_points"] is None and "amount_points" not in self.errors:
            self.add_error("amount_points", _("How many points?"))
        if is_percent and percent is None and "percent" not in self.errors:
            self.add_error("percent", _("How many percent?"))
        if is_percent and not wording.find_field(told.get("trigger", ""), "amount_minor"):
            self.add_error("amount_kind", _("Only an order has an amount to take a percentage of."))

    def _clean_conditions(self, told: dict[str, Any]) -> None:
        trigger = told.get("trigger", "")
        if "conditions" in self.errors or "trigger" in self.errors:
            return
        told["conditions"] = rows.stored(told.get("conditions") or [], trigger=trigger)
        for problem in conditions.check(told["conditions"], wording.fields_of(trigger)):
            sentence = wording.problem(problem, trigger=trigger)
            if problem.index is not None:
                place = {"number": problem.index + 1, "problem": sentence}
                sentence = gettext("Condition %(number)s: %(problem)s") % place
            self.add_error("conditions", sentence)


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    """A step of the ladder. An empty row is no step."""

    from_count = forms.IntegerField(
        min_value=1, max_value=10**6, label=_("From friend number"), widget=widgets.UnfoldAdminIntegerFieldWidget()
    )
    amount_points = points_field(label=_("Points for each"))

    class Meta:
        model = RewardTier
        fields = ("from_count", "amount_points")

    def validate_constraints(self) -> None:
        """Leave that to the formset: a row may take the place of one that is deleted in the same form."""


class LimitForm(NewRowForm):
    """A limit of rewards, of points, or of both."""

    max_count = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10**6,
        label=_("Rewards at most"),
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    max_points = points_field(required=False, label=_("Points at most"))

    class Meta:
        model = Limit
        fields = ("per", "period", "max_count", "max_points")

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if not self.errors and told.get("max_count") is None and told.get("max_points") is None:
            self.add_error("max_count", _("At most how many rewards, or how many points?"))
        return told

    def validate_constraints(self) -> None:
        """Leave that to the formset: a row may take the place of one that is deleted in the same form."""


class RuleForms(PaginationInlineFormSet):  # type: ignore[misc]
    """The rules of a campaign."""

    def clean(self) -> None:
        super().clean()
        for number, form in enumerate(self.initial_forms, start=1):
            # What happened while it was in force may be told later, and is scored by the version of that time.
            if self._should_delete_form(form) and versions.was_in_force(rule=form.instance):
                sentence = gettext(
                    "Rule %(number)s has been in force and is kept for the record: switch it off instead."
                )
                raise ValidationError(sentence % {"number": number})


class TierForms(PaginationInlineFormSet):  # type: ignore[misc]
    """The ladder of a campaign."""

    def get_unique_error_message(self, unique_check: Any) -> str:
        return gettext("Two steps begin with the same friend.")


class LimitForms(PaginationInlineFormSet):  # type: ignore[misc]
    """The limits of a campaign."""

    def get_unique_error_message(self, unique_check: Any) -> str:
        return gettext("There are two limits for the same whom and the same period: put them into one.")
