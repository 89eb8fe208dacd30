"""Why events were or were not rewarded, as `?expand=trace` shows it in a list of them (settings.EVENT_EXPANSIONS)."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from core.http.expansions import Expansion
from events.models import Event
from scoring import why


class TraceEntry(serializers.Serializer[Any]):
    """What one rule made of the event."""

    sentence = serializers.CharField(help_text="In words, in the tenant's language.")
    outcome = serializers.ChoiceField(
        ["rewarded", "flagged", "refused", "missed", "attributed", "taken_back"],
        help_text="What came of it: of a rule, of a sign-up's code or click, or of a refund.",
    )
    code = serializers.CharField(help_text="The same for programs: the first thing that said no, or what was given.")
    campaign_id = serializers.IntegerField(required=False)
    campaign = serializers.CharField(required=False)
    rule_id = serializers.IntegerField(required=False)
    version = serializers.IntegerField(required=False, help_text="Of the campaign, as it was when the event occurred.")
    side = serializers.ChoiceField(["actor", "inviter", "invitee"], required=False)
    member_id = serializers.IntegerField(required=False)
    params = serializers.DictField(required=False, help_text="What the sentence was made from.")
    reward_id = serializers.IntegerField(required=False)
    kind = serializers.CharField(required=False, help_text="The kind of the reward: points, money, certificate, …")
    what = serializers.CharField(required=False, help_text="Which asset or gift; empty: points.")
    recipient = serializers.CharField(required=False, help_text="Whom the rule rewards.")
    due = serializers.IntegerField(required=False, help_text="What the rule gives, before limits and budgets.")
    given = serializers.IntegerField(required=False, help_text="So many units of it, or of one what it is worth.")
    points = serializers.IntegerField(required=False, help_text="Of points only.")


def look_up(ids: Sequence[int]) -> Mapping[int, Any]:
    """Return what was written down of each event, in the reader's language. Two statements read all of it."""
    traces = dict(Event.objects.filter(pk__in=ids).values_list("pk", "trace"))
    entries = why.spelled_out(list(traces.values()))
    return {
        event_id: [{**entry, "sentence": why.sentence(entry)} for entry in found]
        for event_id, found in zip(traces, entries, strict=True)
    }


OF_EVENTS = {"trace": Expansion(by="id", scope="events:read", look_up=look_up, shape=TraceEntry, is_many=True)}
