"""
Rewards that staff or a program issues without a rule, and takes back: with a reason, a fact and an audit entry.

They belong to the tenant's built-in campaign (docs/adr/0013). What is issued is granted at once, and once under a key.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from campaigns import giving as terms
from campaigns.models import Rule
from core.db import current_schema, execute, fetch, in_transaction, json_text
from core.errors import Denied, Invalid, NotFound
from events import facts
from events.facts import Fact
from events.models import Event
from members import people
from rewards import adjustments, assets, builtin, costs, giving, grants, ledger, redemptions
from rewards.actors import Actor
from rewards.giving import Granted
from rewards.grants import NewReward
from rewards.levels import review
from rewards.models import Asset, Gift, Reward
from tenants import context

Status = Reward.Status

KEY_LENGTH_MAX: Final = 100
REASON_LENGTH_MAX: Final = 300
AMOUNT_MAX: Final = 10**12
# What issues this much of an asset for everybody has a code; the programme's own needs none.
DEFAULT_ASSETS: Final = {"points": assets.POINTS}


class NotIssuable(Invalid):
    """There is no such thing to give, or not in this amount; or nobody says why."""


class NeedsSecondPerson(Denied):
    """One person of the staff may not give so many units alone."""

    message = _("So many units need a second person: make it a change by hand, which somebody else confirms.")


class UnknownReward(NotFound):
    """There is no such reward."""

    message = _("There is no such reward.")


class Wanted(NamedTuple):
    """What to issue to whom: `what` is an asset's or a gift's code. `key` is the asker's own name for it."""

    key: str
    member_id: int
    kind: str
    what: str
    amount: int
    reason: str


@in_transaction
def issue(*, wanted: Wanted, actor: Actor, at: datetime) -> Reward:
    """
    Issue a reward and grant it. The same request again gives what the first one made.

    :raises NotIssuable: with a sentence that says why not.
    :raises redemptions.KeyReused: when the key came with something else.
    :raises NeedsSecondPerson: when it is too much for one person of the staff.
    :raises adjustments.BalanceTooLarge: when the asset allows no such balance.
    """
    people.lock(current_schema())
    member_id = people.present(wanted.member_id)
    wanted = wanted._replace(member_id=member_id, reason=wanted.reason.strip()[:REASON_LENGTH_MAX])
    if (repeat := _find_repeat(wanted)) is not None:
        return repeat
    _require_issuable(wanted)
    asset = _asset_of(wanted)
    if asset is not None:
        _require_second_person(wanted, asset, actor, at=at)
        adjustments.require_room(member_id=wanted.member_id, asset=assets.lines()[asset.pk], amount=wanted.amount)
    rule, event = builtin.get_rule(at=at), _tell_of_issue(wanted, actor, at=at)
    reward_id = _write(wanted, rule, event, asset=asset, at=at)
    _grant(wanted, reward_id, asset_id=asset.pk if asset else None, at=at)
    _tell(wanted, rule, event, reward_id, asset=asset, at=at)
    changes = {name: value for name, value in wanted._asdict().items() if name != "key"}
    actor.note(action="reward.issued", target=f"reward:{reward_id}", changes=changes, at=at)
    return get(reward_id=reward_id)


def get(*, reward_id: int) -> Reward:
    """
    Return a reward.

    :raises UnknownReward:
    """
    found = Reward.objects.filter(pk=reward_id).select_related("campaign", "asset", "order", "event").first()
    if found is None:
        raise UnknownReward
    return found


# Issuing


def _find_repeat(wanted: Wanted) -> Reward | None:
    event = Event.objects.filter(source=Event.Source.SARAFAN, key=_fact_key(wanted)).first()
    if event is None:
        return None
    reward_id = event.trace[0]["reward_id"]
    if not redemptions.is_same(fingerprint=event.data["fingerprint"], verb="issue", wanted=wanted):
        raise redemptions.KeyReused(pointer="/key", extra={"reward_id": reward_id})
    return get(reward_id=reward_id)


def _require_issuable(wanted: Wanted) -> None:
    if not wanted.reason:
        raise NotIssuable(_("Say why: it stands in the log."), pointer="/reason")
    if not 0 < wanted.amount <= AMOUNT_MAX:
        raise NotIssuable(_("The amount must be above 0."), pointer="/amount")
    problem = terms.problem(kind=wanted.kind, what=wanted.what, amount=wanted.amount)
    if problem:
        raise NotIssuable(problem, pointer="/what" if terms.is_known(wanted.kind) else "/kind")


def _asset_of(wanted: Wanted) -> Asset | None:
    if not terms.is_counted(wanted.kind):
        return None
    return Asset.objects.get(code=wanted.what or DEFAULT_ASSETS[wanted.kind])


