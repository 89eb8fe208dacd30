"""What moderators decided about this inviter before, and what members owe."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _


def of_inviter(case: Observed, setting: Setting) -> Found | None:
    """Return what was rejected of the inviter's lately. What was approved lightens it, never below nothing."""
    traits = case.parties[0].traits
    weight = min(traits.rejected, setting.params["count_max"]) * setting.weight
    weight -= traits.approved * setting.params["approved"]
    if weight <= 0:
        return None
    return Found({"rejected": traits.rejected, "approved": traits.approved}, weight=weight)


def owes(case: Observed, setting: Setting) -> Found | None:
    """Return how much whoever would be rewarded still owes."""
    owed = next(party.traits.owes for party in case.parties if party.id == case.member_id)
    return Found({"rewards": owed}) if owed else None


SIGNALS = (
    Signal(
        name="inviter_record",
        short=_("Rejected before"),
        meaning=_(
            "Moderators rejected rewards for friends of this inviter in the last 90 days; approved ones lighten it."
        ),
        sentence=_("%(rejected)s cases of this inviter were rejected lately, %(approved)s approved."),
        weight=25,
        observe=of_inviter,
        of_others=True,
        params={
            "approved": Param(10, 0, 1000, _("weight that each approved case takes off")),
            "count_max": Param(2, 1, 40, _("rejected cases that count, at most")),
        },
    ),
    Signal(
        name="owes",
        short=_("Owes for a refund"),
        meaning=_("A refund should have taken back what this member had already seen, used or been sent."),
        sentence=_("The member keeps what refunds should have taken back: %(rewards)s rewards."),
        weight=50,
        observe=owes,
    ),
)
