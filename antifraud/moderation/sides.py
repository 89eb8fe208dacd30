"""Whose rewards a rejection takes: those of both sides of a referral, or of one, and then the other's are released."""

from collections.abc import Collection
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Invalid
from rewards.models import Reward

BOTH: Final = "both"
# What a rejection takes (`Decision.sides`) → the side that it spares. What is nobody's side is never spared.
SPARED: Final[dict[str, str]] = {
    BOTH: "",
    "inviter": Reward.Side.INVITEE,
    "invitee": Reward.Side.INVITER,
}


class UnknownSides(Invalid):
    """A rejection takes both sides, the inviter's or the friend's."""

    message = _("Say whose reward is rejected: both sides', the inviter's or the friend's.")


class NothingToReject(Conflict):
    """The side that should be rejected has no reward in this case: the rejection would only pay."""

    message = _("That side has no reward in this case, so that nothing would be rejected.")


def choose(*, waiting: Collection[str], wanted: str | None, policy: str) -> str:
    """
    Return whose rewards a rejection takes. `waiting` are the sides of the case's flagged rewards.

    Without a wish it is as the policy says, or both sides where the policy's has nothing to refuse: a rejection that
    pays everything is no rejection.

    :raises UnknownSides:
    :raises NothingToReject: if the side that is wanted has nothing to refuse.
    """
    chosen = wanted or policy
    if chosen not in SPARED:
        raise UnknownSides
    if not waiting or any(not is_spared(side=side, sides=chosen) for side in waiting):
        return chosen
    if wanted:
        raise NothingToReject
    return BOTH


def is_spared(*, side: str, sides: str) -> bool:
    """Tell whether a rejection of these sides releases a reward of this one."""
    return side == SPARED[sides]