def _require_second_person(wanted: Wanted, asset: Asset, actor: Actor, *, at: datetime) -> None:
    threshold = adjustments.threshold_of(scale=asset.scale)
    if actor.kind != "staff" or threshold is None:
        return
    about = {"member_id": wanted.member_id, "asset_id": asset.pk}
    since = at - adjustments.COUNTED_TOGETHER
    issued = int(fetch(ISSUED, {**about, "since": since, "rule_id": builtin.get_rule(at=at).pk})[0].units)
    if issued + adjustments.asked_lately(**about, by=actor, since=since) + wanted.amount >= threshold:
        raise NeedsSecondPerson


def _tell_of_issue(wanted: Wanted, actor: Actor, *, at: datetime) -> Event:
    data = {
        "kind": wanted.kind,
        "what": wanted.what,
        "amount": wanted.amount,
        "reason": wanted.reason,
        "actor": actor.name,
        "fingerprint": _fingerprint_of(wanted),
    }
    key = _fact_key(wanted)
    facts.record(facts=[Fact("reward.issued", key, data, wanted.member_id)], at=at)
    return Event.objects.get(source=Event.Source.SARAFAN, key=key)


def _cost_of(wanted: Wanted, asset: Asset | None) -> int:
    if asset is not None:
        return assets.price_of(asset, currency=context.current().currency).cost_of(wanted.amount)
    gift = Gift.objects.get(code=wanted.what)
    return costs.of_gift(kind=gift.kind, cost_minor=gift.cost_minor).cost_of(wanted.amount)


def _write(wanted: Wanted, rule: Rule, event: Event, *, asset: Asset | None, at: datetime) -> int:
    new = NewReward(
        campaign_id=rule.campaign_id,
        rule_id=rule.pk,
        version_id=builtin.get_version(rule=rule).pk,
        event_id=event.pk,
        member_id=wanted.member_id,
        side=Reward.Side.ACTOR,
        occurrence=_occurrence_of(wanted),
        asset_id=asset.pk if asset else None,
        due=wanted.amount,
        given=wanted.amount,
        status=Status.GRANTED,
        occurred_at=at,
        matures_at=at,
        created_at=at,
        granted_at=at,
        kind=wanted.kind,
        what=wanted.what,
        cost_minor=_cost_of(wanted, asset),
    )
    (reward_id,) = grants.write(new=[new])
    if reward_id is None:
        raise redemptions.KeyReused(pointer="/key")
    return reward_id


def _grant(wanted: Wanted, reward_id: int, *, asset_id: int | None, at: datetime) -> None:
    granted = [Granted(reward_id, wanted.member_id, wanted.kind, wanted.what, asset_id, wanted.amount)]
    lines = assets.lines()
    ledger.post(moves=giving.moves(granted=granted, lines=lines, zone=context.zone(), at=at), at=at)
    giving.entitle(granted=granted, at=at)


def _tell(wanted: Wanted, rule: Rule, event: Event, reward_id: int, *, asset: Asset | None, at: datetime) -> None:
    entry = _entry(wanted, rule, reward_id)
    execute(TRACE, {"id": event.pk, "trace": json_text([entry])})
    data = {
        # As of one that was earned, so that whoever is told reads both alike.
        **{name: entry[name] for name in ("reward_id", "rule_id", "side", "kind", "what", "given")},
        "campaign_id": rule.campaign_id,
        "points": wanted.amount if wanted.kind == Asset.Kind.POINTS else 0,
        "asset": asset.code if asset else "",
        "occurrence": _occurrence_of(wanted),
        "amount": wanted.amount,
        "reason": wanted.reason,
        "actor": event.data["actor"],
    }
    told = Fact("reward.granted", f"reward:{reward_id}:granted:issued", data, wanted.member_id, event.pk, 1)
    risen = review.rise(member_ids={wanted.member_id}, at=at)
    facts.record(facts=[told, *facts.following(facts=risen, links=facts.links_of([told]))], at=at)


def _entry(wanted: Wanted, rule: Rule, reward_id: int) -> dict[str, Any]:
    """Return what the event's page says came of it (`scoring.why`)."""
    return {
        "version_id": builtin.get_version(rule=rule).pk,
        "rule_id": rule.pk,
        "side": Reward.Side.ACTOR.value,
        "member_id": wanted.member_id,
        "outcome": "rewarded",
        "code": "granted",
        "params": {},
        "kind": wanted.kind,
        "what": wanted.what,
        "due": wanted.amount,
        "given": wanted.amount,
        "points": wanted.amount,
        "status": Status.GRANTED.value,
        "reward_id": reward_id,
    }


def _fact_key(wanted: Wanted) -> str:
    return f"reward:issued:{wanted.key}"


def _occurrence_of(wanted: Wanted) -> str:
    return f"key:{wanted.key}"


def _fingerprint_of(wanted: Wanted) -> str:
    return redemptions.fingerprint_of(["issue", *wanted])


TRACE = "UPDATE events_event SET trace = %(trace)s::jsonb WHERE id = %(id)s"

ISSUED = """
SELECT coalesce(sum(given - reversed), 0) AS units FROM rewards_reward
WHERE member_id = %(member_id)s AND asset_id = %(asset_id)s AND rule_id = %(rule_id)s AND created_at > %(since)s
"""
