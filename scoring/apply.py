"""Write what was decided about a batch: a fixed number of statements, in the order in which locks are taken."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from antifraud import cases, counters, stops
from antifraud.cases import Flagged, NewSignal
from antifraud.guard import Tripped
from core import db
from events import claims
from events.claims import Handled, Outcome, Parked
from events.facts import DEPTH_MAX, Fact
from referrals import attribution
from referrals.attribution import NewReferral
from rewards import grants, ledger
from rewards.grants import NewReward, TakeBack
from rewards.ledger import Move
from scoring.plan import Attributed, Plan, Proposed, TakenBack
from scoring.situation import Situation

PARK = timedelta(minutes=1)
# A day and a half in all: a shop's nightly export may bring the order a day after its refund.
PARK_ATTEMPTS_MAX = 12

# Signs up, pays, gets money back: what the log says of people and orders, in one statement.
NOTE = """
WITH joined AS (
    UPDATE members_member m SET joined_at = j.joined_at
    FROM unnest(%(joined_ids)s::bigint[], %(joined_ats)s::timestamptz[]) AS j (id, joined_at) WHERE m.id = j.id
), returned AS (
    UPDATE events_order o SET refunded_minor = r.refunded_minor, cancelled_at = r.cancelled_at
    FROM unnest(%(returned_ids)s::bigint[], %(refunded)s::bigint[], %(cancelled_ats)s::timestamptz[])
        AS r (id, refunded_minor, cancelled_at)
    WHERE o.id = r.id
)
INSERT INTO events_order (number, member_id, event_id, amount_minor, currency, refunded_minor, paid_at)
SELECT number, member_id, event_id, amount_minor, currency, 0, paid_at
FROM unnest(%(numbers)s::text[], %(member_ids)s::bigint[], %(event_ids)s::bigint[], %(amounts)s::bigint[],
    %(currencies)s::text[], %(paid_ats)s::timestamptz[])
    AS p (number, member_id, event_id, amount_minor, currency, paid_at)
RETURNING number, id
"""


@db.in_transaction
def write(*, plan: Plan, situation: Situation) -> Outcome:
    """Write the plan, and return what became of its events. The caller holds the tenant's lock."""
    at = situation.at
    referral_ids = _referrals(plan, situation)
    order_ids = _note(plan)
    reward_ids = _rewards(plan, situation, referral_ids=referral_ids, order_ids=order_ids)
    ledger.post(moves=[*_payments(plan, situation, reward_ids), *_returns(plan)], at=at)
    cases.record(flagged=list(_flagged(plan, reward_ids)), signals=list(_signals(plan)), at=at)
    counters.write(used=plan.used)
    stopped = [tripped for tripped in plan.tripped if stops.trip(tripped=tripped, at=at)]
    return Outcome(
        handled=list(_handled(plan, situation)),
        parked=list(_parked(plan, situation)),
        facts=list(_facts(plan, reward_ids, stopped, at=at)),
    )


def _referrals(plan: Plan, situation: Situation) -> dict[int, int]:
    standing = situation.touches.referrals
    written = attribution.write(
        new=[NewReferral(**asdict(each)) for each in plan.attributed],
        qualified={
            invitee_id: instant
            for invitee_id, instant in plan.qualified.items()
            if invitee_id not in standing or standing[invitee_id].qualified_at is None
        },
    )
    return {invitee_id: each.referral_id for invitee_id, each in standing.items()} | written


def _note(plan: Plan) -> dict[str, int]:
    if not (plan.joined or plan.paid or plan.returned):
        return {}
    returned = plan.returned.values()
    rows = db.fetch(
        NOTE,
        {
            "joined_ids": list(plan.joined),
            "joined_ats": list(plan.joined.values()),
            "returned_ids": [each.order_id for each in returned],
            "refunded": [each.refunded_minor for each in returned],
            "cancelled_ats": [each.cancelled_at for each in returned],
            "numbers": [each.number for each in plan.paid],
            "member_ids": [each.member_id for each in plan.paid],
            "event_ids": [each.event_id for each in plan.paid],
            "amounts": [each.amount_minor for each in plan.paid],
            "currencies": [each.currency for each in plan.paid],
            "paid_ats": [each.paid_at for each in plan.paid],
        },
    )
    return {row.number: row.id for row in rows}


class RewardedTwice(RuntimeError):
    """A programming error: an occurrence that was not rewarded when the batch began is rewarded now."""


