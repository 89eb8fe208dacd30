"""What the back office asks of a policy: two thresholds, a line for each signal, and what is the tenant's alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from antifraud.judging.observed import Setting
from antifraud.judging.policy import THRESHOLD_MAX, Policy
from antifraud.models import FraudPolicy
from antifraud.moderation.precision import Precision
from antifraud.signals import SIGNALS
from antifraud.signals.signal import WEIGHT_MAX, Signal
from core.errors import type_of_text

MODES: Final = [("live", _("Counts")), ("shadow", _("Only recorded")), ("off", _("Off"))]
ALWAYS: Final = [("", _("by its weight")), ("flag", _("always flags")), ("refuse", _("always refuses"))]
OF_TENANT: Final = ("due_hours", "undo_minutes", "on_reject", "tells_members")
TEMPLATES_MAX, TEMPLATE_LENGTH_MAX = 30, 300


@dataclass(frozen=True, slots=True)
class Row:
    """A signal's line: its fields, and how often it was right lately, where it was seen in decided cases."""

    signal: Signal
    mode: BoundField
    weight: BoundField
    always: BoundField
    params: tuple[tuple[Any, BoundField, int, int], ...]
    is_changed: bool
    precision: Precision | None

    @property
    def right(self) -> str:
        """How often it was right, in percent; "" where nobody has decided about it."""
        return f"{round(100 * self.precision.share)} %" if self.precision else ""

    @property
    def errors(self) -> list[str]:
        """What is wrong with the line."""
        fields = (self.mode, self.weight, self.always, *(field for _label, field, _low, _high in self.params))
        return [str(error) for field in fields for error in field.errors]


class SignalsForm(forms.Form):
    """Thresholds and signals: of a policy, or of what is tried beside it. A field that is left empty is the base's."""

    def __init__(self, *args: Any, shown: Policy, base: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base, self.shown = base, shown
        self.fields["flag_from"] = _number(1, THRESHOLD_MAX, shown.flag_from, required=True)
        self.fields["flag_from"].label = _("flag from")
        self.fields["flag_from"].help_text = _("A reward whose signals weigh this much waits for a moderator.")
        self.fields["refuse_from"] = _number(1, THRESHOLD_MAX, shown.refuse_from, required=True)
        self.fields["refuse_from"].label = _("refuse from")
        self.fields["refuse_from"].help_text = _(
            "One whose signals weigh this much is not given at all. What others can bring about does not count here."
        )
        for signal in SIGNALS:
            self.fields |= dict(_fields(signal, shown.settings[signal.name]))

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        flag_from, refuse_from = told.get("flag_from"), told.get("refuse_from")
        if flag_from and refuse_from and refuse_from <= flag_from:
            self.add_error("refuse_from", _("What refuses must be more than what flags."))
        return told

    def wanted(self) -> Policy:
        """Return the policy that a valid form says."""
        told = self.cleaned_data
        settings = {each.name: _setting(each, told, self.base.settings[each.name]) for each in SIGNALS}
        return Policy(told["flag_from"], told["refuse_from"], settings)

    def rows(self, precisions: Mapping[str, Precision]) -> Iterator[Row]:
        """Yield the lines of the signals, in the order in which they are looked at."""
        for signal in SIGNALS:
            name = signal.name
            params = tuple(
                (each.label, self[f"{name}__{key}"], each.minimum, each.maximum) for key, each in signal.params.items()
            )
            yield Row(
                signal=signal,
                mode=self[f"{name}__mode"],
                weight=self[f"{name}__weight"],
                always=self[f"{name}__always"],
                params=params,
                is_changed=self.shown.settings[name] != self.base.settings[name],
                precision=precisions.get(name),
            )


class TenantForm(SignalsForm):
    """The tenant's own policy: what campaigns' policies do not say stands here, too."""

    def __init__(self, *args: Any, row: FraudPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        for name in OF_TENANT:
            self.fields[name] = FraudPolicy._meta.get_field(name).formfield(initial=getattr(row, name))  # type: ignore[union-attr,assignment]
            looks = {} if name == "tells_members" else {"class": "field", "style": "max-width: 100%"}
            self.fields[name].widget.attrs.update(looks)
        for name, maximum in (("due_hours", 720), ("undo_minutes", 1440)):
            least = 1 if name == "due_hours" else 0
            was = self.fields[name]
            self.fields[name] = _number(least, maximum, getattr(row, name), required=True, like=was)
        self.fields["reason_templates"] = forms.CharField(
            label=_("reasons to choose from"),
            required=False,
            initial="\n".join(row.reason_templates),
            widget=forms.Textarea(attrs={"class": "field", "rows": 4, "style": "width: 100%"}),
            help_text=_("One a line. Moderators choose from them, and from those that come with Sarafan."),
        )

    def clean_reason_templates(self) -> list[str]:
        """Return the sentences, each once."""
        found = list(dict.fromkeys(line.strip() for line in self.cleaned_data["reason_templates"].splitlines()))
        told = [each for each in found if each]
        if len(told) > TEMPLATES_MAX or any(len(each) > TEMPLATE_LENGTH_MAX for each in told):
            raise forms.ValidationError(_("Up to 30 reasons, of 300 characters at most."))
        return told

    def fill(self, row: FraudPolicy) -> None:
        """Give a row what a valid form says besides the signals."""
        for name in (*OF_TENANT, "reason_templates"):
            setattr(row, name, self.cleaned_data[name])


def _fields(signal: Signal, shown: Setting) -> Iterator[tuple[str, forms.Field]]:
    name = signal.name
    yield f"{name}__mode", _choice(MODES, shown.mode, _("use"), signal)
    weight = _number(0, WEIGHT_MAX, shown.weight)
    weight.widget.attrs["aria-label"] = _called(_("weight"), signal)
    yield f"{name}__weight", weight
    yield f"{name}__always", _choice(ALWAYS, shown.always, _("decides"), signal)
    for key, each in signal.params.items():
        yield f"{name}__{key}", _number(each.minimum, each.maximum, shown.params[key])


def _choice(choices: list[tuple[str, Any]], initial: str, what: type_of_text, signal: Signal) -> forms.ChoiceField:
    widget = forms.Select(attrs={"class": "field", "aria-label": _called(what, signal)})
    return forms.ChoiceField(choices=choices, initial=initial, required=False, widget=widget)


def _called(what: type_of_text, signal: Signal) -> str:
    """Return what a field is called for who hears the page: its column, and its line."""
    return f"{what}: {signal.short}"


def _number(
    minimum: int, maximum: int, initial: int, *, required: bool = False, like: forms.Field | None = None
) -> forms.IntegerField:
    field = forms.IntegerField(
        min_value=minimum,
        max_value=maximum,
        initial=initial,
        required=required,
        widget=forms.NumberInput(attrs={"class": "field"}),
    )
    if like is not None:
        field.label, field.help_text = like.label, like.help_text
    return field


def _setting(signal: Signal, told: Mapping[str, Any], base: Setting) -> Setting:
    def said(key: str, otherwise: Any) -> Any:
        value = told.get(f"{signal.name}__{key}")
        return otherwise if value in {None, ""} else value

    always = told.get(f"{signal.name}__always")
    is_told = bool(told.get(f"{signal.name}__mode"))
    return Setting(
        mode=said("mode", base.mode),
        weight=said("weight", base.weight),
        # Nothing is a choice here, where the line was sent at all.
        always=(always or "") if is_told else base.always,
        params={key: said(key, base.params[key]) for key in signal.params},
    )
