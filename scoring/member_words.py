"""
What is said to a member of what deciding made of an event: plain, and nothing that helps whoever tries to cheat.

Whatever a check has seen is "being checked" while it waits, and gives nothing once it is refused, as any rule that does
not apply. Of a friend no more is told than that there is one.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import type_of_text
from events.models import Event
from rewards import sentences, units
from rewards.models import Reward
from scoring import why
from tenants import context

Status = Reward.Status

GIVEN, COMING, CHECKING, NOTHING, TAKEN_BACK, WAITING = (
    *("given", "coming", "checking", "nothing"),
    *("taken_back", "waiting"),
)
STATES: Final = (GIVEN, COMING, CHECKING, NOTHING, TAKEN_BACK, WAITING)

NOTHING_GIVEN: Final = _("It brought nothing.")
NOT_FOR_THIS: Final = _("The offer gives nothing for this.")
USED_UP: Final = _("As much as the offer gives was given already.")
NOT_TO_BE_HAD: Final = _("What the offer gives could not be had.")
NOT_RUNNING: Final = _("The offer was not running.")

# Code of scoring.why → what a member is told of it. An empty one is not told. A test holds it to the codes there are.
SENTENCES: Final[dict[str, type_of_text]] = {
    # Who brought whom
    "referred": _("You joined on a friend's invitation."),
    "not_invited": "",
    "unknown_code": _("There is no such invitation code."),
    "unknown_click": _("The invitation link is not known."),
    "outside_window": _("The invitation link was opened too long ago."),
    "self_referral": _("Nobody can invite themselves."),
    "already_referred": _("You were invited before, and by whom never changes."),
    "existing_member": _("You were a customer before: invitations are for new ones."),
    "already_joined": _("You had joined before."),
    "loop": _("You had invited the friend who now invites you."),
    # The offer
    "chain_too_long": "",
    "no_rule": _("There is no offer for this."),
    "campaign_not_started": _("The offer begins on %(starts_at)s."),
    "campaign_over": _("The offer ended on %(ends_at)s."),
    "campaign_paused": NOT_RUNNING,
    "campaign_ended": NOT_RUNNING,
    "campaign_draft": "",
    "exclusive_group": _("Another offer has rewarded this already."),
    # Its rule
    "not_referred": _("The offer is for friends who were invited."),
    "not_first_order": _("The offer is for the first order only."),
    "not_repeat_order": _("The offer is for the second and later orders."),
    "field_missing": _("The offer asks for something that is not known of this: %(field)s."),
    "condition": _("The offer asks that %(condition)s."),
    "no_condition": _("This is not what the offer asks for."),
    "amount_zero": _("By the offer's rate this comes to nothing."),
    "already_rewarded": _("The offer has rewarded this already."),
    # How much there is
    "member_blocked": NOT_FOR_THIS,
    "limit_count": USED_UP,
    "limit_points": USED_UP,
    "limit_cost": USED_UP,
    "budget": USED_UP,
    "budget_cost": USED_UP,
    "balance_max": _("You have as much as one may have."),
    "not_available": NOT_TO_BE_HAD,
    "incomplete": NOT_TO_BE_HAD,
    # What came of it, where there is no reward to tell of
    "granted": "",
    "promised": "",
    "promise_kept": "",
    "pending": "",
    "flagged": "",
    "refused": NOT_FOR_THIS,
    "refunded": "",
    "below_threshold": "",
    "not_taken_back": "",
    "nothing_to_take_back": _("The order had brought nothing that could be taken back."),
}
# Of a friend's doing: what is the friend's own business, and what no offer asks about.
NOT_OF_A_FRIEND: Final = frozenset(
    {
        *("no_rule", "not_first_order", "not_repeat_order", "exclusive_group"),
        *("campaign_not_started", "campaign_over", "campaign_paused", "campaign_ended"),
    }
)

OWN_TITLES: Final[dict[str, type_of_text]] = {
    "member.joined": _("You joined"),
    "invite.sent": _("You invited a friend"),
    "order.paid": _("You paid order %(order)s"),
    "order.refunded": _("Order %(order)s was refunded"),
    "order.cancelled": _("Order %(order)s was cancelled"),
    "check_in": _("You checked in"),
    "level.reached": _("You reached a level"),
    "level.will_fall": _("You are about to lose a level"),
    "referral.qualified": _("You qualified as an invited friend"),
}
FRIENDS_TITLES: Final[dict[str, type_of_text]] = {
    "member.joined": _("A friend joined on your invitation"),
    "order.paid": _("A friend paid an order"),
    "order.refunded": _("A friend's order was refunded"),
    "order.cancelled": _("A friend's order was cancelled"),
}

# What became of a reward that is not on its way any more, or cannot go on yet.
OF_STATUS: Final[dict[str, tuple[str, type_of_text]]] = {
    Status.FLAGGED: (CHECKING, _("%(left)s is being checked.")),
    Status.GRANTED: (GIVEN, _("%(left)s.")),
    Status.REVERSED: (TAKEN_BACK, _("%(whole)s, which was taken back later.")),
    Status.CANCELLED: (NOTHING, _("%(whole)s was called off.")),
    Status.REJECTED: (NOTHING, _("%(left)s was not given.")),
}


def title_of(event: Event, *, order: str, is_friend: bool) -> str:
    """Return what happened, to the member themselves or to a friend of theirs."""
    known = (FRIENDS_TITLES if is_friend else OWN_TITLES).get(event.kind)
    if known is not None:
        return str(known % {"order": order})
    what = sentences.of_event(event.kind)
    return gettext("Of a friend: %(what)s") % {"what": sentences.inside(what)} if is_friend else what


def of_miss(entry: Mapping[str, Any]) -> str:
    """Return why an entry of a trace gives nothing, or "" for what a member is not told."""
    told = SENTENCES.get(str(entry.get("code", "")), NOT_FOR_THIS)
    return str(told) % why.params_of(entry) if told else ""


def of_reward(reward: Reward, *, gifts: Mapping[str, str], tells_rejected: bool) -> tuple[str, str]:
    """Return what has become of a reward by now: its state (`STATES`) and a sentence."""
    if reward.status == Status.REJECTED and not tells_rejected:
        return NOTHING, str(NOT_FOR_THIS)
    # What a refund could not take back stays theirs.
    left = _amount(reward, reward.given - reward.reversed, gifts)
    if reward.status == Status.PENDING:
        return COMING, _coming(reward, left)
    state, sentence = OF_STATUS[reward.status]
    return state, str(sentence) % {"left": left, "whole": _amount(reward, reward.given, gifts)}


def of_refund(entry: Mapping[str, Any], reward: Reward, *, gifts: Mapping[str, str]) -> str:
    """Return what a refund has taken back of a reward."""
    back = int(entry.get("given") or 0)
    if not back:
        return gettext("Nothing was taken back.")
    given = units.written(back, reward.asset) if reward.asset else gifts.get(reward.what, reward.what)
    return gettext("%(given)s was taken back.") % {"given": given}


def _coming(reward: Reward, given: str) -> str:
    zone, near = context.zone(), reward.created_at
    if not reward.awaits:
        told = {"given": given, "from": units.day_of(reward.matures_at, zone=zone, near=near)}
        return gettext("%(given)s, usable from %(from)s.") % told
    told = {"given": given, "event": sentences.of_event(reward.awaits)}
    return gettext("%(given)s, usable once this happens: %(event)s.") % told


def _amount(reward: Reward, amount: int, gifts: Mapping[str, str]) -> str:
    return units.signed(amount, reward.asset) if reward.asset else f"+{gifts.get(reward.what, reward.what)}"
