"""The rows of a rule's form that say what it gives besides: what, and how many of it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from unfold import widgets

from campaigns import giving

EXTRAS_MAX: Final = 5
NUMBER_LENGTH_MAX: Final = 20

type_of_extra = dict[str, Any]


class ExtrasWidget(forms.MultiWidget):
    """Rows of a choice and an amount. Its value is flat: choice, amount, choice, amount."""

    def __init__(self) -> None:
        super().__init__([each for _number in range(EXTRAS_MAX) for each in _row()])

    def decompress(self, value: Any) -> list[Any]:
        return [""] * len(self.widgets)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        parts = [self._part(each, renderer) for each in self.get_context(name, value, attrs)["widget"]["subwidgets"]]
        rows = format_html_join("", '<div class="extra">{}{}</div>', zip(parts[::2], parts[1::2], strict=True))
        return format_html('<div class="extras" data-extras role="group">{}</div>', rows)

    def _part(self, part: dict[str, Any], renderer: Any) -> SafeString:
        # A template for each of many options, in each of many rows, would be most of the page's time.
        groups, part["optgroups"] = part.get("optgroups") or (), []
        options = [_group(label, choices) for label, choices, _index in groups]
        shown = self._render(part["template_name"], {"widget": part}, renderer)  # type: ignore[attr-defined]
        whole: SafeString = mark_safe(shown.replace("</select>", f"{''.join(options)}</select>", 1))  # noqa: S308 (escaped)
        return whole


class ExtrasField(forms.Field):
    """Up to five things, each with its amount; what is stored is a rule's `extras`. An empty row is nothing."""

    widget = ExtrasWidget

    def offer(self, groups: giving.type_of_groups) -> None:
        """Set what can be chosen."""
        self.values = {value for _label, group in groups for value, _name in group}
        rows = self.widget.widgets
        for number, (choice, amount) in enumerate(zip(rows[::2], rows[1::2], strict=True), start=1):
            choice.choices = [("", gettext("nothing")), *groups]  # type: ignore[attr-defined]
            choice.attrs["aria-label"] = gettext("What is given with it, line %(number)s") % {"number": number}
            amount.attrs["aria-label"] = gettext("How much of it, line %(number)s") % {"number": number}

    def clean(self, value: Any) -> list[type_of_extra]:
        found: list[type_of_extra] = []
        errors = []
        for number, (chosen, typed) in enumerate(_pairs(value or ()), start=1):
            try:
                found += self._read(chosen, typed)
            except ValueError as wrong:
                errors.append(gettext("Line %(number)s: %(problem)s") % {"number": number, "problem": wrong})
        if errors:
            raise ValidationError(errors)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(_pairs(initial or ())) != list(_pairs(data or ()))

    def _read(self, chosen: str, typed: str) -> Iterator[type_of_extra]:
        if not chosen:
            if typed:
                raise ValueError(gettext("Of what?"))
            return
        if chosen not in self.values:
            raise ValueError(gettext("This cannot be given any more: choose another."))
        kind, what = giving.split(chosen)
        asked = giving.ask(kind=kind, what=what)
        amount = giving.units_of(_number(typed) if asked else Decimal(1), asked)
        if problem := giving.problem(kind=kind, what=what, amount=amount):
            raise ValueError(problem)
        yield {"kind": kind, "what": what, "amount": amount}


def flat(extras: Sequence[type_of_extra]) -> list[str]:
    """Return a rule's extras as the rows show them."""
    told = []
    for each in extras:
        asked = giving.ask(kind=each["kind"], what=each["what"])
        amount = f"{giving.number_of(each['amount'], asked)}" if asked else ""
        told += [giving.value_of(each["kind"], each["what"]), amount]
    return told


def _row() -> tuple[forms.Widget, forms.Widget]:
    typed = {"inputmode": "decimal", "autocomplete": "off", "maxlength": NUMBER_LENGTH_MAX}
    return widgets.UnfoldAdminSelectWidget(), widgets.UnfoldAdminTextInputWidget(attrs=typed)


def _group(label: str | None, choices: Sequence[dict[str, Any]]) -> SafeString:
    options = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((each["value"], SafeString(" selected") if each["selected"] else "", each["label"]) for each in choices),
    )
    return format_html('<optgroup label="{}">{}</optgroup>', label, options) if label else options


def _pairs(values: Sequence[Any]) -> Iterator[tuple[str, str]]:
    texts = [str(each or "").strip() for each in values]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    # Rows are kept where they stand, so that a sentence about line 3 means the third.
    while pairs and pairs[-1] == ("", ""):
        pairs.pop()
    yield from pairs


def _number(typed: str) -> Decimal:
    plain = "".join(typed.split()).replace(",", ".")
    if not plain:
        raise ValueError(gettext("How much of it?"))
    try:
        number = Decimal(plain[:NUMBER_LENGTH_MAX])
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(gettext("Enter a number."))
    return number
