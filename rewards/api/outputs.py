"""What several operations answer with."""

from typing import Any

from rest_framework import serializers


class CampaignOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
