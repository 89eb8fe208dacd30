"""
Something to look at: campaigns, members and orders, made through the ordinary verbs and so as real ones are.

A fixture is made once: what is there already is left as it is, and what an attempt has left undone is made up for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns import lifecycle
from campaigns.models import Campaign, Rule
from core.db import transaction
from core.errors import Failure, NotFound
from core.money import to_minor
from events import inbox
from events.models import Event
from events.reports import Sender, read
from integrations.sandbox import coming, stories, turns
from integrations.sandbox.stories import Act, Offer, Story
from members import people
from members.identities import region_of
from referrals import codes
from rewards.actors import Actor
from tenants import sandboxes
from tenants.models import Tenant

BEGINS_DAYS = 30


class UnknownFixture(NotFound):
    """There is none of this name."""

    message = _("There is no such fixture. GET /api/v1/sandbox/fixtures lists them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What there is of a fixture."""

    story: Story
    campaigns: list[Campaign]
    events: list[Event]
    members: list[str]


def make(*, name: str, by: Actor, at: datetime) -> Made:
    """
    Make a fixture in the current sandbox, or what is missing of it, and return all of it.

    :raises sandboxes.SandboxOnly: in a live tenant.
    :raises UnknownFixture: | turns.SandboxBusy
    """
    sandbox = sandboxes.get_current()
    story = stories.ALL.get(name)
    if story is None:
        raise UnknownFixture
    with turns.alone(schema=sandbox.schema_name):
        _offer(story, sandbox, by, at)
        # An inviter has a code once they are known.
        for _is_invited, acts in groupby(story.acts, key=lambda act: bool(act.invited_by)):
            _report(story, list(acts), sandbox, at)
            coming.handle_waiting(schema=sandbox.schema_name, at=at)
        return find(story=story)


def find(*, story: Story) -> Made:
    """Return what there is of a fixture."""
    names = [offer.name for offer in story.offers]
    keys = [key for key, _act in _keyed(story)]
    events = list(Event.objects.filter(source=Event.Source.API, key__in=keys).order_by("pk"))
    return Made(
        story=story,
        campaigns=list(Campaign.objects.filter(name__in=names).order_by("pk")),
        events=events,
        members=list(dict.fromkeys(act.who for act in story.acts)) if events else [],
    )


@transaction
def _offer(story: Story, sandbox: Tenant, by: Actor, at: datetime) -> None:
    # Two at once would each make the campaigns.
    people.lock(sandbox.schema_name)
    missing = [offer for offer in story.offers if not Campaign.objects.filter(name=offer.name).exists()]
    for offer in missing:
        _make_campaign(offer, by, at - timedelta(days=BEGINS_DAYS))
    if missing:
        by.note(action="sandbox.fixture_made", target=f"fixture:{story.name}", changes={}, at=at)


def _make_campaign(offer: Offer, by: Actor, at: datetime) -> None:
    campaign = Campaign.objects.create(name=offer.name, goal=offer.goal)
    for position, rule in enumerate(offer.rules):
        Rule.objects.create(campaign=campaign, position=position, **rule)
    lifecycle.activate(campaign=campaign, author=by.name, at=at)


def _report(story: Story, acts: list[Act], sandbox: Tenant, at: datetime) -> None:
    known = {event.key for event in find(story=story).events}
    sender = Sender(schema=sandbox.schema_name, region=region_of(sandbox.currency), may_backfill=False)
    bodies = [_body(key, act, sandbox, at) for key, act in _keyed(story) if act in acts and key not in known]
    reports = [read(body=body, sender=sender, at=at) for body in bodies]
    for outcome in inbox.record(reports=reports, at=at):
        if isinstance(outcome, Failure):
            raise outcome


def _keyed(story: Story) -> Iterator[tuple[str, Act]]:
    for number, act in enumerate(story.acts, start=1):
        yield f"fixture:{story.name}:{number}", act


def _body(key: str, act: Act, sandbox: Tenant, at: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "kind": act.kind,
        "member": {"external_id": act.who, **act.known_by},
        "occurred_at": (at - timedelta(minutes=act.ago_minutes)).isoformat(),
        "data": dict(_data(key, act, sandbox, at)),
    }


def _data(key: str, act: Act, sandbox: Tenant, at: datetime) -> Mapping[str, Any]:
    if act.invited_by:
        inviter = people.get_by_external_id(act.invited_by)
        return {"code": codes.code_of(member_id=inviter.pk, at=at)}
    if act.amount:
        amount_minor = to_minor(Decimal(act.amount), sandbox.currency)
        return {"order_id": key, "amount_minor": amount_minor, "currency": sandbox.currency}
    return {}
