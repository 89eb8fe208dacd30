"""What of a batch stop rules get to know: of whom each thing is counted. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from antifraud.limits.guard import Proposal
from antifraud.stops.minutes import TENANT, Subject
from scoring.batch import Batch
from scoring.situation import Incoming, KnownOrder, Person


@lru_cache(maxsize=1000)
def campaign(campaign_id: int) -> Subject:
    """Return a campaign as what figures are of."""
    return Subject("campaign", str(campaign_id))


def of_referral(*, inviter_id: int, channel: str) -> Iterator[Subject]:
    """Yield what a referral stands under: its inviter, and its channel if it has one."""
    yield Subject("inviter", str(inviter_id))
    if channel:
        yield Subject("channel", channel)


def subjects(batch: Batch, *, member_id: int | None, campaign_ids: Iterable[int]) -> list[Subject]:
    """Return all that something is counted under, of the member who was invited (None: nobody was) and in campaigns."""
    referred = batch.referred.get(member_id) if member_id is not None else None
    ties = of_referral(inviter_id=referred.inviter_id, channel=referred.channel) if referred else ()
    return [*(campaign(each) for each in campaign_ids), *ties, TENANT]


def of_proposal(batch: Batch, incoming: Incoming, proposal: Proposal) -> list[Subject]:
    """Return what a reward is counted under; what somebody gets for themselves, under no inviter and no channel."""
    invitee_id = None if proposal.side == "actor" else incoming.member_id
    return subjects(batch, member_id=invitee_id, campaign_ids=[proposal.offer.campaign_id])


def note(batch: Batch, incoming: Incoming, about: Iterable[Subject], happened: Mapping[str, int]) -> None:
    """Count something that an event has brought about. What is loaded of former times is not counted."""
    if not incoming.is_history:
        for subject in about:
            batch.watch.note(subject, happened)


def of_event(batch: Batch, incoming: Incoming) -> Mapping[str, int]:
    """Return what an event itself counts as: a sign-up, an order, or nothing."""
    if incoming.kind == "member.joined":
        return {"signups": 1, **_told(batch.person(incoming.member_id))}
    if incoming.kind == "order.paid":
        return {"orders": 1, "order_minor": _minor(incoming)}
    return {}


def event(batch: Batch, incoming: Incoming) -> None:
    """Count a sign-up or an order for everything but campaigns: whether those are about it, their rules will say."""
    happened = of_event(batch, incoming)
    if happened:
        note(batch, incoming, subjects(batch, member_id=incoming.member_id, campaign_ids=()), happened)


def event_of(batch: Batch, incoming: Incoming, *, campaign_id: int) -> None:
    """Count a sign-up or an order for a campaign of which a rule is about it."""
    happened = of_event(batch, incoming)
    if happened:
        note(batch, incoming, [campaign(campaign_id)], happened)


def returned(batch: Batch, incoming: Incoming, order: KnownOrder) -> None:
    """Count an order of which for the first time something comes back, under the campaigns that rewarded it."""
    campaign_ids = dict.fromkeys(each.campaign_id for each in order.held)
    note(batch, incoming, subjects(batch, member_id=order.member_id, campaign_ids=campaign_ids), {"refunds": 1})


def _minor(incoming: Incoming) -> int:
    # Not the event's own amount, which may be in another currency.
    amount = incoming.fields.get("amount_minor")
    return amount if isinstance(amount, int) else 0


def _told(person: Person) -> Mapping[str, int]:
    """Return what a sign-up told of its device and its address, by columns of Tally."""
    happened: dict[str, int] = {}
    for kind, (told, new) in {"device": ("device_signups", "devices"), "ip": ("ip_signups", "ips")}.items():
        if kind in person.fresh:
            happened |= {told: 1, new: int(person.fresh[kind])}
    return happened
