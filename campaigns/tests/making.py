"""Campaigns for tests, as a marketer would have saved them."""

from typing import Any

from campaigns.models import Campaign, Rule
from core import db


def make_campaign(*rules: dict[str, Any], **told: Any) -> Campaign:
    """Return a draft with these rules, or with one: 100 points to the inviter for a first order."""
    campaign = Campaign.objects.create(**{"name": "Bring a friend", **told})
    for position, each in enumerate(rules or ({},)):
        make_rule(campaign, position=position, **each)
    return campaign


def make_rule(campaign: Campaign, **told: Any) -> Rule:
    """Return a new rule of the campaign."""
    usual = {"trigger": "order.paid", "order_number": "first", "recipient": "inviter", "amount_points": 100}
    return Rule.objects.create(campaign=campaign, **{**usual, **told})


def act(verb: Any, campaign: Campaign, *, at: Any, author: str = "mia") -> Any:
    """Run one verb of a campaign's life in a transaction of its own."""
    with db.transaction():
        return verb(campaign=campaign, author=author, at=at)
