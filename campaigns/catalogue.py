"""What the form's script needs to know of events and rewards: labels, fields, comparisons, and its own words."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from campaigns import field_choices, giving, wording
from campaigns.conditions import CONDITIONS_MAX
from events.fields import Field, FieldType
from events.kinds import ALL, CUSTOM
from tenants import context


def told() -> dict[str, Any]:
    """Return it as JSON can hold it, in the active language."""
    return {
        "custom": CUSTOM,
        "kinds": {
            kind.name: {
                "meaning": str(kind.meaning),
                "fields": [_field(field) for field in kind.fields],
                "has_amount": any(field.name == "amount_minor" for field in kind.fields),
            }
            for kind in ALL.values()
            if kind.is_trigger
        },
        "gives": {value: _asked(value) for _label, group in giving.choices() for value, _name in group},
        "shared": [kind for kind in settings.REWARD_KINDS if giving.is_shared(kind)],
        "operators": {name: str(label) for name, label in wording.OPERATORS.items()},
        "rows_max": CONDITIONS_MAX,
        "currency": context.current().currency,
        "words": {
            "add": gettext("Add a condition"),
            "remove": gettext("Remove this condition"),
            "field": gettext("What is compared"),
            "operator": gettext("How it is compared"),
            "value": gettext("With what"),
            "yes": gettext("Yes"),
            "no": gettext("No"),
            "several": gettext("several, with commas between"),
            "example": gettext("for example %s"),
            "unknown": gettext("%s (not of this event)"),
            "offered": gettext("There are: %s"),
            "add_extra": gettext("Add something"),
            "remove_extra": gettext("Remove this"),
        },
    }


def _asked(value: str) -> dict[str, Any] | None:
    """Return how the amount of a choice is asked for; None where there is always one."""
    kind, what = giving.split(value)
    asked = giving.ask(kind=kind, what=what)
    if asked is None:
        return None
    offered = [wording.decimal(giving.number_of(each, asked), digits=asked.digits) for each in asked.offered]
    return {"label": asked.label, "digits": asked.digits, "offered": offered}


def _field(field: Field) -> dict[str, Any]:
    example: Any = field.example
    if field.type == FieldType.MONEY and isinstance(example, int):
        example = wording.money(example)
    return {
        "name": field.name,
        "label": str(field.label),
        "type": str(field.type),
        "operators": [str(operator) for operator in field.operators],
        "choices": [[value, name] for value, name in field_choices.names_of(field).items()],
        "example": str(example),
    }
