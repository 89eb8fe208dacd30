"""What several operations answer with."""

from typing import Any

from rest_framework import serializers


class CampaignOutput(serializers.Serializer[Any]):
    class Meta:
        # In the reference, where the campaign itself is a CampaignOutput.
        ref_name = "NamedCampaign"

    id = serializers.IntegerField()
    name = serializers.CharField()
