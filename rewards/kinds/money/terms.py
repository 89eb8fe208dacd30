"""What a rule can say of money that is owed to a member until it is paid out."""

from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import wording
from core.money import digits_of
from rewards.kinds.shelf import Unit
from rewards.kinds.units import UnitTerms


class MoneyTerms(UnitTerms):
    """So much money, in the asset's currency."""

    def title(self, unit: Unit) -> str:
        return gettext("%(name)s (%(currency)s)") % {"name": unit.line.name, "currency": unit.line.currency}

    def asked(self, unit: Unit) -> str:
        return gettext("Amount, %(currency)s") % {"currency": unit.line.currency}

    def said(self, unit: Unit, amount: int) -> str:
        amount_minor = Decimal(amount).scaleb(digits_of(unit.line.currency) - unit.line.scale)
        return wording.money(int(amount_minor), unit.line.currency)


TERMS = MoneyTerms(label=_("Money"), kinds=("money",))
