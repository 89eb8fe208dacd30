"""Why something was posted, or is on its way, in sentences for its member. Nothing of a friend's own is in them."""

import re
from collections.abc import Callable
from typing import Any, Final

from django.db.models import Case, QuerySet, When
from django.db.models.fields.json import KeyTextTransform
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from events.kinds import label_of
from rewards import builtin, cancelling
from rewards.models import Posting, Redemption, Reward

type_of_text = str | Promise

Reason = Posting.Reason
Purpose = Redemption.Purpose
Status = Redemption.Status

ORDER_PAID: Final = "order.paid"
JOINED: Final = "member.joined"
CUSTOM: Final = "custom."


def told(postings: QuerySet[Posting]) -> QuerySet[Posting]:
    """Return postings with all that `of_posting` tells of them, in one statement."""
    wanted = postings.select_related(
        "source__asset",
        "target__asset",
        "reward__campaign",
        "reward__order",
        "reward__rule",
        "reward__event",
        "redemption__gift",
        "redemption__asset",
    )
    # An event keeps all that was reported: of it the kind is told, and why somebody has issued something.
    bare = wanted.defer("reward__event__data", "reward__event__trace", "reward__event__identities")
    issued = When(reward__event__kind=builtin.TRIGGER, then=KeyTextTransform("reason", "reward__event__data"))
    return bare.annotate(issued_why=Case(issued))


def of_posting(posting: Any) -> str:
    """Return why a posting was made. It is one of those that `told` gives."""
    if posting.reason == Reason.GRANT and posting.issued_why:
        return str(_("Issued by hand: %(reason)s") % {"reason": posting.issued_why})
    if posting.reward is not None and posting.key.endswith(cancelling.REFUND):
        return str(_("Taken back by hand (%(campaign)s)") % {"campaign": posting.reward.campaign.name})
    if posting.reward is not None:
        return of_reward(posting.reward, reason=posting.reason)
    if posting.redemption is not None:
        return of_redemption(posting.redemption, reason=posting.reason)
    if posting.reason == Reason.ADJUST:
        return str(_("Changed by hand: %(note)s") % {"note": posting.note})
    return str(OF_REASON.get(posting.reason) or Reason(posting.reason).label)


def of_reward(reward: Reward, *, reason: str = Reason.GRANT) -> str:
    """Return what a reward is for, or why it was taken back."""
    # A friend's order is the friend's own business.
    order = reward.order.number if reward.order and reward.side != Reward.Side.INVITER else ""
    of_reason = {Reason.UNDO: _undone, Reason.REFUND: _refunded}.get(Reason(reason), _earned)
    return str(of_reason(reward, order) % {"campaign": reward.campaign.name, "order": order})


def of_redemption(redemption: Redemption, *, reason: str) -> str:
    """Return what was spent or set aside, and what became of it: a line of the past tells how it ended."""
    of_purpose: dict[str, Callable[[Redemption, str], type_of_text]] = {
        Purpose.ORDER: _for_order,
        Purpose.PURCHASE: _for_gift,
        Purpose.PAYOUT: _for_payout,
    }
    told = {
        "order": redemption.order_number,
        "gift": redemption.gift.name if redemption.gift else "",
        "reference": redemption.reference,
    }
    return str(of_purpose[redemption.purpose](redemption, reason) % told)


def of_event(kind: str) -> str:
    """Return what a member is told that happens: "Order paid"; of a kind of the tenant's own its name, in words."""
    if not kind.startswith(CUSTOM):
        return label_of(kind)
    return re.sub("[._]+", " ", kind.removeprefix(CUSTOM)).strip().capitalize() or kind


def inside(sentence: str) -> str:
    """Return a sentence as it stands after a colon."""
    return sentence[:1].lower() + sentence[1:]


def _undone(reward: Reward, order: str) -> type_of_text:
    return _("Taken back: a decision was undone (%(campaign)s)")


def _refunded(reward: Reward, order: str) -> type_of_text:
    if order:
        return _("Taken back: order %(order)s was refunded (%(campaign)s)")
    return _("Taken back: a friend's order was refunded (%(campaign)s)")


def _earned(reward: Reward, order: str) -> type_of_text:
    if reward.side == Reward.Side.INVITER:
        return _brought(reward)
    if order:
        return _("For order %(order)s (%(campaign)s)")
    if reward.side == Reward.Side.INVITEE and reward.event.kind == JOINED:
        return _("You joined on a friend's invitation (%(campaign)s)")
    return _("Earned (%(campaign)s)")


def _brought(reward: Reward) -> type_of_text:
    if reward.event.kind == JOINED:
        return _("Your friend joined (%(campaign)s)")
    if reward.event.kind == ORDER_PAID and reward.rule.order_number == "first":
        return _("Your friend paid the first order (%(campaign)s)")
    if reward.event.kind == ORDER_PAID:
        return _("Your friend paid an order (%(campaign)s)")
    return _("For a friend who was invited (%(campaign)s)")


def _for_order(redemption: Redemption, reason: str) -> type_of_text:
    if reason == Reason.RETURN:
        return _("Given back: order %(order)s was returned")
    if reason == Reason.RELEASE:
        if redemption.status == Status.RELEASED:
            return _("Given back: order %(order)s was not paid")
        return _("Given back: order %(order)s needed less")
    if redemption.status == Status.RESERVED:
        return _("Set aside for order %(order)s")
    if redemption.status == Status.RELEASED:
        return _("Set aside for order %(order)s, which was not paid")
    return _("Spent on order %(order)s")


def _for_gift(redemption: Redemption, reason: str) -> type_of_text:
    if reason in {Reason.RETURN, Reason.RELEASE}:
        return _("Given back: “%(gift)s” was cancelled")
    return _("Spent on “%(gift)s”")


def _for_payout(redemption: Redemption, reason: str) -> type_of_text:
    if reason == Reason.RELEASE:
        return _("Given back: it could not be paid out")
    if redemption.status == Status.CAPTURED:
        return _("Paid out to you, reference %(reference)s")
    if redemption.status == Status.RELEASED:
        return _("Set aside to be paid out to you, which failed")
    return _("Set aside to be paid out to you")


OF_REASON: Final[dict[str, Any]] = {Reason.EXPIRE: _("Expired: their last day was over")}
