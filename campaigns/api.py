"""What a tenant's programs ask about campaigns, and how they pause one."""

from collections.abc import Sequence
from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import giving, showing, switching
from campaigns.definitions import LimitLine, RuleLine
from campaigns.models import Campaign, Limit, Rule
from campaigns.showing import Shown
from core.http import CursorPage
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.models import ApiKey
from tenants.views import TenantView

READ, READ_PUBLIC = ApiKey.Scope.CAMPAIGNS_READ.value, ApiKey.Scope.PUBLIC_READ.value


class ConditionOutput(serializers.Serializer[Any]):
    """One thing that a rule asks of the event."""

    field = serializers.CharField()
    operator = serializers.CharField()
    value = serializers.JSONField(help_text="A number (of minor units for money), a text, several texts, or yes or no.")


class GivenOutput(serializers.Serializer[Any]):
    """One thing that a rule gives."""

    kind = serializers.CharField(help_text="points, certificate, discount, …")
    what = serializers.CharField(help_text="The asset's or the gift's code; empty: points.")
    amount = serializers.IntegerField(help_text="In smallest units; 0 of a percentage or a ladder.")


class RuleOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    sentence = serializers.CharField(help_text="The rule in plain words, in the tenant's language.")
    trigger = serializers.CharField(help_text="The kind of event that it starts from.")
    recipient = serializers.ChoiceField(Rule.Recipient.choices)
    order_number = serializers.ChoiceField(Rule.OrderNumber.choices, help_text="Which order of a member counts.")
    match = serializers.ChoiceField(Rule.Match.choices)
    conditions = ConditionOutput(many=True)
    gives = GivenOutput(many=True, help_text="All that it gives at once.")
    amount_kind = serializers.ChoiceField(Rule.AmountKind.choices)
    rate_bps = serializers.IntegerField(allow_null=True, help_text="In hundredths of a percent: 250 is 2.5%.")
    hold_days = serializers.IntegerField(help_text="Days until it can be used.")
    awaits = serializers.CharField(help_text="A promise: the kind of event that makes it due; empty: none.")
    awaits_days = serializers.IntegerField(allow_null=True, help_text="How long the promise holds. null: for ever.")


class TierOutput(serializers.Serializer[Any]):
    from_count = serializers.IntegerField(help_text="From this friend on")
    amount = serializers.IntegerField(source="amount_points", help_text="each pays so much, in smallest units.")


class LimitOutput(serializers.Serializer[Any]):
    sentence = serializers.CharField(help_text="In plain words, in the tenant's language.")
    per = serializers.ChoiceField(Limit.Per.choices)
    period = serializers.ChoiceField(Limit.Period.choices)
    days = serializers.IntegerField(allow_null=True, help_text="Of a rolling limit.")
    max_count = serializers.IntegerField(allow_null=True, help_text="Rewards at most.")
    max_points = serializers.IntegerField(allow_null=True)
    max_cost_minor = serializers.IntegerField(allow_null=True, help_text="In minor units of your currency.")


class BudgetOutput(serializers.Serializer[Any]):
    points = serializers.IntegerField(allow_null=True, help_text="All its rewards together. null: no such budget.")
    cost_minor = serializers.IntegerField(allow_null=True, help_text="What they may cost. null: no such budget.")
    given_points = serializers.IntegerField(help_text="What it has given, or holds back for now.")
    when_short = serializers.ChoiceField(Campaign.WhenShort.choices, help_text="When less is left than is due.")


class CampaignOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Campaign.Status.choices)
    is_builtin = serializers.BooleanField(help_text="It keeps what was issued without a rule.")
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    landing_url = serializers.CharField(help_text="Where a friend lands; empty: at the tenant's usual place.")
    audience = serializers.CharField(help_text="Whom it is for, in plain words.")
    sentences = serializers.ListField(
        child=serializers.CharField(), help_text="All that it says, in plain words, in the tenant's language."
    )
    rules = RuleOutput(many=True, help_text="Those in use, in order.")
    tiers = TierOutput(many=True, help_text="The ladder, where a rule pays by it.")
    limits = LimitOutput(many=True, allow_null=True, help_text="null with public:read alone.")
    budget = BudgetOutput(allow_null=True, help_text="null with public:read alone.")


