"""A stage for tests of rewards: a campaign of one rule, people, and orders."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from campaigns.models import Campaign, CampaignVersion, Rule
from core.db import transaction
from events.models import Event, Order
from members.models import Identity, Member
from rewards import grants, ledger
from rewards.grants import NewReward
from rewards.models import Asset, Reward

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)


class Stage:
    """Everything that a reward refers to, made once; `owe` makes a reward as scoring would."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.campaign = Campaign.objects.create(name="Bring a friend")
        self.rule = Rule.objects.create(campaign=self.campaign, trigger="order.paid", amount_points=100)
        said = {"name": "Bring a friend", "status": "draft"}
        self.version = CampaignVersion.objects.create(
            campaign=self.campaign, number=1, valid_from=NOON, definition=said
        )
        self.points = Asset.objects.get(code="points")

    def member(self, name: str) -> Member:
        member = Member.objects.create(first_seen_at=NOON)
        Identity.objects.create(
            member=member, kind="external_id", lookup=name, value=name, resolves=True, added_at=NOON
        )
        return member

    def event(self, kind: str = "order.paid") -> Event:
        return Event.objects.create(
            source="api",
            key=f"event-{next(self.numbers)}",
            kind=kind,
            fingerprint="",
            occurred_at=NOON,
            received_at=NOON,
            status="handled",
        )

    def order(self, member: Member, amount_minor: int = 10_000) -> Order:
        return Order.objects.create(
            number=f"order-{next(self.numbers)}",
            member=member,
            event=self.event(),
            amount_minor=amount_minor,
            currency="RUB",
            paid_at=NOON,
        )

    def new(self, member: Member, *, status: str = "pending", given: int = 100, **columns: Any) -> NewReward:
        """Return a reward that is yet to be written."""
        usual = {
            "campaign_id": self.campaign.pk,
            "rule_id": self.rule.pk,
            "version_id": self.version.pk,
            "event_id": columns.pop("event_id", None) or self.event().pk,
            "member_id": member.pk,
            "side": "actor",
            "occurrence": f"check-in:{next(self.numbers)}",
            "asset_id": self.points.pk,
            "due": given,
            "given": given,
            "status": status,
            "reasons": [{"signal": "velocity"}] if status == "flagged" else [],
            "occurred_at": NOON,
            "matures_at": NOON,
            "created_at": NOON,
            "granted_at": NOON if status == "granted" else None,
        }
        return NewReward(**{**usual, **columns})

    @transaction
    def owe(self, member: Member, **columns: Any) -> int:
        """Write a reward, and pay it if it is granted; return its id."""
        new = self.new(member, **columns)
        (reward_id,) = grants.write(new=[new])
        assert reward_id is not None
        if new.status == "granted":
            pay(reward_id, member, new.given)
        return reward_id


def pay(reward_id: int, member: Member, amount: int) -> None:
    asset_id = Asset.objects.get(code="points").pk
    move = grants.grant_move(reward_id=reward_id, member_id=member.pk, asset_id=asset_id, amount=amount)
    ledger.post(moves=[move], at=NOON)


def status_of(reward_id: int) -> str:
    return Reward.objects.get(pk=reward_id).status
