"""A loyalty programme with one click: a campaign that most shops can begin with, made and activated."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import lifecycle, wording
from campaigns.models import Campaign, Rule
from core.db import in_transaction

RATE_BPS: Final = 500
HOLD_DAYS: Final = 14


@in_transaction
def start(*, author: str, at: datetime) -> Campaign:
    """
    Make and activate a cashback in points for each order, on hold until a return of the goods is unlikely.

    :raises MoveNotAllowed: when there is a campaign already: one click more would pay twice
    """
    if Campaign.objects.filter(is_builtin=False).exists():
        raise lifecycle.MoveNotAllowed(_("There is a campaign already: change that, or create another."))
    campaign = Campaign.objects.create(
        name=gettext("Cashback %(percent)s") % {"percent": wording.percent(RATE_BPS)},
        goal=Campaign.Goal.SELL,
        refund_policy=Campaign.RefundPolicy.TO_ZERO,
    )
    Rule.objects.create(
        campaign=campaign,
        trigger="order.paid",
        recipient=Rule.Recipient.ACTOR,
        amount_kind=Rule.AmountKind.PERCENT,
        rate_bps=RATE_BPS,
        hold_days=HOLD_DAYS,
    )
    lifecycle.activate(campaign=campaign, author=author, at=at)
    return campaign
