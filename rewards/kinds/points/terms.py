"""What a rule can say of points, and of whatever else the tenant counts beside them."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import wording
from rewards.assets import POINTS
from rewards.kinds.shelf import Unit
from rewards.kinds.units import UnitTerms


class PointsTerms(UnitTerms):
    """Points of the programme, or a second currency such as stars."""

    def asked(self, unit: Unit) -> str:
        return gettext("Points") if unit.line.code == POINTS else unit.line.name

    def said(self, unit: Unit, amount: int) -> str:
        if unit.line.code == POINTS and not unit.line.scale:
            return wording.points(amount)
        return super().said(unit, amount)


TERMS = PointsTerms(label=_("Points and assets"), kinds=("points",), default=POINTS)
