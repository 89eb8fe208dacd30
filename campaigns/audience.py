"""Whom a campaign is for, in plain words."""

from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import wording
from campaigns.definitions import Offer
from core.errors import type_of_text

# By who a rule rewards, in the order in which they are told.
PEOPLE: Final[dict[str, type_of_text]] = {
    "actor": _("all members"),
    "inviter": _("members who invite friends"),
    "invitee": _("friends who were invited"),
}
BOTH: Final = {"inviter", "invitee"}


def of(offer: Offer) -> str:
    """Return whom the rules in use reward, as a sentence: "For members who invite friends." Without a rule, nobody."""
    sides = {side for rule in offer.rules for side in (BOTH if rule.recipient == "both" else {rule.recipient})}
    if not sides:
        return gettext("For nobody yet.")
    people = [str(words) for side, words in PEOPLE.items() if side in sides]
    return gettext("For %(people)s.") % {"people": wording.listed(people)}
