"""
How a campaign lives: activated, paused, resumed, stopped by a stop rule, ended for good, each change published.

An event is scored by the version in force when it occurred, so that a change applies from its moment on and rewrites
nothing. A draft is nobody's offer and has no versions.
"""

from datetime import datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from campaigns import definitions, lint, versions
from campaigns.models import Campaign, CampaignVersion
from core.db import in_transaction
from core.errors import Conflict, FieldError, Unprocessable

Status = Campaign.Status


class MoveNotAllowed(Conflict):
    """The campaign's status does not allow this, or somebody was quicker."""


class NotReady(Unprocessable):
    """Something is wrong with the campaign that would keep it from rewarding anybody."""

    message = _("The campaign cannot be activated yet.")


class NeverActivated(Conflict):
    """A draft has no versions."""

    message = _("This campaign is a draft: activate it first.")


class Move(NamedTuple):
    """Which statuses a verb leaves, and which it leads to."""

    leaves: tuple[str, ...]
    leads_to: str


ACTIVATE: Final = Move((Status.DRAFT,), Status.ACTIVE)
PAUSE: Final = Move((Status.ACTIVE,), Status.PAUSED)
RESUME: Final = Move((Status.PAUSED, Status.STOPPED), Status.ACTIVE)
# A paused campaign is still paid for what happened before its pause, so that a stop rule may catch it then.
STOP: Final = Move((Status.ACTIVE, Status.PAUSED), Status.STOPPED)
END: Final = Move((Status.ACTIVE, Status.PAUSED, Status.STOPPED), Status.ENDED)


@in_transaction
def publish(*, campaign: Campaign, author: str, at: datetime) -> CampaignVersion | None:
    """
    Make the campaign as its rows stand the version in force from `at` on; None where it equals the one in force.

    :raises NeverActivated: for a draft
    """
    # Whoever comes second waits here, and then reads what the first has published.
    fresh = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    if fresh.status == Status.DRAFT:
        raise NeverActivated
    offer = versions.offer_of(campaign=fresh)
    last = versions.find_last(campaign=fresh)
    # Compared as offers: the definition of an older release says less, and means the same.
    if last and versions.is_same(offer, versions.offer_in(last)):
        return None
    return CampaignVersion.objects.create(
        campaign=fresh,
        number=last.number + 1 if last else 1,
        # The one that waited may carry the earlier clock reading; versions never go back in time.
        valid_from=max(at, last.valid_from) if last else at,
        definition=definitions.as_json(offer),
        author=author,
    )


@in_transaction
def activate(*, campaign: Campaign, author: str, at: datetime) -> CampaignVersion | None:
    """
    Begin: the campaign rewards what happens from now, or from its start, on.

    :raises NotReady: when `lint` finds an error; each stands in `errors`
    :raises MoveNotAllowed: when it is no draft, or is built in
    """
    require_sound(campaign=campaign, at=at)
    _move(campaign, ACTIVATE)
    if campaign.starts_at is None:
        # To the second, as a form shows it: saving what nobody has changed must not move it.
        campaign.starts_at = at.replace(microsecond=0)
        Campaign.objects.filter(pk=campaign.pk, starts_at=None).update(starts_at=campaign.starts_at)
    return publish(campaign=campaign, author=author, at=at)


@in_transaction
def pause(*, campaign: Campaign, author: str, at: datetime) -> CampaignVersion | None:
    """
    Reward nothing that happens from now on. What happened before is still rewarded.

    :raises MoveNotAllowed: when it is not active
    """
    _move(campaign, PAUSE)
    return publish(campaign=campaign, author=author, at=at)


@in_transaction
def resume(*, campaign: Campaign, author: str, at: datetime) -> CampaignVersion | None:
    """
    Go on after a pause or a stop. What happened in a pause stays unrewarded, what happened in a stop stays flagged.

    :raises MoveNotAllowed: when it is neither paused nor stopped
    """
    _move(campaign, RESUME)
    return publish(campaign=campaign, author=author, at=at)


@in_transaction
def stop(*, campaign: Campaign, author: str, at: datetime) -> CampaignVersion | None:
    """
    Halt it because a stop rule fired; `author` names the rule.

    :raises MoveNotAllowed: when it is neither active nor paused
    """
    _move(campaign, STOP)
    return publish(campaign=campaign, author=author, at=at)


@in_transaction
def end(*, campaign: Campaign, author: str, at: datetime) -> CampaignVersion | None:
    """
    End it for good. What happened before is still rewarded.

    :raises MoveNotAllowed: when it is a draft, or has ended
    """
    _move(campaign, END)
    return publish(campaign=campaign, author=author, at=at)


def require_sound(*, campaign: Campaign, at: datetime) -> None:
    """
    Refuse a campaign that could reward nobody. One that is no draft any more may be over: its time has come.

    :raises NotReady: when `lint` finds an error; each stands in `errors`
    """
    is_draft = campaign.status == Status.DRAFT
    errors = [each for each in lint.problems(campaign=campaign, at=at) if each.is_error]
    errors = [each for each in errors if is_draft or each.code != lint.OVER]
    if errors:
        raise NotReady(errors=[FieldError(pointer="", detail=each.sentence) for each in errors])


def require_no_trip(*, campaign: Campaign) -> None:
    """
    Refuse what a stop rule has stopped: that goes on where its trip is closed, by whoever has looked at its figures.

    :raises MoveNotAllowed:
    """
    if campaign.status == Status.STOPPED:
        raise MoveNotAllowed(_("A stop rule has stopped it: it is resumed on the page of that trip."))


def _move(campaign: Campaign, move: Move) -> None:
    movable = Campaign.objects.filter(pk=campaign.pk, status__in=move.leaves, is_builtin=False)
    if not movable.update(status=move.leads_to):
        fresh = Campaign.objects.get(pk=campaign.pk)
        if fresh.is_builtin:
            raise MoveNotAllowed(_("“%(name)s” is built in, and stays as it is.") % {"name": fresh.name})
        raise MoveNotAllowed(
            _("“%(name)s” is %(status)s now: this is not possible any more.")
            % {"name": fresh.name, "status": fresh.get_status_display().lower()}
        )
    campaign.status = move.leads_to
