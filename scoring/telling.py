"""The facts of a batch: what was attributed, given, kept and taken back."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from antifraud.limits.alarms import Alarm
from events import facts
from events.facts import DEPTH_MAX, Fact, Link
from rewards.refunds import GRANTED
from rewards.releases import Moved
from scoring.plan import Attributed, Plan, Proposed, TakenBack


def facts_of(
    *, plan: Plan, reward_ids: Sequence[int], kept: Mapping[int, Moved], qualified: Collection[int]
) -> Iterator[Fact]:
    """
    Yield the facts of a plan.

    `reward_ids` are those of its proposals, `kept` the promises that were kept by id, `qualified` the invitees whose
    referrals qualify now.
    """
    for attributed in plan.attributed:
        yield _fact_of_referral(attributed)
    for proposed, reward_id in zip(plan.proposed, reward_ids, strict=True):
        yield _fact_of_reward(proposed, reward_id)
    yield from _facts_of_qualified(plan, qualified)
    for taken in plan.taken_back:
        yield _fact_of_return(taken)
    yield from _facts_of_promises(plan, kept)


def following(risen: Sequence[Fact], *, told: Sequence[Fact], plan: Plan) -> list[Fact]:
    """Return the facts about members who have risen, each with what it follows from."""
    # Whoever paid an order has spent more, be it that it earned nothing. Nothing of ours has led to it.
    orders = [Link(1, each.event_id, each.member_id) for each in plan.paid]
    return facts.following(facts=risen, links=[*orders, *facts.links_of(told)])


def facts_of_alarms(alarms: Iterable[Alarm]) -> Iterator[Fact]:
    """Yield the facts of what is nearly used up. What was told of the same maximum and period is not told again."""
    for each in alarms:
        data: dict[str, Any] = {
            "measure": each.measure,
            "used": each.used,
            "max": each.maximum,
            "period": each.key.period,
            "period_start": each.key.period_start.isoformat(),
        }
        if each.limit_id is not None:
            data["limit_id"] = each.limit_id
        if each.campaign_id:
            data["campaign_id"] = each.campaign_id
        yield Fact(f"limit.{each.level}", each.name, data)


def _fact_of_referral(each: Attributed) -> Fact:
    data = {"inviter_id": each.inviter_id, "invitee_id": each.invitee_id, "channel": each.channel}
    return Fact("referral.attributed", f"referral:{each.invitee_id}", data, each.inviter_id, each.event_id, 1)


def _facts_of_qualified(plan: Plan, qualified: Collection[int]) -> Iterator[Fact]:
    """Tell of the friend, by whom rules find the inviter. It follows from what the inviter was first rewarded for."""
    waiting = set(qualified)
    for each in plan.proposed:
        if each.side == "inviter" and each.invitee_id in waiting:
            waiting.remove(each.invitee_id)
            data = {"inviter_id": each.member_id, "invitee_id": each.invitee_id}
            depth = min(each.depth + 1, DEPTH_MAX)
            key = f"referral:{each.invitee_id}:qualified"
            yield Fact("referral.qualified", key, data, each.invitee_id, each.event_id, depth)


def _fact_of_reward(each: Proposed, reward_id: int) -> Fact:
    data = {
        "reward_id": reward_id,
        "campaign_id": each.campaign_id,
        "rule_id": each.rule_id,
        "side": each.side,
        "points": each.points,
        "given": each.given,
        "kind": each.kind,
        "what": each.what,
        "asset": each.asset,
        "occurrence": each.occurrence,
    }
    if each.awaits:
        data["awaits"] = each.awaits
    depth = min(each.depth + 1, DEPTH_MAX)
    return Fact(
        f"reward.{each.status}", f"reward:{reward_id}:{each.status}", data, each.member_id, each.event_id, depth
    )


def _facts_of_promises(plan: Plan, kept: Mapping[int, Moved]) -> Iterator[Fact]:
    """Tell that what a promise waited for has come, and if it is granted by that, that it is."""
    for each in plan.kept:
        moved = kept[int(each.entry["reward_id"])]
        told = Fact(
            kind="reward.promise_kept",
            key=f"reward:{moved.id}:promise_kept:event:{each.event_id}",
            data={
                "reward_id": moved.id,
                "campaign_id": moved.campaign_id,
                "points": each.entry.get("points", 0),
                "given": moved.amount,
                "kind": moved.kind,
                "what": moved.what,
            },
            member_id=each.member_id,
            cause_id=each.event_id,
            depth=min(each.depth + 1, DEPTH_MAX),
        )
        yield told
        if moved.status == GRANTED:
            key = f"reward:{moved.id}:granted:event:{each.event_id}"
            yield told._replace(kind="reward.granted", key=key)


def _fact_of_return(taken: TakenBack) -> Fact:
    before, after = taken.before, taken.after
    back, lost = after.reversed - before.reversed, after.lost - before.lost
    data = {
        "reward_id": before.reward_id,
        "points": back if before.is_points else 0,
        "given": back,
        "kind": before.kind,
        "what": before.what,
        "lost": lost,
        "status": after.status,
    }
    if lost:
        data["lost_why"] = after.lost_why
    key = f"reward:{before.reward_id}:taken_back:{taken.refund_id}"
    return Fact("reward.taken_back", key, data, before.member_id, taken.event_id, min(taken.depth + 1, DEPTH_MAX))
