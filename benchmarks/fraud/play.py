"""Reports what happens in a world to the current tenant, through the inbox, and lets it be scored as a worker does."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from antifraud.judging import observing, second_look
from antifraud.lists import lines, listings
from antifraud.models import Listing, StopRule
from benchmarks.fraud.names import DATACENTER
from benchmarks.fraud.world import BEGIN, THRESHOLD_MINOR, Happening, World
from campaigns import lifecycle
from campaigns.models import Campaign, Rule
from core.db import current_schema, transaction
from events import handling, inbox
from events.reports import Sender, read
from members import people
from referrals import codes
from rewards import maturing

POINTS: Final = 500
HOLD_DAYS: Final = 14
ACTIVE_FROM: Final = BEGIN - timedelta(days=1)
# A shop with a few orders an hour is heard by the worker at once; here they are told together, to get through weeks.
TOGETHER_MAX: Final = 200
TOGETHER_FOR: Final = timedelta(hours=2)
RELEASED_MAX: Final = 2_000


def play(world: World, *, together_for: timedelta = TOGETHER_FOR) -> None:
    """
    Offer 500 points to inviter and friend for a first order, and report everything in its order.

    What happens within `together_for` is scored as one batch: the shorter, the more is known of each, and the slower.
    """
    _offer()
    _list(world)
    sender = Sender(schema=current_schema(), region="RU", may_backfill=False)
    for batch in _batches(world.happenings, together_for=together_for):
        at = batch[-1].at
        # A process asks once a day how new Telegram accounts are, by its own clock.
        observing.forget()
        inbox.record(reports=[read(body=_body(each, at=at), sender=sender, at=at) for each in batch], at=at)
        while handling.handle_batch(schema=sender.schema, at=at):
            pass
        second_look.look(at=at)
        while maturing.release_due(schema=sender.schema, limit=RELEASED_MAX, at=at):
            pass


@transaction
def _offer() -> None:
    """
    Make the one campaign.

    Stop rules are out of use: what is measured is each reward's own verdict, which a halted campaign would hide.
    """
    StopRule.objects.update(is_active=False)
    campaign = Campaign.objects.create(name="Bring a friend", goal="attract", starts_at=ACTIVE_FROM)
    Rule.objects.create(
        campaign=campaign,
        trigger="order.paid",
        recipient="both",
        order_number="first",
        amount_points=POINTS,
        hold_days=HOLD_DAYS,
        conditions=[{"field": "amount_minor", "operator": "at_least", "value": THRESHOLD_MINOR}],
    )
    lifecycle.activate(campaign=campaign, author="bench", at=ACTIVE_FROM)


@transaction
def _list(world: World) -> None:
    """Say who works here, and which networks are data centres'."""
    named = [(Listing.List.STAFF, "phone", each.phone) for each in world.staff]
    named += [(Listing.List.DATACENTER, "ip_range", each) for each in DATACENTER]
    wishes = [
        listings.Wish(list=name, line=lines.line_of(kind=kind, text=text, schema=current_schema(), region="RU"))
        for name, kind, text in named
    ]
    listings.put(wishes=wishes, by="bench", at=ACTIVE_FROM)


def _batches(happenings: Sequence[Happening], *, together_for: timedelta) -> Iterator[list[Happening]]:
    """
    Yield what is reported together.

    An inviter has joined by then, as nobody has a code before. And no two friends of one inviter buy in one batch: they
    are minutes apart, and a worker takes less than a second.
    """
    batch: list[Happening] = []
    joining: set[str] = set()
    inviters = {each.person.name: each.inviter.name for each in happenings if each.inviter}
    buying: set[str] = set()
    for each in happenings:
        bought_by = inviters.get(each.person.name, "") if each.kind == "order.paid" else ""
        is_waited_for = (each.inviter is not None and each.inviter.name in joining) or bought_by in buying
        if batch and (is_waited_for or len(batch) >= TOGETHER_MAX or each.at - batch[0].at > together_for):
            yield batch
            batch, joining, buying = [], set(), set()
        batch.append(each)
        joining.add(each.person.name)
        buying |= {bought_by} - {""}
    yield batch


def _body(happening: Happening, *, at: datetime) -> dict[str, Any]:
    return {
        "key": happening.key,
        "kind": happening.kind,
        "member": dict(happening.identities),
        "occurred_at": happening.at.isoformat(),
        "data": {**happening.data, **({"code": _code_of(happening.inviter.name, at)} if happening.inviter else {})},
    }


def _code_of(name: str, at: datetime) -> str:
    return codes.code_of(member_id=people.get_by_external_id(name).pk, at=at)
