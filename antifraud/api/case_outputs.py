"""How a case is told to programs. Whom it is about has the tenant's own id, and nothing else that is personal."""

from typing import Any

from rest_framework import serializers

from antifraud.models import Case, Decision
from antifraud.moderation.dossiers import Sight
from antifraud.moderation.files import File, Line, Stake
from rewards.api.outputs import CampaignOutput
from rewards.models import Reward


class CountsOutput(serializers.Serializer[Any]):
    """How many cases wait, and how many of those are nobody's, overdue, escalated."""

    waiting = serializers.IntegerField()
    unassigned = serializers.IntegerField()
    overdue = serializers.IntegerField()
    escalated = serializers.IntegerField()


class WhoOutput(serializers.Serializer[Any]):
    """Somebody of the staff by user name, or an API key by what it is called."""

    kind = serializers.ChoiceField(["staff", "key"])
    name = serializers.CharField()


class PartyOutput(serializers.Serializer[Any]):
    """A member whom the case is about."""

    member_id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True)
    side = serializers.ChoiceField([("", ""), *Reward.Side.choices], help_text="Empty: not rewarded.")


class CaseLineOutput(serializers.Serializer[Any]):
    """A case in a list."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(Case.Status.choices)
    campaign = CampaignOutput()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="Then it escalates. Time never pays it.")
    is_overdue = serializers.BooleanField()
    escalated_at = serializers.DateTimeField(allow_null=True)
    assigned_to = WhoOutput(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = WhoOutput(allow_null=True)
    undo_until = serializers.DateTimeField(allow_null=True, help_text="Until then a decision can be taken back.")
    members = PartyOutput(many=True)
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why it waits, in sentences.")
    rewards_count = serializers.IntegerField(help_text="What to send as seen.")
    points = serializers.IntegerField(help_text="Points at stake.")
    cost_minor = serializers.IntegerField(help_text="What all at stake costs, in minor units of your currency.")
    amounts = serializers.ListField(child=serializers.CharField(), help_text="What is at stake, in words.")


class NamedOutput(serializers.Serializer[Any]):
    """A member whom a signal names beside the parties."""

    member_id = serializers.IntegerField()
    name = serializers.CharField(help_text="The tenant's own id, or what else they are known by, masked.")


class SignalOutput(serializers.Serializer[Any]):
    """One thing that was seen."""

    signal = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField(help_text="With its evidence.")
    weight = serializers.IntegerField(allow_null=True, help_text="null: it flags by itself, as a stop rule does.")
    is_shadow = serializers.BooleanField(help_text="Only recorded: the verdict does not rest on it.")
    named = NamedOutput(many=True)
    unnamed_count = serializers.IntegerField(help_text="How many more there are.")


class StakeOutput(serializers.Serializer[Any]):
    """One reward of the case."""

    id = serializers.IntegerField()
    member_id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True)
    side = serializers.ChoiceField(Reward.Side.choices)
    status = serializers.ChoiceField(Reward.Status.choices)
    kind = serializers.CharField()
    what = serializers.CharField(help_text="The gift's code, of what is not counted.")
    asset = serializers.CharField(help_text="Empty for what is not counted.")
    amount = serializers.IntegerField(help_text="What is left of it.")
    cost_minor = serializers.IntegerField()


class DecisionOutput(serializers.Serializer[Any]):
    """One thing that was decided about the case."""

    action = serializers.ChoiceField(Decision.Action.choices)
    sides = serializers.CharField(help_text="Of a rejection: whose rewards were refused.")
    by = WhoOutput()
    note = serializers.CharField()
    at = serializers.DateTimeField()


class RecordOutput(serializers.Serializer[Any]):
    """Other cases about the same people."""

    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    open_ids = serializers.ListField(child=serializers.IntegerField(), help_text="Those that wait too.")


class CaseOutput(CaseLineOutput):
    """A case with all that is known."""

    signals = SignalOutput(many=True, help_text="The heaviest first.")
    verdicts = serializers.ListField(child=serializers.CharField(), help_text="How the weights came to it.")
    rewards = StakeOutput(many=True)
    decisions = DecisionOutput(many=True, help_text="The oldest first.")
    record = RecordOutput()
    irreversible = serializers.ListField(
        child=serializers.CharField(), help_text="What neither a rejection nor an undo would take back, in sentences."
    )


def told_of_line(line: Line) -> dict[str, Any]:
    """Return what CaseLineOutput shows of a case."""
    case, shown = line.case, line.shown
    names = ("id", "status", "campaign", "opened_at", "due_at", "escalated_at", "decided_at")
    told = ("is_overdue", "undo_until", "reasons", "points", "cost_minor", "amounts")
    return {
        **{name: getattr(case, name) for name in names},
        **{name: getattr(shown, name) for name in told},
        "assigned_to": line.assigned_to,
        "decided_by": line.decided_by,
        "members": line.parties,
        "rewards_count": len(shown.rewards),
    }


def told_of_file(found: File) -> dict[str, Any]:
    """Return what CaseOutput shows of a case."""
    record = found.record
    return {
        **told_of_line(found.line),
        "signals": [_sight(each) for each in found.basis.sights],
        "verdicts": found.basis.verdicts,
        "rewards": [_stake(each) for each in found.stakes],
        "decisions": [
            {"by": by, **{name: getattr(each, name) for name in ("action", "sides", "note", "at")}}
            for each, by in found.decisions
        ],
        "record": {
            "approved": record.approved,
            "rejected": record.rejected,
            "open_ids": [each.pk for each in record.also_open],
        },
        "irreversible": found.irreversible,
    }


def _sight(sight: Sight) -> dict[str, Any]:
    names = ("signal", "title", "sentence", "weight", "is_shadow")
    named = [{"member_id": member_id, "name": name} for member_id, name in sight.named]
    return {**{name: getattr(sight, name) for name in names}, "named": named, "unnamed_count": sight.unnamed}


def _stake(stake: Stake) -> dict[str, Any]:
    reward = stake.reward
    return {
        **{name: getattr(reward, name) for name in ("id", "member_id", "side", "status", "kind", "what")},
        "external_id": stake.external_id,
        "asset": reward.asset.code if reward.asset else "",
        "amount": stake.amount,
        "cost_minor": stake.cost_minor,
    }
