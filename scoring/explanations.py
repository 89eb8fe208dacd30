"""Why something was or was not rewarded, for the member: each event with what it brought, in plain words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.models import FraudPolicy
from antifraud.moderation import stakes
from campaigns import field_choices
from events.kinds import FACTS
from events.merging import selves_of
from events.models import Event
from referrals.models import Referral
from rewards import sentences
from rewards.models import Reward
from scoring import member_words, why
from scoring.member_words import NOTHING, NOTHING_GIVEN, TAKEN_BACK, WAITING

# Of an inviter with more the latest are told of.
FRIENDS_MAX: Final = 200
# One reason is what people want to hear; so many they can bear.
REASONS_MAX: Final = 5
AT_WORK: Final = _("We are still working on it.")
OWN_SIDES: Final = frozenset({"actor", "invitee", "both"})
FRIENDS_SIDES: Final = frozenset({"inviter", "both"})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that an event brought, or one reason why it brought nothing. `state` is one of member_words.STATES."""

    state: str
    text: str
    campaign: str
    reward_id: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """An event of a member's own or of a friend's, and what it brought. `text` says all of it."""

    id: int
    kind: str
    occurred_at: datetime
    is_friend: bool
    title: str
    lines: tuple[Line, ...]
    text: str


def list_events(*, member_id: int) -> QuerySet[Event]:
    """Return what a member, and whom they have invited, did, in two statements and the one that it is."""
    friends = Referral.objects.filter(inviter__in=selves_of(member_id)).order_by("-pk")
    # What happened to whoever was merged into another is the other's.
    friends = friends.annotate(who=Coalesce("invitee__merged_into", "invitee"))
    whose = [member_id, *friends.values_list("who", flat=True)[:FRIENDS_MAX]]
    told = Q(source=Event.Source.API) | (Q(kind__in=FACTS) & ~Q(trace=[]))
    events = Event.objects.filter(told, member__in=whose)
    return events.annotate(order=KeyTextTransform("order_id", "data")).defer("data", "identities")


def explain(*, events: Sequence[Any], member_id: int) -> list[Explanation]:
    """
    Return what each event of `list_events` brought the member, in the current language.

    It takes a fixed number of statements. Of what friends do only what concerns the member is among them.
    """
    traces = why.spelled_out([event.trace for event in events])
    rewards = _rewards(traces, member_id)
    seen = _Seen(
        member_id=member_id,
        rewards=rewards,
        gifts=stakes.gift_names(rewards.values()),
        tells_rejected=FraudPolicy.objects.get(singleton=True).tells_members,
    )
    with field_choices.at_hand():
        found = [_explained(event, trace, seen) for event, trace in zip(events, traces, strict=True)]
    return [each for each in found if each.lines]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read once for all of the events."""

    member_id: int
    rewards: Mapping[int, Reward]
    gifts: Mapping[str, str]
    tells_rejected: bool


def _rewards(traces: Iterable[Iterable[Mapping[str, Any]]], member_id: int) -> dict[int, Reward]:
    ids = {entry["reward_id"] for trace in traces for entry in trace if entry.get("reward_id")}
    return Reward.objects.filter(pk__in=ids, member=member_id).select_related("asset").in_bulk()


def _explained(event: Any, trace: Sequence[Mapping[str, Any]], seen: _Seen) -> Explanation:
    is_friend = event.member_id != seen.member_id
    title = member_words.title_of(event, order=event.order or "", is_friend=is_friend)
    lines = _lines(event, trace, seen, is_friend=is_friend)
    told = [gettext("%(sentence)s.") % {"sentence": title}, *(_in_campaign(line) for line in lines)]
    return Explanation(event.pk, event.kind, event.occurred_at, is_friend, title, lines, " ".join(told))


def _lines(event: Event, trace: Sequence[Mapping[str, Any]], seen: _Seen, *, is_friend: bool) -> tuple[Line, ...]:
    brought = tuple(_of_rewards(trace, seen))
    if brought:
        return brought
    if event.status != Event.Status.HANDLED:
        return () if is_friend else (Line(WAITING, str(AT_WORK), ""),)
    reasons = dict.fromkeys(_of_misses(trace, seen, is_friend=is_friend))
    if not reasons and not is_friend:
        return (Line(NOTHING, str(NOTHING_GIVEN), ""),)
    return tuple(reasons)[:REASONS_MAX]


def _of_rewards(trace: Iterable[Mapping[str, Any]], seen: _Seen) -> Iterator[Line]:
    for entry in trace:
        # In a trace of somebody else's there are others' rewards, too.
        reward = seen.rewards.get(entry.get("reward_id") or 0)
        if reward is None:
            continue
        campaign = str(entry.get("campaign", ""))
        if entry["outcome"] == "taken_back":
            text = member_words.of_refund(entry, reward, gifts=seen.gifts)
            yield Line(TAKEN_BACK, text, campaign, reward.pk)
        else:
            state, text = member_words.of_reward(reward, gifts=seen.gifts, tells_rejected=seen.tells_rejected)
            yield Line(state, text, campaign, reward.pk)


def _of_misses(trace: Iterable[Mapping[str, Any]], seen: _Seen, *, is_friend: bool) -> Iterator[Line]:
    for entry in trace:
        if _concerns(entry, seen, is_friend=is_friend) and (text := member_words.of_miss(entry)):
            yield Line(NOTHING, text, str(entry.get("campaign", "")))


def _concerns(entry: Mapping[str, Any], seen: _Seen, *, is_friend: bool) -> bool:
    """Tell whether an entry is about what the member could have had."""
    if is_friend and entry.get("code") in member_words.NOT_OF_A_FRIEND:
        return False
    if "side" in entry:
        return entry.get("side") in (FRIENDS_SIDES if is_friend else OWN_SIDES)
    if "rule_id" in entry:
        return entry.get("recipient") in (FRIENDS_SIDES if is_friend else OWN_SIDES)
    # Whether somebody could be invited is told to themselves.
    return not is_friend


def _in_campaign(line: Line) -> str:
    if not line.campaign:
        return line.text
    return gettext("%(campaign)s: %(text)s") % {"campaign": line.campaign, "text": sentences.inside(line.text)}
