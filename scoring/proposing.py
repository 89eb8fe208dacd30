"""What a rule is found to give becomes rewards to be written, each told of in the event's trace. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from antifraud.judging import verdict
from antifraud.limits.guard import Proposal
from antifraud.stops.minutes import Subject
from rewards.refunds import GRANTED
from scoring import noting, ordering, parts, promises
from scoring.batch import Batch
from scoring.parts import Part
from scoring.plan import Proposed
from scoring.situation import UNCHANGED_BPS, Incoming


def propose(
    batch: Batch,
    incoming: Incoming,
    proposal: Proposal,
    entry: dict[str, Any],
    given: Sequence[Part],
    judged: verdict.Verdict,
) -> list[dict[str, Any]]:
    """Count the parts as given and plan them, flagged together or not at all; return the entries that tell of them."""
    asked = parts.asked(given)
    batch.guard.reserve(proposal, asked=asked)
    subjects = noting.of_proposal(batch, incoming, proposal)
    happened = {
        "rewards": 1,
        "points": asked.points,
        "cost_minor": asked.cost_minor,
        "flagged": int(judged.answer == "flag"),
    }
    noting.note(batch, incoming, subjects, happened)
    reasons = _reasons(batch, proposal, judged, subjects)
    proposed = [_proposed(batch, incoming, proposal, part, entry, reasons) for part in given]
    for each in proposed:
        batch.rewarded.add((each.rule_id, each.member_id, each.occurrence))
        batch.plan.proposed.append(each)
        if (each.member_id, each.asset_id) in batch.holdings:
            batch.holdings[each.member_id, each.asset_id] += each.given
        if each.status == GRANTED:
            batch.earning.add((each.member_id, each.asset_id))
        if each.awaits:
            promises.make(batch, each)
    if entry["side"] == "inviter":
        batch.plan.qualified.setdefault(incoming.member_id, incoming.occurred_at)
    return [each.entry for each in proposed]


def _proposed(
    batch: Batch,
    incoming: Incoming,
    proposal: Proposal,
    part: Part,
    entry: dict[str, Any],
    reasons: tuple[dict[str, Any], ...],
) -> Proposed:
    matures_at = incoming.occurred_at + timedelta(days=proposal.rule.hold_days)
    must_wait = bool(proposal.rule.awaits) or matures_at > batch.situation.at
    status = "flagged" if reasons else "pending" if must_wait else "granted"
    is_referral = entry["side"] != "actor"
    return Proposed(
        campaign_id=proposal.offer.campaign_id,
        rule_id=proposal.rule.id,
        version_id=proposal.offer.version_id,
        event_id=incoming.id,
        depth=incoming.depth,
        member_id=proposal.member_id,
        side=entry["side"],
        invitee_id=incoming.member_id if is_referral else None,
        order_number=ordering.number_of(incoming) if incoming.kind == "order.paid" else None,
        occurrence=parts.occurrences(proposal.occurrence, extras=part.nth)[part.nth],
        due=part.due,
        given=part.given,
        status=status,
        reasons=reasons,
        occurred_at=incoming.occurred_at,
        matures_at=matures_at,
        entry=entry | _told(part, status, matures_at=matures_at, awaits=proposal.rule.awaits, reasons=reasons),
        kind=part.kind,
        what=part.what,
        asset_id=part.asset.id if part.asset else None,
        asset=part.asset.code if part.asset else "",
        part=part.nth,
        awaits=proposal.rule.awaits,
        awaits_until=promises.until(proposal),
        cost_minor=part.cost_minor,
    )


def _told(
    part: Part, status: str, *, matures_at: datetime, awaits: str, reasons: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if reasons:
        params["signals"] = [each["signal"] for each in reasons]
    elif awaits:
        params["awaits"] = awaits
    elif status == "pending":
        params["matures_at"] = matures_at.isoformat()
    if part.multiplier_bps != UNCHANGED_BPS:
        params["multiplier_bps"] = part.multiplier_bps
    told = {
        "outcome": "flagged" if reasons else "rewarded",
        "code": "promised" if awaits and not reasons else status,
        "status": status,
        "params": params,
        "kind": part.kind,
        "what": part.what,
        "due": part.due,
        "given": part.given,
    }
    return told | ({"points": part.given} if part.is_points else {})


def _reasons(
    batch: Batch, proposal: Proposal, judged: verdict.Verdict, subjects: Sequence[Subject]
) -> tuple[dict[str, Any], ...]:
    campaign_id = proposal.offer.campaign_id
    offer_now = batch.situation.offer_now(campaign_id)
    is_stopped = proposal.offer.status == "stopped" or (offer_now is not None and offer_now.status == "stopped")
    reasons: list[dict[str, Any]] = []
    if judged.answer == "flag":
        reasons += [{"signal": seen.signal, "evidence": seen.evidence} for seen in judged.seen]
    held = batch.watch.hold(subjects)
    if is_stopped or held is not None:
        # Not a copy: of a trip of this batch the number is filled in once there is one.
        reasons.append({"signal": "stopped", "evidence": {} if held is None else held})
    return tuple(reasons)
