"""The campaign that keeps what was issued by hand: made when it is first needed, never activated, edited or ended."""

from datetime import datetime
from typing import Final

from django.utils import translation
from django.utils.translation import gettext

from campaigns import definitions, versions
from campaigns.models import Campaign, CampaignVersion, Rule
from core.db import in_transaction
from tenants import context

TRIGGER: Final = "reward.issued"


def find_rule() -> Rule | None:
    """Return the rule that such rewards name, if there is one yet."""
    return Rule.objects.filter(campaign__is_builtin=True).select_related("campaign").order_by("pk").first()


@in_transaction
def get_rule(*, at: datetime) -> Rule:
    """Return the rule that such rewards name. The caller holds the tenant's lock: there is one such campaign."""
    return find_rule() or _make(at=at)


def get_version(*, rule: Rule) -> CampaignVersion:
    """Return the campaign's only version."""
    return CampaignVersion.objects.filter(campaign_id=rule.campaign_id).latest("number")


def _make(*, at: datetime) -> Rule:
    with translation.override(context.current().language):
        name = gettext("Issued by hand")
    campaign = Campaign.objects.create(
        name=name,
        goal=Campaign.Goal.ACTIVATE,
        status=Campaign.Status.ACTIVE,
        starts_at=at.replace(microsecond=0),
        is_builtin=True,
    )
    # Not in use: no event matches it.
    rule = Rule.objects.create(campaign=campaign, trigger=TRIGGER, recipient="actor", amount_points=1, is_active=False)
    offer = versions.offer_of(campaign=campaign)
    CampaignVersion.objects.create(campaign=campaign, number=1, valid_from=at, definition=definitions.as_json(offer))
    return rule
