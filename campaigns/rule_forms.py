"""One rule, as a marketer fills it in. What does not apply is cleared here, whatever the browser has hidden or sent."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from campaigns import conditions, extras, giving, rows, summary, versions, wording
from campaigns.fields import NewRowForm
from campaigns.models import Rule
from events.kinds import CUSTOM, CUSTOM_NAME, FACTS, KINDS

HOLD_DAYS_MAX = 365
PROMISE_DAYS_MAX = 3650
RULES_MAX = 20
ORDER = "order.paid"
PREFIX = "custom."
BAD_NAME = _("1 to 50 small letters, digits, dots and underscores.")

type_of_told = dict[str, Any]


def triggers() -> Iterator[tuple[str, Any]]:
    """Give the kinds of event that a rule can start from."""
    yield from _reported()
    yield from ((kind.name, kind.label) for kind in FACTS.values())


def awaited() -> Iterator[tuple[str, Any]]:
    """Give what a promise can wait for: what its member does, not what follows from that."""
    yield "", _("Nothing")
    yield from _reported()


def _reported() -> Iterator[tuple[str, Any]]:
    yield from ((kind.name, kind.label) for kind in KINDS.values() if kind.is_trigger)


def name_field() -> forms.CharField:
    """Return a field for the name of an event of the tenant's own."""
    return forms.CharField(
        required=False,
        max_length=50,
        label=_("Name of your event"),
        help_text=_("As your program sends it, after “custom.”: quiz_passed."),
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"placeholder": "quiz_passed"}),
    )


def days_field(days_min: int, days_max: int, **told: Any) -> forms.IntegerField:
    """Return a field for a number of days."""
    widget = widgets.UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(required=False, min_value=days_min, max_value=days_max, widget=widget, **told)


