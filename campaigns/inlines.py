"""The rows of a campaign's page: rules, steps of the ladder, limits."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline, TabularInline

from campaigns import forms, limit_forms, rule_forms
from campaigns.models import Limit, RewardTier, Rule


class RuleInline(StackedInline):  # type: ignore[misc]
    model = Rule
    form = rule_forms.RuleForm
    formset = rule_forms.RuleForms
    fields = (
        "trigger",
        "custom_name",
        "order_number",
        "conditions",
        "match",
        "recipient",
        "gives",
        "amount_kind",
        "amount_points",
        "percent",
        "extras",
        "hold_days",
        "awaits",
        "awaits_name",
        "awaits_days",
        "is_active",
    )
    max_num = rule_forms.RULES_MAX
    validate_max = True
    verbose_name_plural = _("Rules: who gets what for which event")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj else 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        # Django would load every reward that a rule gave to say why it cannot go; `RuleForms.clean` asks for one.
        formset.form.hand_clean_DELETE = lambda form: None
        return formset


class TierInline(TabularInline):  # type: ignore[misc]
    model = RewardTier
    form = forms.TierForm
    formset = forms.TierForms
    max_num = forms.TIERS_MAX
    validate_max = True
    hide_title = True
    verbose_name = _("step")
    verbose_name_plural = _("Ladder: the more friends, the more each pays")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj and obj.tiers.exists() else 3


class LimitInline(TabularInline):  # type: ignore[misc]
    model = Limit
    form = limit_forms.LimitForm
    formset = limit_forms.LimitForms
    max_num = limit_forms.LIMITS_MAX
    validate_max = True
    hide_title = True
    verbose_name_plural = _("Limits: how often, and how much")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj else 1
