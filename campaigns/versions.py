"""The versions of a campaign: what its rows say now, and what was published when."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from django.db.models import QuerySet

from campaigns import definitions
from campaigns.definitions import LimitLine, Offer, RuleLine, Tier
from campaigns.models import Campaign, CampaignVersion, Limit, Rule

# A campaign as it stands in the form is no version yet: it is in force from never.
UNPUBLISHED_ID: Final = 0
NEVER: Final = datetime.max.replace(tzinfo=UTC)


def offer_of(*, campaign: Campaign) -> Offer:
    """Return what the campaign's rows say now, as the version it would be if it were published."""
    return Offer(
        campaign_id=campaign.pk,
        name=campaign.name,
        version_id=UNPUBLISHED_ID,
        number=0,
        valid_from=NEVER,
        status=campaign.status,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        budget_points=campaign.budget_points,
        when_short=campaign.when_short,
        priority=campaign.priority,
        exclusive_group=campaign.exclusive_group,
        # Sorted and chosen here and not in SQL, so that a list of campaigns can prefetch.
        rules=tuple(line_of(rule) for rule in sorted(campaign.rules.all(), key=_place) if rule.is_active),
        limits=tuple(
            limit_line_of(each)
            for each in sorted(campaign.limits.all(), key=lambda each: (each.per, each.period, each.days or 0))
        ),
        tiers=tuple(
            Tier(from_count=each.from_count, amount_points=each.amount_points)
            for each in sorted(campaign.tiers.all(), key=lambda each: each.from_count)
        ),
        refund_policy=campaign.refund_policy,
        budget_minor=campaign.budget_minor,
    )


def list_versions(*, campaign: Campaign) -> QuerySet[CampaignVersion]:
    """Return what was published of a campaign, the newest first."""
    return CampaignVersion.objects.filter(campaign=campaign).order_by("-number")


def find_last(*, campaign: Campaign) -> CampaignVersion | None:
    """Return the version in force, or None for a campaign that was never activated."""
    return list_versions(campaign=campaign).first()


def was_in_force(*, rule: Rule) -> bool:
    """Tell whether a rule is in any version that was published: events of that time may yet be scored by it."""
    return CampaignVersion.objects.filter(
        campaign_id=rule.campaign_id, definition__rules__contains=[{"id": rule.pk}]
    ).exists()


def offer_in(version: CampaignVersion) -> Offer:
    """Return what a stored version says."""
    return definitions.from_json(
        version.definition,
        campaign_id=version.campaign_id,
        version_id=version.pk,
        number=version.number,
        valid_from=version.valid_from,
    )


def is_same(one: Offer, other: Offer) -> bool:
    """Tell whether two versions of a campaign offer the same, whatever their numbers."""
    return replace(one, version_id=other.version_id, number=other.number, valid_from=other.valid_from) == other


def line_of(rule: Rule) -> RuleLine:
    """Return what a rule's row says now."""
    return RuleLine(
        id=rule.pk,
        position=rule.position,
        trigger=rule.trigger,
        recipient=rule.recipient,
        order_number=rule.order_number,
        match=rule.match,
        conditions=definitions.conditions_of(rule.conditions),
        reward_kind=rule.reward_kind,
        amount_kind=rule.amount_kind,
        amount_points=rule.amount_points,
        rate_bps=rule.rate_bps,
        hold_days=rule.hold_days,
        reward_what=rule.reward_what,
        extras=tuple(definitions.Extra(**each) for each in rule.extras),
        awaits=rule.awaits,
        awaits_days=rule.awaits_days,
    )


def limits_everywhere() -> tuple[LimitLine, ...]:
    """Return the limits over all campaigns, as they are now: they have no versions."""
    return tuple(limit_line_of(each) for each in Limit.objects.filter(campaign=None).order_by("pk"))


def limit_line_of(limit: Limit) -> LimitLine:
    """Return what a limit's row says now."""
    return LimitLine(
        id=limit.pk,
        per=limit.per,
        period=limit.period,
        max_count=limit.max_count,
        max_points=limit.max_points,
        days=limit.days,
        max_cost_minor=limit.max_cost_minor,
        when_short=limit.when_short,
    )


def _place(rule: Rule) -> tuple[int, int]:
    return rule.position, rule.pk