class RuleForm(NewRowForm):
    """One rule. What is given, how much of it, and the conditions are told in people's terms, and stored in ours."""

    trigger = forms.ChoiceField(
        choices=triggers, initial=ORDER, label=_("When"), widget=widgets.UnfoldAdminSelectWidget()
    )
    custom_name = name_field()
    order_number = forms.ChoiceField(
        choices=Rule.OrderNumber,
        initial=Rule.OrderNumber.FIRST,
        required=False,
        label=_("Which order"),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    gives = forms.ChoiceField(
        initial=giving.value_of(giving.POINTS, ""),
        label=_("What they get"),
        help_text=_("All that is in use. What is new is added under “Rewards” first."),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    amount_points = forms.DecimalField(
        required=False,
        initial=100,
        max_digits=20,
        decimal_places=4,
        label=_("Amount"),
        help_text=_("Money in whole units: 12.50. Empty for a gift: one is given."),
        widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "min": 0}),
    )
    percent = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        label=_("Percent"),
        help_text=_("Of the order: 2.5 is 2.5%. Rounded down to whole points, or to the smallest coin."),
        widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
    )
    extras = extras.ExtrasField(
        required=False,
        label=_("And with it"),
        help_text=_("Given together with it, whole or not at all. It counts as one reward."),
    )
    hold_days = days_field(
        0,
        HOLD_DAYS_MAX,
        initial=0,
        label=_("Hold, days"),
        help_text=_("It can be used after so many days, so that a refund comes before it. 0: at once."),
    )
    awaits = forms.ChoiceField(
        choices=awaited,
        required=False,
        label=_("Usable once this happens"),
        help_text=_("A promise: they see it at once, and can use it when they themselves have done this."),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    awaits_name = name_field()
    awaits_days = days_field(
        1, PROMISE_DAYS_MAX, label=_("Promise holds, days"), help_text=_("Then it lapses. Empty: it holds for ever.")
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
            "extras",
            "hold_days",
            "awaits",
            "awaits_days",
            "match",
            "conditions",
            "is_active",
        )
        labels = {"match": _("Of these conditions"), "amount_kind": _("How much"), "is_active": _("In use")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        self._offer(giving.choices())
        if rule.pk:
            # What Unfold shows above the rule.
            rule.get_inline_title = summary.sentence_of(versions.line_of(rule))
            self._show_gives()
        if rule.rate_bps:
            self.initial["percent"] = (Decimal(rule.rate_bps) / 100).normalize()
        if rule.trigger:
            self.initial["conditions"] = rows.shown(rule.conditions, trigger=rule.trigger)
        for kind, name in (("trigger", "custom_name"), ("awaits", "awaits_name")):
            if (told := getattr(rule, kind)).startswith(PREFIX):
                self.initial.update({kind: CUSTOM, name: told.removeprefix(PREFIX)})

    def _offer(self, groups: giving.type_of_groups) -> None:
        # What was chosen once and is not in use any more stays visible, so that nobody wonders where it went.
        known = {value for _label, group in groups for value, _name in group}
        pieces = giving.pieces_of(versions.line_of(self.instance))
        gone = {giving.value_of(each.kind, each.what): each for each in pieces}
        lost = [(value, giving.name_of(kind=each.kind, what=each.what)) for value, each in gone.items()]
        lost = [(value, name) for value, name in lost if value not in known]
        groups = [*groups, (gettext("Not in use any more"), lost)] if lost else groups
        self.fields["gives"].choices = groups  # type: ignore[attr-defined]
        self.fields["extras"].offer(groups)  # type: ignore[attr-defined]

    def _show_gives(self) -> None:
        rule = self.instance
        asked = giving.ask(kind=rule.reward_kind, what=rule.reward_what)
        self.initial["gives"] = giving.value_of(rule.reward_kind, rule.reward_what)
        self.initial["extras"] = extras.flat(rule.extras)
        if rule.amount_points is not None:
            self.initial["amount_points"] = giving.number_of(rule.amount_points, asked) if asked else None

    def clean(self) -> type_of_told:
        told = super().clean() or self.cleaned_data
        self._clean_name(told, "trigger", "custom_name")
        self._clean_gives(told)
        self._clean_amount(told)
        self._clean_promise(told)
        self._clean_conditions(told)
        if told.get("trigger") != ORDER:
            told["order_number"] = Rule.OrderNumber.ANY
        told["order_number"] = told.get("order_number") or Rule.OrderNumber.ANY
        told["hold_days"] = told.get("hold_days") or 0
        return told

    def _clean_name(self, told: type_of_told, kind: str, field: str) -> None:
        name = str(told.get(field, "")).strip().removeprefix(PREFIX)
        if told.get(kind) == CUSTOM:
            told[kind] = PREFIX + name
            if not re.fullmatch(CUSTOM_NAME, told[kind]):
                self.add_error(field, BAD_NAME)

    def _clean_gives(self, told: type_of_told) -> None:
        kind, what = giving.split(told.get("gives") or giving.value_of(giving.POINTS, ""))
        self.instance.reward_kind, self.instance.reward_what = kind, what
        # What is switched off may be of something that is there no more.
        if told.get("is_active") and (problem := giving.problem(kind=kind, what=what, amount=None)):
            self.add_error("gives", problem)
        if told.get("amount_kind", Rule.AmountKind.FIXED) != Rule.AmountKind.FIXED and not giving.is_shared(kind):
            self.add_error("amount_kind", _("Only points and money are given so: choose “Fixed”."))

    def _clean_amount(self, told: type_of_told) -> None:
        kind, percent = told.get("amount_kind"), told.get("percent")
        is_percent = kind == Rule.AmountKind.PERCENT
        typed, told["amount_points"] = told.get("amount_points"), None
        if kind == Rule.AmountKind.FIXED and "amount_points" not in self.errors:
            told["amount_points"] = self._units(typed, is_active=bool(told.get("is_active")))
        self.instance.rate_bps = int(percent * 100) if is_percent and percent else None
        if is_percent and percent is None and "percent" not in self.errors:
            self.add_error("percent", _("How many percent?"))
        if is_percent and not wording.find_field(told.get("trigger", ""), "amount_minor"):
            self.add_error("amount_kind", _("Only an order has an amount to take a percentage of."))

    def _units(self, typed: Decimal | None, *, is_active: bool) -> int | None:
        chosen = {"kind": self.instance.reward_kind, "what": self.instance.reward_what}
        asked = giving.ask(**chosen)
        if asked and typed is None:
            self.add_error("amount_points", _("How much of it?"))
            return None
        try:
            units = giving.units_of(typed or Decimal(0), asked)
        except giving.Unreadable as wrong:
            self.add_error("amount_points", str(wrong))
            return None
        if is_active and "gives" not in self.errors and (problem := giving.problem(**chosen, amount=units)):
            self.add_error("amount_points", problem)
        return units

    def _clean_promise(self, told: type_of_told) -> None:
        self._clean_name(told, "awaits", "awaits_name")
        if not told.get("awaits"):
            told["awaits"], told["awaits_days"] = "", None

    def _clean_conditions(self, told: type_of_told) -> None:
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


class RuleForms(PaginationInlineFormSet):  # type: ignore[misc]
    """The rules of a campaign."""

    # Django makes another whenever a template names it.
    empty_form = cached_property(PaginationInlineFormSet.empty_form.fget)

    def clean(self) -> None:
        super().clean()
        for number, form in enumerate(self.initial_forms, start=1):
            # What happened while it was in force may be told later, and is scored by the version of that time.
            if self._should_delete_form(form) and versions.was_in_force(rule=form.instance):
                sentence = gettext(
                    "Rule %(number)s has been in force and is kept for the record: switch it off instead."
                )
                raise ValidationError(sentence % {"number": number})
