"""Fields of forms that ask for amounts, and rows that are meant although nobody has touched them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from unfold import widgets

from core.errors import Failure
from core.money import to_major, to_minor
from tenants import context

POINTS_MAX = 10**9
AMOUNT_MAX = 10**9


def points_field(**told: Any) -> forms.IntegerField:
    """Return a field for an amount of points."""
    return forms.IntegerField(min_value=1, max_value=POINTS_MAX, widget=widgets.UnfoldAdminIntegerFieldWidget(), **told)


class MoneyField(forms.DecimalField):
    """An amount in the tenant's currency: people write its units, a row has minor units."""

    def __init__(self, **told: Any) -> None:
        widget = widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "any"})
        super().__init__(**{"min_value": 0, "max_value": AMOUNT_MAX, "widget": widget, **told})

    def prepare_value(self, value: Any) -> Any:
        return to_major(value, context.current().currency) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        amount = super().clean(value)
        if amount is None:
            return None
        try:
            amount_minor = to_minor(amount, context.current().currency)
        except Failure as failure:
            raise ValidationError(str(failure)) from failure
        if amount_minor < 1:
            raise ValidationError(gettext("It must be more than 0."))
        return amount_minor

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True


class NewRowForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row that is there is meant, even if nobody has touched what it proposes."""

    def has_changed(self) -> bool:
        return self.instance._state.adding or super().has_changed()
