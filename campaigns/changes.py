"""What changed from one version of a campaign to the next, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import summary, versions, wording
from campaigns.definitions import Offer
from campaigns.models import CampaignVersion

MOVES = {
    "active": _("Resumed."),
    "paused": _("Paused."),
    "stopped": _("Stopped by a stop rule."),
    "ended": _("Ended."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A version, with what it brought: sentences that are new (`news`), and those that no longer hold (`gone`)."""

    number: int
    since: str
    author: str
    news: tuple[str, ...]
    gone: tuple[str, ...]


def changes_of(stored: Sequence[CampaignVersion]) -> list[Change]:
    """
    Return what each version brought. They come the newest first, as `list_versions` has them.

    The oldest is left out, unless it is the first there was: what it was compared with is not at hand.
    """
    offers = [versions.offer_in(version) for version in stored]
    return [
        _change(version, older, newer)
        for version, newer, older in zip_longest(stored, offers, offers[1:])
        if older or version.number == 1
    ]


def _change(version: CampaignVersion, before: Offer | None, after: Offer) -> Change:
    news, gone = _difference(before, after) if before else ([gettext("Activated.")], [])
    return Change(
        number=version.number,
        since=wording.instant(version.valid_from),
        author=version.author or gettext("Sarafan"),
        news=tuple(news),
        gone=tuple(gone),
    )


def _difference(before: Offer, after: Offer) -> tuple[list[str], list[str]]:
    said, says = summary.sentences_of(before), summary.sentences_of(after)
    news = _moves(before, after) + [sentence for sentence in says if sentence not in said]
    gone = [sentence for sentence in said if sentence not in says]
    return (news, gone) if news or gone else ([gettext("A detail that no sentence tells of.")], [])


def _moves(before: Offer, after: Offer) -> list[str]:
    moves = []
    if before.status != after.status:
        moves.append(str(MOVES[after.status]))
    if before.name != after.name:
        moves.append(gettext("The name is “%(name)s”.") % {"name": after.name})
    if before.priority != after.priority:
        moves.append(gettext("The priority is %(priority)s.") % {"priority": after.priority})
    return moves