def _rewards(plan: Plan, situation: Situation, *, referral_ids: dict[int, int], order_ids: dict[str, int]) -> list[int]:
    new = [
        NewReward(
            campaign_id=each.campaign_id,
            rule_id=each.rule_id,
            version_id=each.version_id,
            event_id=each.event_id,
            member_id=each.member_id,
            side=each.side,
            occurrence=each.occurrence,
            asset_id=situation.asset_id,
            due=each.due,
            given=each.given,
            status=each.status,
            reasons=each.reasons,
            occurred_at=each.occurred_at,
            matures_at=each.matures_at,
            created_at=situation.at,
            granted_at=situation.at if each.status == "granted" else None,
            referral_id=referral_ids[each.invitee_id] if each.invitee_id else None,
            order_id=order_ids[each.order_number] if each.order_number else None,
        )
        for each in plan.proposed
    ]
    ids: list[int] = []
    for each, reward_id in zip(plan.proposed, grants.write(new=new, taken=_merged(plan.taken_back)), strict=True):
        if reward_id is None:
            raise RewardedTwice(f"rule {each.rule_id}, member {each.member_id}, {each.occurrence}")
        each.entry["reward_id"] = reward_id
        ids.append(reward_id)
    return ids


def _merged(taken_back: Sequence[TakenBack]) -> list[TakeBack]:
    # Several refunds of one order in a batch: from how the reward was read to how the last of them leaves it.
    merged: dict[int, TakeBack] = {}
    for each in taken_back:
        first = merged.get(each.before.reward_id)
        merged[each.before.reward_id] = TakeBack(before=first.before if first else each.before, after=each.after)
    return list(merged.values())


def _payments(plan: Plan, situation: Situation, reward_ids: Sequence[int]) -> Iterator[Move]:
    for each, reward_id in zip(plan.proposed, reward_ids, strict=True):
        if each.status == "granted":
            yield grants.grant_move(
                reward_id=reward_id, member_id=each.member_id, asset_id=situation.asset_id, amount=each.given
            )


def _returns(plan: Plan) -> Iterator[Move]:
    for each in plan.taken_back:
        if each.taken:
            yield grants.refund_move(held=each.before, amount=each.taken, refund_id=each.refund_id)


def _flagged(plan: Plan, reward_ids: Sequence[int]) -> Iterator[Flagged]:
    for each, reward_id in zip(plan.proposed, reward_ids, strict=True):
        if each.status == "flagged":
            key = cases.group_key(campaign_id=each.campaign_id, invitee_id=each.invitee_id, event_id=each.event_id)
            yield Flagged(key, each.campaign_id, reward_id)


def _signals(plan: Plan) -> Iterator[NewSignal]:
    for each in plan.noticed:
        seen = each.seen
        yield NewSignal(
            each.event_id, each.rule_id, each.member_id, seen.signal, seen.weight, each.verdict, seen.evidence
        )


def _handled(plan: Plan, situation: Situation) -> Iterator[Handled]:
    for each in situation.incoming:
        if each.id in plan.traces and each.id not in plan.parked:
            yield Handled(each.id, each.member_id, tuple(plan.traces[each.id]))


def _parked(plan: Plan, situation: Situation) -> Iterator[Parked]:
    for each in situation.incoming:
        if each.id in plan.parked:
            next_at = claims.next_attempt(
                attempts=each.attempts, step=PARK, attempts_max=PARK_ATTEMPTS_MAX, at=situation.at
            )
            yield Parked(each.id, plan.parked[each.id], next_at)


def _facts(plan: Plan, reward_ids: Sequence[int], stopped: Sequence[Tripped], *, at: datetime) -> Iterator[Fact]:
    for attributed in plan.attributed:
        yield _fact_of_referral(attributed)
    for proposed, reward_id in zip(plan.proposed, reward_ids, strict=True):
        yield _fact_of_reward(proposed, reward_id)
    for taken in plan.taken_back:
        yield _fact_of_return(taken)
    for tripped in stopped:
        data = {"figure": tripped.figure, "threshold": tripped.stop_rule.threshold, "campaign_id": tripped.campaign_id}
        yield Fact("campaign.stopped", f"campaign:{tripped.campaign_id}:stopped:{at.isoformat()}", data)


def _fact_of_referral(each: Attributed) -> Fact:
    data = {"inviter_id": each.inviter_id, "invitee_id": each.invitee_id, "channel": each.channel}
    return Fact("referral.attributed", f"referral:{each.invitee_id}", data, each.inviter_id, each.event_id, 1)


def _fact_of_reward(each: Proposed, reward_id: int) -> Fact:
    data = {
        "reward_id": reward_id,
        "campaign_id": each.campaign_id,
        "rule_id": each.rule_id,
        "side": each.side,
        "points": each.given,
        "occurrence": each.occurrence,
    }
    depth = min(each.depth + 1, DEPTH_MAX)
    return Fact(
        f"reward.{each.status}", f"reward:{reward_id}:{each.status}", data, each.member_id, each.event_id, depth
    )


def _fact_of_return(taken: TakenBack) -> Fact:
    data = {
        "reward_id": taken.before.reward_id,
        "points": taken.after.reversed - taken.before.reversed,
        "lost": taken.after.lost - taken.before.lost,
        "status": taken.after.status,
    }
    key = f"reward:{taken.before.reward_id}:taken_back:{taken.refund_id}"
    return Fact("reward.taken_back", key, data, taken.before.member_id, taken.event_id, min(taken.depth + 1, DEPTH_MAX))
