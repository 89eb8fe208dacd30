"""What was made within a time: the filters `since` and `until`, which lists of rewards, spending and payouts share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers


class Period(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False, help_text="Made at this instant or later.")
    until = serializers.DateTimeField(required=False, help_text="Made before this instant.")


def within(given: Mapping[str, Any], *, column: str = "created_at") -> dict[str, datetime]:
    """Return what `since` and `until` ask of a query's rows, which were made when `column` says."""
    asked = {"since": f"{column}__gte", "until": f"{column}__lt"}
    return {asked[name]: given[name] for name in asked if name in given}
