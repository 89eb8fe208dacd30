"""What a rule can say of spins and tickets: whole chances, each used up by one turn or draw."""

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import wording
from rewards.kinds.shelf import Unit
from rewards.kinds.units import UnitTerms

# Whose code is its kind needs no name besides.
PLAIN = {"spin", "spins", "ticket", "tickets"}


class SpinTerms(UnitTerms):
    """So many spins of a wheel, or tickets of a lottery."""

    is_shared = False

    def asked(self, unit: Unit) -> str:
        return gettext("How many")

    def said(self, unit: Unit, amount: int) -> str:
        count = {"count": wording.whole(amount)}
        if unit.line.kind == "ticket":
            told = ngettext("%(count)s ticket", "%(count)s tickets", amount) % count
        else:
            told = ngettext("%(count)s spin", "%(count)s spins", amount) % count
        if unit.line.code in PLAIN:
            return told
        return gettext("%(told)s of “%(name)s”") % {"told": told, "name": unit.line.name}


TERMS = SpinTerms(label=_("Spins and tickets"), kinds=("spin", "ticket"))
