"""Write what was decided about a batch: a fixed number of statements, in the order in which locks are taken."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from antifraud.limits import counters
from antifraud.moderation import cases
from antifraud.moderation.cases import Flagged, NewSignal
from antifraud.signals import ring
from antifraud.stops import firing
from core import db
from events import claims
from events.claims import Handled, Outcome, Parked
from referrals import attribution
from referrals.attribution import NewReferral
from rewards import giving, grants, ledger, releases
from rewards.giving import Granted
from rewards.grants import NewReward, TakeBack
from rewards.ledger import Move
from rewards.levels import review
from rewards.refunds import GRANTED
from rewards.releases import Moved
from scoring import telling
from scoring.plan import Kept, Plan, TakenBack
from scoring.situation import Situation

PARK = timedelta(minutes=1)
# A day and a half in all: a shop's nightly export may bring the order a day after its refund. An order that is later
# still finds its refund failed, and wakes it.
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
    # Before the rewards, which tell of the trip that makes them wait.
    trips = firing.record(tripped=plan.tripped, at=at)
    reward_ids = _rewards(plan, situation, referral_ids=referral_ids, order_ids=order_ids)
    kept = _kept(plan, reward_ids, order_ids=order_ids, at=at)
    kept_now = [releases.granted_of(each) for each in kept.values() if each.status == GRANTED]
    lost = _give(plan, situation, [*_granted(plan, reward_ids), *kept_now])
    cases.record(flagged=list(_flagged(plan, reward_ids)), signals=list(_signals(plan)), at=at)
    counters.write(used=plan.used, noted=plan.noted, at=at)
    if lost:
        again = _kept_after_all(plan, lost)
        counters.take_again(reward_ids=again, costs_of=sorted(lost.difference(again)), zone=str(situation.zone))
    stopped = firing.act(trips=trips, at=at)
    qualified = _qualified(plan, situation)
    told = [*telling.facts_of(plan=plan, reward_ids=reward_ids, kept=kept, qualified=qualified), *stopped]
    told += telling.facts_of_alarms(plan.alarms)
    if situation.has_levels:
        risen = review.rise(member_ids=_rising(plan), at=at)
        told += telling.following(risen, told=told, plan=plan)
    handled, parked = list(_handled(plan, situation)), list(_parked(plan, situation))
    return Outcome(handled=handled, parked=parked, woken=plan.woken, facts=told)


def _referrals(plan: Plan, situation: Situation) -> dict[int, int]:
    written = attribution.write(
        new=[NewReferral(**asdict(each)) for each in plan.attributed], qualified=_qualified(plan, situation)
    )
    standing = situation.touches.referrals
    return {invitee_id: each.referral_id for invitee_id, each in standing.items()} | written


def _qualified(plan: Plan, situation: Situation) -> dict[int, datetime]:
    """Return when the referrals qualified that do so now, by invitee."""
    standing = situation.touches.referrals
    return {
        invitee_id: instant
        for invitee_id, instant in plan.qualified.items()
        if invitee_id not in standing or standing[invitee_id].qualified_at is None
    }


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
            kind=each.kind,
            what=each.what,
            part=each.part,
            asset_id=each.asset_id,
            awaits=each.awaits,
            awaits_until=each.awaits_until,
            cost_minor=each.cost_minor,
            due=each.due,
            given=each.given,
            status=each.status,
            reasons=each.reasons,
            occurred_at=each.occurred_at,
            matures_at=each.matures_at,
            created_at=situation.at,
            granted_at=situation.at if each.status == GRANTED else None,
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


class PromiseChanged(RuntimeError):
    """A programming error: a promise that was waiting when the batch began does not wait any more."""


def _kept(plan: Plan, reward_ids: Sequence[int], *, order_ids: dict[str, int], at: datetime) -> dict[int, Moved]:
    """Keep the promises, those of this batch too, which are written by now; return them by their ids."""
    for each in plan.kept:
        if each.place is not None:
            each.entry["reward_id"] = reward_ids[each.place]
    orders = {_id_of(each): order_ids[each.order_number] if each.order_number else None for each in plan.kept}
    moved = {each.id: each for each in releases.keep(orders=orders, at=at)}
    if len(moved) != len(plan.kept):
        raise PromiseChanged
    return moved


def _id_of(kept: Kept) -> int:
    return int(kept.entry["reward_id"])


def _granted(plan: Plan, reward_ids: Sequence[int]) -> Iterator[Granted]:
    for each, reward_id in zip(plan.proposed, reward_ids, strict=True):
        if each.status == GRANTED:
            yield Granted(reward_id, each.member_id, each.kind, each.what, each.asset_id, each.given)


def _give(plan: Plan, situation: Situation, granted: Sequence[Granted]) -> set[int]:
    """Give what is granted now, and take back what refunds take back; return what is beyond reach of that."""
    at = situation.at
    paid = giving.moves(granted=granted, lines=situation.lines, zone=situation.zone, at=at)
    ledger.post(moves=[*paid, *_returns(plan)], lots=situation.lots, at=at)
    giving.entitle(granted=granted, at=at)
    return giving.take_back(reward_ids=list(_stopped(plan)), at=at)


def _returns(plan: Plan) -> Iterator[Move]:
    for each in plan.taken_back:
        if each.taken:
            yield grants.refund_move(held=each.before, amount=each.taken, refund_id=each.refund_id)


def _stopped(plan: Plan) -> Iterator[int]:
    for each in plan.taken_back:
        is_back = each.after.reversed > each.before.reversed
        if is_back and each.before.status == GRANTED and not each.before.is_counted:
            yield each.before.reward_id


def _kept_after_all(plan: Plan, lost: set[int]) -> list[int]:
    """Return what counts again: a part of it was seen or used after this batch had read that it was not."""
    known = {each.after.together for each in plan.taken_back if each.after.lost}
    found = {each.after.together for each in plan.taken_back if each.before.reward_id in lost} - known
    return [each.before.reward_id for each in plan.taken_back if each.before.part == 0 and each.after.together in found]


def _rising(plan: Plan) -> set[int]:
    """Return who may have earned, spent or brought enough for a higher level."""
    earning = {each.member_id for each in plan.proposed} | {each.member_id for each in plan.kept}
    return earning | {each.member_id for each in plan.paid} | {each.inviter_id for each in plan.attributed}


def _flagged(plan: Plan, reward_ids: Sequence[int]) -> Iterator[Flagged]:
    for each, reward_id in zip(plan.proposed, reward_ids, strict=True):
        if each.status == "flagged":
            key = cases.group_key(
                campaign_id=each.campaign_id,
                invitee_id=each.invitee_id,
                event_id=each.event_id,
                ring=next((told["evidence"]["members"] for told in each.reasons if told["signal"] == ring.NAME), ()),
            )
            yield Flagged(key, each.campaign_id, reward_id)


def _signals(plan: Plan) -> Iterator[NewSignal]:
    for each in plan.noticed:
        seen = each.seen
        yield NewSignal(
            each.event_id,
            each.rule_id,
            each.member_id,
            seen.signal,
            seen.weight,
            each.verdict,
            seen.evidence,
            seen.is_shadow,
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
