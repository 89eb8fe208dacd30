"""What an event earns, rule by rule, and why the other rules give nothing. Pure."""

from datetime import tzinfo
from typing import Any

from antifraud.limits.guard import Proposal
from campaigns.definitions import Miss, Offer
from scoring import joining, judging, noting, ordering, parts, proposing
from scoring.batch import Batch
from scoring.parts import Part
from scoring.screening import Line
from scoring.situation import Incoming

SIDES = {
    "actor": ("actor",),
    "inviter": ("inviter",),
    "invitee": ("invitee",),
    "both": ("inviter", "invitee"),
}
# A trace is for people, who do not read hundreds of reasons; what an event did earn is always in it.
MISSES_MAX = 50


def earn(batch: Batch, incoming: Incoming) -> None:
    """Try every rule on this kind of event, in order, and trace each: what it gives, or the first that said no."""
    trace = batch.trace_of(incoming)
    if not incoming.lines:
        trace.append({"outcome": "missed", "code": "no_rule", "params": {"kind": incoming.kind}})
        return
    fields = _fields(batch, incoming)
    taken_groups: dict[str, int] = {}
    noted: set[int] = set()
    misses = 0
    for line in incoming.lines:
        missed = line.missed or _miss(batch, incoming, line, fields) or _miss_of_group(line.offer, taken_groups)
        if missed is None:
            if line.offer.campaign_id not in noted:
                noted.add(line.offer.campaign_id)
                noting.event_of(batch, incoming, campaign_id=line.offer.campaign_id)
            trace += _reward(batch, incoming, line, taken_groups)
        elif misses < MISSES_MAX:
            misses += 1
            trace.append(_short(line, missed))


def _fields(batch: Batch, incoming: Incoming) -> dict[str, object]:
    person = batch.person(incoming.member_id)
    joined_at = person.joined_at or person.first_seen_at
    return {
        **incoming.fields,
        # All that are known: of orders told in the wrong order, or loaded later, one is the first, and is it once.
        "member.orders": person.orders_count,
        "member.days": max((incoming.occurred_at - joined_at).days, 0),
        "member.invited": person.id in batch.referred,
    }


def _miss(batch: Batch, incoming: Incoming, line: Line, fields: dict[str, object]) -> Miss | None:
    if line.rule.line.recipient != "actor" and incoming.member_id not in batch.referred:
        return Miss("not_referred")
    return line.rule.miss(fields)


def _miss_of_group(offer: Offer, taken_groups: dict[str, int]) -> Miss | None:
    group = offer.exclusive_group
    if not group or taken_groups.get(group, offer.campaign_id) == offer.campaign_id:
        return None
    return Miss("exclusive_group", {"group": group})


def _short(line: Line, missed: Miss) -> list[Any]:
    # Every event keeps one of these for every rule on its kind, so it is an array, and leaves out what the version
    # says; scoring.why reads it.
    code, params = missed
    told: Any = [params["index"], params["found"]] if code == "condition" else dict(params)
    return [line.offer.version_id, line.rule.line.id, code, told]


def _reward(batch: Batch, incoming: Incoming, line: Line, taken_groups: dict[str, int]) -> list[dict[str, Any]]:
    entries = [entry for side in SIDES[line.rule.line.recipient] for entry in _rewarded(batch, incoming, line, side)]
    if line.offer.exclusive_group and any(entry["outcome"] in {"rewarded", "flagged"} for entry in entries):
        taken_groups[line.offer.exclusive_group] = line.offer.campaign_id
    return entries


def _rewarded(batch: Batch, incoming: Incoming, line: Line, side: str) -> list[dict[str, Any]]:
    """Return what is told of one side: an entry for each thing that it is given, or one that says why it is not."""
    offer, rule = line.offer, line.rule.line
    referred = batch.referred.get(incoming.member_id) if side != "actor" else None
    member_id = referred.inviter_id if referred and side == "inviter" else incoming.member_id
    what = occurrence_of(incoming, zone=batch.situation.zone)
    inviter_id = referred.inviter_id if referred else 0
    proposal = Proposal(offer, rule, member_id, incoming.occurred_at, side, what, incoming.member_id, inviter_id)
    entry = {"version_id": offer.version_id, "rule_id": rule.id, "side": side, "member_id": member_id}
    due = _due(batch, incoming, proposal)
    if isinstance(due, Miss):
        return [entry | _missed(due)]
    judged = judging.judge(batch, incoming, proposal, referred)
    if judged.answer == "refuse":
        noting.note(batch, incoming, noting.of_proposal(batch, incoming, proposal), {"refused": 1})
        named = [seen.signal for seen in judged.seen]
        params = {"signals": named, "because": judged.because}
        return [entry | {"outcome": "refused", "code": "refused", "params": params, "due": due[0].due}]
    given = parts.fit(batch, proposal, due)
    if isinstance(given, Miss):
        return [entry | _missed(given) | {"due": due[0].due}]
    entries = proposing.propose(batch, incoming, proposal, entry, given, judged)
    for each in entries if judged.because else ():
        each["params"]["because"] = judged.because
    return entries


def _missed(missed: Miss) -> dict[str, Any]:
    return {"outcome": "missed", "code": missed.code, "params": dict(missed.params)}


def _due(batch: Batch, incoming: Incoming, proposal: Proposal) -> tuple[Part, ...] | Miss:
    # Nobody is paid for what a blocked friend does either: whoever blocked them has seen enough.
    if batch.person(proposal.member_id).is_blocked or batch.person(incoming.member_id).is_blocked:
        return Miss("member_blocked")
    rule = proposal.rule
    wanted = parts.occurrences(proposal.occurrence, extras=len(rule.extras))
    if any((rule.id, proposal.member_id, each) in batch.rewarded for each in wanted):
        return Miss("already_rewarded", {"occurrence": proposal.occurrence})
    # Not the event's own amount, which may be in another currency.
    order_minor = incoming.fields.get("amount_minor")
    if rule.amount_kind == "percent" and order_minor is None:
        return Miss("field_missing", {"field": "amount_minor"})
    return parts.due(
        batch,
        proposal,
        order_minor=order_minor if isinstance(order_minor, int) else None,
        nth=batch.guard.nth(proposal) if rule.amount_kind == "tiers" else 1,
    )


def occurrence_of(incoming: Incoming, *, zone: tzinfo) -> str:
    """Return what a reward for an event is for, in the tenant's own terms: the order, the invitee, the day."""
    if incoming.kind == "member.joined":
        return joining.occurrence(incoming)
    if incoming.kind.startswith("order."):
        return ordering.occurrence(incoming)
    about = _once_a_member(incoming, zone=zone)
    # With the member: an inviter may be rewarded for several friends.
    return f"member:{incoming.member_id}:{about}" if about else f"event:{incoming.id}"


def _once_a_member(incoming: Incoming, *, zone: tzinfo) -> str:
    """Return what can happen only once to a member, whatever tells it, or nothing."""
    match incoming.kind:
        case "check_in":
            # The tenant's day.
            return f"day:{incoming.occurred_at.astimezone(zone).date().isoformat()}"
        case "level.reached":
            # Whoever falls and rises again reaches it no second time.
            return f"level:{incoming.data['code']}"
        case "level.will_fall":
            return f"level:{incoming.data['code']}:until:{incoming.data['by']}"
        case "referral.qualified":
            return "qualified"
    return ""
