"""The campaign that a row of the API names, as `?expand=campaign` shows it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from campaigns.models import Campaign
from core.http.expansions import Expansion


class ExpandedCampaign(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Campaign.Status.choices)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True, help_text="From then on it is over.")


def look_up(ids: Sequence[int]) -> Mapping[int, Campaign]:
    """Return campaigns by their numbers."""
    return Campaign.objects.in_bulk(list(ids))


CAMPAIGN = Expansion(by="campaign.id", scope="campaigns:read", look_up=look_up, shape=ExpandedCampaign)
