"""Whether a proposed reward looks honest: what is known of those concerned is put before the signals. Pure."""

from bisect import bisect_right, insort
from dataclasses import replace
from datetime import datetime, timedelta

from antifraud import signals
from antifraud.judging import verdict
from antifraud.judging.observed import Bought, Friend, Listed, Observed, Party, Seen
from antifraud.judging.verdict import Verdict
from antifraud.limits.guard import Proposal
from scoring.batch import Batch, Referred
from scoring.plan import Noticed
from scoring.situation import Incoming, Person

HOUR = timedelta(hours=1)
# The operator of a condition that asks for so much or more.
AT_LEAST = "at_least"
THINGS = frozenset({"device", "card"})
# Whoever does something for themselves is not suspected of having invited themselves to it.
ALLOWED = Verdict("allow", ())


def judge(batch: Batch, incoming: Incoming, proposal: Proposal, referred: Referred | None) -> Verdict:
    """Return the verdict on a reward, and note what was seen for it: by a shadow policy too."""
    case = _of_referral(batch, incoming, proposal, referred) if referred else _of_member(batch, incoming)
    if case is None:
        return ALLOWED
    policies, campaign_id = batch.situation.policies, proposal.offer.campaign_id
    policy, shadow = policies.of(campaign_id), policies.find_shadow(campaign_id)
    judged = verdict.decide(
        seen=signals.observe(case=case, settings=policy.settings),
        policy=policy,
        is_exempt=any(_is_exempt(line) for party in case.parties for line in party.traits.listed),
    )
    if shadow:
        known = {each.signal for each in (*judged.seen, *judged.shadow)}
        tried = signals.observe(case=case, settings=shadow.settings)
        more = tuple(replace(each, is_shadow=True) for each in tried if each.signal not in known)
        judged = replace(judged, shadow=(*judged.shadow, *more))
    batch.plan.noticed += [_noticed(incoming, proposal, each, judged) for each in (*judged.seen, *judged.shadow)]
    if referred:
        insort(batch.rush_of(campaign_id), incoming.occurred_at)
    return judged


def remember(batch: Batch, incoming: Incoming) -> None:
    """Let later events of the batch know of a friend's first order."""
    referred = batch.referred.get(incoming.member_id)
    if referred is None or incoming.kind != "order.paid":
        return
    amount_minor = incoming.fields.get("amount_minor")
    friend = Friend(
        member_id=incoming.member_id,
        attributed_at=referred.attributed_at,
        paid_at=incoming.occurred_at,
        amount_minor=amount_minor if isinstance(amount_minor, int) else None,
        orders=1,
        network=batch.person(incoming.member_id).network,
    )
    friends = batch.friends_of(referred.inviter_id)
    if incoming.member_id not in friends or friends[incoming.member_id].paid_at is None:
        friends[incoming.member_id] = friend


def _of_member(batch: Batch, incoming: Incoming) -> Observed | None:
    """Return what is to be looked at of whoever earns something for themselves, if there is anything."""
    person = batch.person(incoming.member_id)
    counts = batch.situation.nearby.accounts
    accounts = {pair: counts[pair] for pair in incoming.named if pair in counts} if counts else {}
    if not person.traits.listed and max(accounts.values(), default=0) < 2:
        return None
    return Observed(member_id=person.id, occurred_at=incoming.occurred_at, invitee=_party(person), accounts=accounts)


def _of_referral(batch: Batch, incoming: Incoming, proposal: Proposal, referred: Referred) -> Observed:
    invitee, inviter = batch.person(incoming.member_id), batch.person(referred.inviter_id)
    nearby = batch.situation.nearby
    rush, now = batch.rush_of(proposal.offer.campaign_id), incoming.occurred_at
    ties = nearby.ties
    party = _party(invitee, known_at=min([invitee.first_seen_at, *_doubles(invitee, inviter)]))
    return Observed(
        member_id=proposal.member_id,
        occurred_at=incoming.occurred_at,
        invitee=replace(party, traits=replace(party.traits, is_bare=party.traits.is_bare or referred.is_bare)),
        inviter=_party(inviter),
        attributed_at=referred.attributed_at,
        signups=referred.signups,
        campaign_pace=1 + bisect_right(rush, now) - bisect_right(rush, now - HOUR),
        friends=tuple(batch.friends_of(inviter.id).values()),
        bought=_bought(incoming, proposal, invitee, referred),
        accounts={pair: len(ties.holders.get(pair, ())) for pair in invitee.identities if pair[0] in THINGS},
        telegram_newest=nearby.telegram_newest,
        ties=replace(ties, inviters=batch.inviters),
    )


def _party(person: Person, *, known_at: datetime | None = None) -> Party:
    return Party(
        id=person.id,
        first_seen_at=known_at or person.first_seen_at,
        identities=person.identities,
        traits=person.traits,
    )


def _doubles(invitee: Person, inviter: Person) -> list[datetime]:
    # What the inviter shares tells nothing of when the friend was known.
    return [instant for member_id, instant in invitee.doubles.items() if member_id != inviter.id]


def _bought(incoming: Incoming, proposal: Proposal, invitee: Person, referred: Referred) -> Bought | None:
    if incoming.kind != "order.paid":
        return None
    amount_minor = incoming.fields.get("amount_minor")
    asked = [
        each.value
        for each in proposal.rule.conditions
        if each.field == "amount_minor" and each.operator == AT_LEAST and isinstance(each.value, int)
    ]
    since = incoming.occurred_at - referred.attributed_at
    is_first = invitee.orders_count == 0 and since >= timedelta()
    return Bought(
        amount_minor=amount_minor if isinstance(amount_minor, int) else None,
        threshold_minor=max(asked, default=None),
        delay_seconds=int(since.total_seconds()) if is_first else None,
    )


def _is_exempt(line: Listed) -> bool:
    return line.list == "exempt"


def _noticed(incoming: Incoming, proposal: Proposal, seen: Seen, judged: Verdict) -> Noticed:
    return Noticed(
        event_id=incoming.id,
        rule_id=proposal.rule.id,
        member_id=proposal.member_id,
        seen=seen,
        verdict=judged.answer,
    )
