"""What the kinds that are counted in units of an asset have in common."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext

from campaigns import wording
from campaigns.giving import Ask, type_of_choices
from rewards import units
from rewards.kinds import shelf
from rewards.kinds.shelf import Unit


class UnitTerms:
    """So many units of an asset of these kinds. `what` is the asset's code; "" is `default`'s."""

    is_counted = True
    is_shared = True

    def __init__(self, *, label: str | Promise, kinds: tuple[str, ...], default: str = "") -> None:
        self.label = label
        self.kinds = kinds
        self.default = default

    def choices(self) -> type_of_choices:
        return [
            ("" if code == self.default else code, self.title(unit))
            for code, unit in shelf.units().items()
            if unit.is_active and unit.line.kind in self.kinds
        ]

    def ask(self, *, what: str) -> Ask | None:
        unit = self.find(what)
        return Ask(self.asked(unit), unit.line.scale) if unit else Ask(gettext("How many"))

    def problem(self, *, what: str, amount: int | None) -> str | None:
        unit = self.find(what)
        if unit is None:
            return gettext("There is no asset “%(code)s”: choose another.") % {"code": what}
        if not unit.is_active:
            told = {"name": unit.line.name}
            return gettext("“%(name)s” is not in use: switch the asset on, or choose another.") % told
        if amount is not None and amount < 1:
            return gettext("How many? At least the smallest part of one.")
        return None

    def advice(self, *, what: str, amount: int | None) -> Sequence[str]:
        return ()

    def words(self, *, what: str, amount: int) -> str:
        unit = self.find(what)
        return self.said(unit, amount) if unit else units.named(wording.whole(amount), what)

    def unit(self, *, what: str) -> str:
        unit = self.find(what)
        return unit.line.name if unit else what

    def may_owe(self, *, what: str) -> bool:
        unit = self.find(what)
        return bool(unit and unit.line.may_owe)

    def at_hand(self) -> AbstractContextManager[None]:
        return shelf.at_hand()

    # What a kind says in its own way

    def title(self, unit: Unit) -> str:
        """Return what an asset is called among the choices."""
        return unit.line.name

    def asked(self, unit: Unit) -> str:
        """Return how its amount is asked for."""
        return unit.line.name

    def said(self, unit: Unit, amount: int) -> str:
        """Return so much of an asset as a part of a sentence."""
        return units.named(amount_of(unit, amount), unit.line.name)

    def find(self, what: str) -> Unit | None:
        """Return an asset of this kind by its code."""
        unit = shelf.units().get(what or self.default)
        return unit if unit and unit.line.kind in self.kinds else None


def amount_of(unit: Unit, amount: int) -> str:
    """Return an amount of an asset as people write it: 1250 units of two digits are 12.50."""
    return wording.decimal(Decimal(amount).scaleb(-unit.line.scale), digits=unit.line.scale)
