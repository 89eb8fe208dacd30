"""Somebody signs up: are they new, and who brought them? Pure."""

from datetime import timedelta

from antifraud.judging.observed import Friend, Pace, is_bare
from referrals import touch as touches
from scoring.batch import Batch, Referred
from scoring.plan import Attributed
from scoring.situation import Incoming, Person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def join(batch: Batch, incoming: Incoming) -> bool:
    """
    Note that the member joined, and make the referral if a touch is to be credited.

    Return False for somebody who had joined before: a program may tell it at each log-in, and no rule pays for that.
    """
    person = batch.person(incoming.member_id)
    # Before the sign-up is noted: the question is whether they were a customer until now.
    chosen = _credited(batch, incoming, person)
    is_new = person.joined_at is None
    if is_new:
        person.joined_at = incoming.occurred_at
        batch.plan.joined[person.id] = incoming.occurred_at
    if isinstance(chosen, touches.Miss):
        batch.trace(incoming, {"outcome": "missed", "code": chosen.code, "params": {}})
    else:
        _attribute(batch, incoming, chosen)
    if not is_new:
        batch.trace(incoming, {"outcome": "missed", "code": "already_joined", "params": {}})
    return is_new


def occurrence(incoming: Incoming) -> str:
    """Return what a reward for joining is for: a person joins once."""
    return f"invitee:{incoming.member_id}"


def _credited(batch: Batch, incoming: Incoming, person: Person) -> touches.Touch | touches.Miss:
    situation = batch.situation
    policy = situation.touches.policy
    given = situation.touches.given(
        code=str(incoming.fields.get("code", "")), click_key=str(incoming.fields.get("click_id", ""))
    )
    chosen = touches.choose(given, policy=policy, joined_at=incoming.occurred_at)
    if isinstance(chosen, touches.Miss):
        return chosen
    inviters = {invitee: standing.inviter_id for invitee, standing in situation.touches.referrals.items()}
    inviters |= {invitee: referred.inviter_id for invitee, referred in batch.referred.items()}
    is_existing = person.joined_at is not None or person.orders_before(incoming.occurred_at) > 0 or person.has_invited
    refused = touches.forbid(chosen, invitee_id=person.id, is_existing=is_existing, inviters=inviters)
    return refused or chosen


def _attribute(batch: Batch, incoming: Incoming, chosen: touches.Touch) -> None:
    inviter = batch.person(chosen.inviter_id)
    inviter.has_invited = True
    inviter.signups.append(incoming.occurred_at)
    ago = [incoming.occurred_at - instant for instant in inviter.signups]
    signups = Pace(*(sum(timedelta() <= each < period for each in ago) for period in (HOUR, DAY)))
    bare = is_bare(incoming.data.get("telegram_username"), incoming.data.get("telegram_photo"))
    channel = str(incoming.fields.get("channel", "") or chosen.channel)
    batch.referred[incoming.member_id] = Referred(inviter.id, incoming.occurred_at, signups, channel, bare)
    batch.inviters[incoming.member_id] = inviter.id
    batch.friends_of(inviter.id)[incoming.member_id] = Friend(
        member_id=incoming.member_id,
        attributed_at=incoming.occurred_at,
        network=batch.person(incoming.member_id).network,
    )
    batch.plan.attributed.append(
        Attributed(
            inviter_id=inviter.id,
            invitee_id=incoming.member_id,
            code_id=chosen.code_id,
            click_id=chosen.click_id,
            event_id=incoming.id,
            channel=channel,
            utm=incoming.data.get("utm") or chosen.utm,
            attributed_at=incoming.occurred_at,
        )
    )
    batch.trace(incoming, {"outcome": "attributed", "code": "referred", "params": {"inviter_id": inviter.id}})