class Campaigns(TenantView):
    """`/api/v1/campaigns`."""

    required_scope = (READ, READ_PUBLIC)
    pagination_class = CursorPage

    class Filters(serializers.Serializer[Any]):
        status = serializers.ChoiceField(Campaign.Status.choices, required=False)

    @extend_schema(
        operation_id="list_campaigns",
        summary="List campaigns with their rules in plain words, the newest first",
        description="A key that has public:read alone sees what is on offer now, without limits and budgets.",
        parameters=[Filters],
        responses=CampaignOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = self.valid(self.Filters, request)
        is_public = _is_public(request)
        found = showing.list_public(at=now()) if is_public else showing.list_campaigns()
        pages = CursorPage()
        rows = pages.paginate_queryset(found.filter(**wanted), request, self)
        return pages.get_paginated_response(_outputs(rows, is_public=is_public))


class OneCampaign(TenantView):
    """`/api/v1/campaigns/{campaign_id}`."""

    required_scope = (READ, READ_PUBLIC)

    @extend_schema(
        operation_id="get_campaign", summary="Look at a campaign and its rules in plain words", responses=CampaignOutput
    )
    def get(self, request: Request, campaign_id: int) -> Response:
        is_public = _is_public(request)
        found = showing.list_public(at=now()) if is_public else showing.list_campaigns()
        return Response(_outputs([showing.get(found, campaign_id=campaign_id)], is_public=is_public)[0])


class CampaignPause(TenantView):
    """`/api/v1/campaigns/{campaign_id}/pause`."""

    required_scope = ApiKey.Scope.CAMPAIGNS_WRITE.value

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=switching.REASON_LENGTH_MAX, help_text="The audit log keeps it.")

    @extend_schema(
        operation_id="pause_campaign",
        summary="Pause a campaign: it rewards nothing that happens from now on",
        description="What happened before is still rewarded. One that is paused already stays so.",
        request=Input,
        responses=CampaignOutput,
    )
    def post(self, request: Request, campaign_id: int) -> Response:
        given = self.valid(self.Input, request)
        switching.pause(campaign_id=campaign_id, reason=given["reason"], by=str(request.auth), at=now())
        return _shown(campaign_id)


class CampaignResume(TenantView):
    """`/api/v1/campaigns/{campaign_id}/resume`."""

    required_scope = ApiKey.Scope.CAMPAIGNS_WRITE.value

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(
            max_length=switching.REASON_LENGTH_MAX, required=False, default="", allow_blank=True
        )

    @extend_schema(
        operation_id="resume_campaign",
        summary="Let a paused campaign go on",
        description="What happened in the pause stays unrewarded. What a stop rule has stopped only staff resumes, "
        "who sees its figures.",
        request=Input,
        responses=CampaignOutput,
    )
    def post(self, request: Request, campaign_id: int) -> Response:
        given = self.valid(self.Input, request)
        switching.resume(campaign_id=campaign_id, reason=given["reason"], by=str(request.auth), at=now())
        return _shown(campaign_id)


def _is_public(request: Request) -> bool:
    return READ not in cast("KnownKey", request.auth).scopes


def _shown(campaign_id: int) -> Response:
    campaign = showing.get(showing.list_campaigns(), campaign_id=campaign_id)
    return Response(_outputs([campaign], is_public=False)[0])


def _outputs(campaigns: Sequence[Campaign], *, is_public: bool) -> list[dict[str, Any]]:
    shown = showing.shown_of(campaigns, is_public=is_public)
    return [CampaignOutput(_told(each, is_public=is_public)).data for each in shown]


def _told(shown: Shown, *, is_public: bool) -> dict[str, Any]:
    campaign, offer = shown.campaign, shown.offer
    names = ("id", "name", "status", "is_builtin", "starts_at", "ends_at", "landing_url")
    return {
        **{name: getattr(campaign, name) for name in names},
        "audience": shown.audience,
        "sentences": shown.sentences,
        "rules": [_rule(rule, sentence) for rule, sentence in zip(offer.rules, shown.rules, strict=True)],
        "tiers": offer.tiers,
        "limits": None if is_public else [_limit(limit, sentence) for limit, sentence in shown.limits],
        "budget": None
        if is_public
        else {
            "points": offer.budget_points,
            "cost_minor": offer.budget_minor,
            "given_points": shown.given_points,
            "when_short": offer.when_short,
        },
    }


def _rule(rule: RuleLine, sentence: str) -> dict[str, Any]:
    names = (
        *("id", "trigger", "recipient", "order_number", "match", "conditions"),
        *("amount_kind", "rate_bps", "hold_days", "awaits", "awaits_days"),
    )
    return {**{name: getattr(rule, name) for name in names}, "sentence": sentence, "gives": giving.pieces_of(rule)}


def _limit(limit: LimitLine, sentence: str) -> dict[str, Any]:
    names = ("per", "period", "days", "max_count", "max_points", "max_cost_minor")
    return {**{name: getattr(limit, name) for name in names}, "sentence": sentence}
