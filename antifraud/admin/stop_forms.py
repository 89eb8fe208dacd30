"""A stop rule as people say it: a share in percent, a cost in money."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from antifraud.models import StopRule
from antifraud.stops import measures

Action, Scope = StopRule.Action, StopRule.Scope
THRESHOLD_MAX = 10**15


class StopRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """What does not matter for a choice is not asked, and cleared."""

    threshold = forms.DecimalField(
        label=_("Bound"),
        min_value=0,
        max_value=THRESHOLD_MAX,
        help_text=_("Shares in percent, costs in your currency."),
        widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )

    class Meta:
        model = StopRule
        fields = (
            "scope",
            "campaign",
            "metric",
            "comparison",
            "threshold",
            "window_minutes",
            "data_min",
            "weeks_min",
            "action",
            "throttle_per_hour",
            "cooldown_minutes",
            "resume_minutes",
            "is_active",
        )
        labels = {
            "scope": _("Look at each"),
            "metric": _("What is measured"),
            "window_minutes": _("In so many minutes"),
            "data_min": _("Only with at least"),
            "comparison": _("It fires when this"),
            "weeks_min": _("Weeks to compare with, at least"),
            "throttle_per_hour": _("Rewards an hour that do not wait"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "threshold" in self.fields:
            self.initial["threshold"] = measures.typed(metric=self.instance.metric, number=self.instance.threshold)
        if "campaign" in self.fields:
            self.fields["campaign"].queryset = self.fields["campaign"].queryset.filter(is_builtin=False)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        scope, action = told.get("scope"), told.get("action")
        if scope != Scope.CAMPAIGN:
            told["campaign"] = None
        if action in {Action.STOP, Action.THROTTLE} and scope != Scope.CAMPAIGN:
            self.add_error(
                "action", _("Only a campaign can be stopped or throttled. Here rewards can be made to wait.")
            )
        if action == Action.BLOCK_INVITER and scope != Scope.INVITER:
            self.add_error("action", _("Blocking is for inviters: look at each inviter then."))
        if action != Action.THROTTLE:
            told["throttle_per_hour"] = None
        elif not told.get("throttle_per_hour"):
            self.add_error("throttle_per_hour", _("How many rewards an hour are not too many?"))
        self._clean_threshold(told)
        return told

    def _clean_threshold(self, told: dict[str, Any]) -> None:
        typed, metric = told.get("threshold"), told.get("metric")
        if typed is None or metric is None:
            return
        number = typed * measures.per_unit(metric)
        if number != number.to_integral_value():
            self.add_error("threshold", _("So many digits are not counted."))
        elif number < 1:
            self.add_error("threshold", _("It has to be more than nothing."))
        else:
            told["threshold"] = int(number)


def initial_of(rule: StopRule) -> dict[str, Any]:
    """Return what the form shows of a rule."""
    values = {name: getattr(rule, name) for name in StopRuleForm.Meta.fields}
    threshold: Decimal = measures.typed(metric=rule.metric, number=rule.threshold)
    return values | {"threshold": threshold, "campaign": rule.campaign_id}
