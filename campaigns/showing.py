"""Campaigns as programs and their users see them: what is on offer, and to whom it is nobody's business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from campaigns import audience, giving, summary, versions
from campaigns.definitions import LimitLine, Offer
from campaigns.models import Campaign
from core.errors import NotFound

Status = Campaign.Status
# A landing page needs no more; and nothing that tells a competitor, or a cheat, how much there is to be had.
NOT_PUBLIC: Final[Mapping[str, object]] = {
    "limits": (),
    "budget_points": None,
    "budget_minor": None,
    "exclusive_group": "",
}


class UnknownCampaign(NotFound):
    """There is no such campaign, or it is not on offer now and the key sees only what is."""

    message = _("There is no such campaign.")


@dataclass(frozen=True, slots=True)
class Shown:
    """
    A campaign with its rules in words. `given_points` is what it has given, or holds back for now.

    `limits` comes with a sentence of each; without them, it is what everybody may read.
    """

    campaign: Campaign
    offer: Offer
    audience: str
    sentences: tuple[str, ...]
    rules: tuple[str, ...]
    limits: tuple[tuple[LimitLine, str], ...]
    given_points: int


def list_campaigns() -> QuerySet[Campaign]:
    """Return all campaigns, with what `shown_of` tells of them."""
    return Campaign.objects.prefetch_related("rules", "tiers", "limits")


def list_public(*, at: datetime) -> QuerySet[Campaign]:
    """Return the campaigns that are on offer now."""
    begun = Q(starts_at=None) | Q(starts_at__lte=at)
    going_on = Q(ends_at=None) | Q(ends_at__gt=at)
    return list_campaigns().filter(begun, going_on, status=Status.ACTIVE, is_builtin=False)


def get(campaigns: QuerySet[Campaign], *, campaign_id: int) -> Campaign:
    """
    Return one of these campaigns.

    :raises UnknownCampaign:
    """
    found = campaigns.filter(pk=campaign_id).first()
    if found is None:
        raise UnknownCampaign
    return found


def shown_of(campaigns: Sequence[Campaign], *, is_public: bool) -> list[Shown]:
    """Return campaigns in words, in the current language, in a fixed number of statements."""
    given = {} if is_public else import_string(settings.CAMPAIGN_SPENDING)(campaign_ids=[each.pk for each in campaigns])
    with giving.at_hand():
        return [_shown(each, given_points=given.get(each.pk, 0), is_public=is_public) for each in campaigns]


def _shown(campaign: Campaign, *, given_points: int, is_public: bool) -> Shown:
    offer = versions.offer_of(campaign=campaign)
    told = replace(offer, **NOT_PUBLIC) if is_public else offer  # type: ignore[arg-type]
    return Shown(
        campaign=campaign,
        offer=told,
        audience=audience.of(offer),
        sentences=tuple(summary.sentences(campaign) if campaign.is_builtin else summary.sentences_of(told)),
        rules=tuple(summary.sentence_of(rule) for rule in told.rules),
        limits=tuple((limit, summary.sentence_of_own_limit(limit)) for limit in told.limits),
        given_points=given_points,
    )
