"""The reasons that moderators choose from when they decide: ours, and those of the tenant's policy."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from antifraud.models import Decision, FraudPolicy
from core.errors import type_of_text

OURS: Final[dict[str, tuple[type_of_text, ...]]] = {
    Decision.Action.APPROVE: (
        _("A family or a household that shares a device."),
        _("The customer was asked and has explained it."),
        _("A real customer: orders, payments and delivery agree."),
    ),
    Decision.Action.REJECT: (
        _("The same person on both sides."),
        _("The friend was a customer before."),
        _("Made for the reward only: nobody has really bought anything."),
        _("The order was returned, or will be."),
        _("One of our own staff."),
    ),
}


def suggested(*, action: str) -> list[str]:
    """Return the reasons to choose from for an action (`Decision.Action`), the tenant's own first, each once."""
    own: list[str] = FraudPolicy.objects.values_list("reason_templates", flat=True).get(singleton=True)
    return list(dict.fromkeys([*own, *map(str, OURS[action])]))
