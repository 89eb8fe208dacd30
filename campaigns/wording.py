"""Plain words for what a rule asks and gives, in the reader's language and the tenant's currency."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel import Locale, numbers
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import field_choices
from campaigns.conditions import Problem
from campaigns.definitions import Condition
from core.money import digits_of, format_money, to_major
from events.fields import Field, FieldType
from events.kinds import CUSTOM, find_kind, label_of
from tenants import context

OPERATORS = {
    "at_least": _("is at least"),
    "at_most": _("is at most"),
    "equals": _("is exactly"),
    "not_equals": _("is not"),
    "one_of": _("is one of"),
    "contains": _("contains"),
    "is": _("is"),
}
PHRASES = {
    "at_least": _("%(field)s is %(value)s or more"),
    "at_most": _("%(field)s is %(value)s or less"),
    "equals": _("%(field)s is %(value)s"),
    "not_equals": _("%(field)s is not %(value)s"),
    "one_of": _("%(field)s is one of %(value)s"),
    "contains": _("%(field)s contains %(value)s"),
    "is": _("%(field)s: %(value)s"),
}
PROBLEMS = {
    "not_a_list": _("Conditions are a list of rows."),
    "too_many": _("At most %(limit)s conditions."),
    "not_a_row": _("A condition is a field, a comparison and a value."),
    "unknown_field": _("This kind of event has no field “%(field)s”."),
    "unknown_operator": _("“%(field)s” cannot be compared like this."),
    "value_missing": _("“%(field)s” is compared with nothing: give a value."),
    "too_many_values": _("At most 50 values for “%(field)s”."),
    "not_whole": _("“%(field)s” is compared with a number."),
    "not_yes_or_no": _("“%(field)s” is either yes or no."),
    "text_too_long": _("The value for “%(field)s” is longer than 200 characters."),
}


def whole(number: int) -> str:
    """Return a number as people write it: 10,000."""
    return str(number_format(number, use_l10n=True, force_grouping=True))


def points(number: int) -> str:
    """Return an amount of points."""
    return ngettext("%(points)s point", "%(points)s points", number) % {"points": whole(number)}


def percent(rate_bps: int) -> str:
    """Return a rate as people write it: 250 is 2.5%."""
    places = 0 if rate_bps % 100 == 0 else 1 if rate_bps % 10 == 0 else 2
    return f"{number_format(rate_bps / 100, decimal_pos=places, use_l10n=True)}%"


def decimal(number: Decimal, *, digits: int) -> str:
    """Return an amount with so many digits after its point, and without a fraction of zeros."""
    places = digits if number % 1 else 0
    return str(number_format(number, decimal_pos=places, use_l10n=True, force_grouping=True))


def money(amount_minor: int, currency: str = "") -> str:
    """Return an amount in a currency, or in the tenant's, without a fraction of zeros."""
    currency = currency or context.current().currency
    shown = format_money(amount_minor, currency, get_language() or "en")
    digits = digits_of(currency)
    if not digits or to_major(amount_minor, currency) % 1:
        return shown
    symbol = numbers.get_decimal_symbol(Locale.parse(get_language() or "en", sep="-"))
    return shown.replace(symbol + "0" * digits, "", 1)


def listed(parts: Iterable[str]) -> str:
    """Return parts of a sentence as one: 100 points, a mug and a spin."""
    *others, last = parts
    if not others:
        return last
    return gettext("%(first)s and %(last)s") % {"first": gettext(", ").join(others), "last": last}


def instant(at: datetime) -> str:
    """Return a point in time, by the reader's clock."""
    local = localtime(at)
    return gettext("%(date)s, %(time)s") % {"date": date_format(local, "DATE_FORMAT"), "time": f"{local:%H:%M}"}


def kind(trigger: str) -> str:
    """Return what a kind of event is called."""
    return label_of(trigger)


def fields_of(trigger: str) -> tuple[Field, ...]:
    """Return what can be asked of a kind of event: nothing, if there is no such kind."""
    found = find_kind(trigger)
    return found.fields if found and (found.is_trigger or found.name == CUSTOM) else ()


def find_field(trigger: str, name: str) -> Field | None:
    """Return a field of a kind of event by its name."""
    return next((each for each in fields_of(trigger) if each.name == name), None)


def condition(asked: Condition, *, trigger: str) -> str:
    """Return a condition as a part of a sentence: order amount is $50 or more."""
    field = find_field(trigger, asked.field)
    label = _lowered(field.label) if field else asked.field
    phrase = PHRASES.get(asked.operator, PHRASES["equals"])
    return str(phrase % {"field": label, "value": value(asked.value, field)})


def value(given: Any, field: Field | None) -> str:
    """Return a value of a condition, or one that was found, as people write it."""
    if isinstance(given, (list, tuple)):
        return gettext(", ").join(value(each, field) for each in given)
    if isinstance(given, bool):
        return gettext("yes") if given else gettext("no")
    if isinstance(given, int):
        return money(given) if field and field.type == FieldType.MONEY else whole(given)
    return gettext("“%(text)s”") % {"text": name_of(given, field)}


def name_of(given: Any, field: Field | None) -> Any:
    """Return what a value is called that is one of a list: the level with the code gold is Gold."""
    return field_choices.names_of(field).get(given, given) if field and field.type == FieldType.CHOICE else given


def problem(found: Problem, *, trigger: str) -> str:
    """Return what is wrong with a row of conditions, as a sentence."""
    params = dict(found.params)
    if field := find_field(trigger, str(params.get("field", ""))):
        params["field"] = field.label
    return str(PROBLEMS[found.code] % params)


def _lowered(label: str | Promise) -> str:
    # An abbreviation such as UTM keeps its capitals.
    text = str(label)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
