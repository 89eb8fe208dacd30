"""What a marketer would want to know before activation: errors forbid it, the rest is advice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from campaigns import conditions, field_choices, giving, limit_lint, versions, wording
from campaigns.definitions import Condition, Offer, RuleLine
from campaigns.models import Campaign, Rule
from events.fields import Field
from events.kinds import find_kind, find_reported

OVER = "over"
QUALIFIED = "referral.qualified"

type_of_found = Iterator["Remark"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a campaign, as a sentence in the active language. An error forbids activation."""

    code: str
    sentence: str
    is_error: bool = True


def problems(*, campaign: Campaign, at: datetime) -> list[Remark]:
    """Return what is wrong, or odd, with a campaign as it stands; the errors first."""
    offer = versions.offer_of(campaign=campaign)
    found = [*_of_rules(offer), *_of_ladder(offer), *_of_dates(offer, at), *_of_budget(offer), *_of_refunds(offer)]
    found += [Remark(code, sentence, is_error=False) for code, sentence in limit_lint.remarks(offer, at=at)]
    if not campaign.landing_url and any(rule.recipient in {"inviter", "both"} for rule in offer.rules):
        found.append(
            Remark(
                "no_landing",
                gettext("Without a landing address a friend who follows a link sees a plain page with the code."),
                is_error=False,
            )
        )
    return sorted(found, key=lambda remark: not remark.is_error)


def _of_rules(offer: Offer) -> type_of_found:
    if not offer.rules:
        yield Remark("no_rules", gettext("No rule is in use: nobody would get anything."))
    for rule in offer.rules:
        yield from _of_trigger(rule)
        yield from _of_fact(rule)
        yield from _of_conditions(rule)
        yield from _of_recipient(rule, offer)
        yield from _of_gifts(rule)
        yield from _of_promise(rule)


def _of_trigger(rule: RuleLine) -> type_of_found:
    kind = find_kind(rule.trigger)
    told = {"kind": wording.kind(rule.trigger)}
    if kind is None or not kind.is_trigger:
        yield Remark("unknown_kind", gettext("A rule cannot start from “%(kind)s”.") % told)
    elif rule.amount_kind == "percent" and not any(field.name == "amount_minor" for field in kind.fields):
        yield Remark(
            "percent_of_nothing", gettext("“%(kind)s” has no amount, so that a percentage of it is nothing.") % told
        )


def _of_fact(rule: RuleLine) -> type_of_found:
    advise = settings.FACT_ADVICE.get(rule.trigger)
    if advise and (sentence := import_string(advise)()):
        yield Remark("fact_cannot_happen", sentence, is_error=False)
    if rule.trigger != QUALIFIED:
        return
    if rule.recipient == "actor":
        yield Remark(
            "nobody_does_it", gettext("Nobody qualifies by themselves: choose the inviter, the friend or both.")
        )
    elif not _qualifying_rules().exists():
        yield Remark(
            "fact_cannot_happen",
            gettext("No friend qualifies before another rule rewards the inviter: for a first order, say."),
            is_error=False,
        )


def _qualifying_rules() -> QuerySet[Rule]:
    rewarding = Rule.objects.filter(is_active=True, recipient__in=["inviter", "both"]).exclude(trigger=QUALIFIED)
    return rewarding.exclude(campaign__status=Campaign.Status.ENDED)


def _of_conditions(rule: RuleLine) -> type_of_found:
    for problem in conditions.check(_rows(rule), wording.fields_of(rule.trigger)):
        yield Remark(f"condition_{problem.code}", wording.problem(problem, trigger=rule.trigger))
    for asked in rule.conditions:
        if field := wording.find_field(rule.trigger, asked.field):
            yield from _of_choices(asked, field)


def _of_choices(asked: Condition, field: Field) -> type_of_found:
    known = {name.casefold() for name in field_choices.names_of(field)}
    values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
    for value in values:
        if known and str(value).casefold() not in known:
            told = {"field": field.label, "value": value}
            yield Remark("unknown_choice", gettext("There is no “%(value)s” under “%(field)s”.") % told, is_error=False)


def _of_recipient(rule: RuleLine, offer: Offer) -> type_of_found:
    if rule.trigger == "invite.sent" and rule.recipient != "actor":
        yield Remark(
            "inviter_of_sender",
            gettext(
                "On an invitation “the inviter” is whoever once invited its sender. "
                "To reward the sender choose “Whoever did it”."
            ),
            is_error=False,
        )
    yield from _of_climber(rule)
    is_every_order = rule.trigger == "order.paid" and rule.order_number != "first"
    if is_every_order and rule.recipient in {"inviter", "both"} and not _bounds_a_member(offer):
        yield Remark(
            "every_order",
            gettext("The inviter is rewarded for every such order of every friend, without a limit for a member."),
            is_error=False,
        )


def _of_climber(rule: RuleLine) -> type_of_found:
    # A ladder counts what a rule has given to one person: these are friends only where each friend counts once.
    if rule.amount_kind != "tiers":
        return
    is_first = rule.trigger == "order.paid" and rule.order_number == "first"
    is_once = is_first or rule.trigger in {"member.joined", QUALIFIED}
    if rule.recipient in {"inviter", "both"} and not is_once:
        yield Remark(
            "ladder_counts_events",
            gettext(
                "Here each rewarded event is a step up the ladder, not each friend: choose the first order for that."
            ),
            is_error=False,
        )
    elif rule.recipient == "invitee" and is_once:
        yield Remark(
            "ladder_of_friend",
            gettext("A friend comes once, and so gets what the first step of the ladder pays."),
            is_error=False,
        )


def _of_gifts(rule: RuleLine) -> type_of_found:
    if rule.amount_kind != "fixed" and not giving.is_shared(rule.reward_kind):
        yield Remark("share_of_a_gift", gettext("Only points and money are given as a percentage or by the ladder."))
        return
    for piece in giving.pieces_of(rule):
        kind, what, amount = piece.kind, piece.what, piece.amount or None
        if problem := giving.problem(kind=kind, what=what, amount=amount):
            yield Remark("cannot_be_given", problem)
        for sentence in giving.advice(kind=kind, what=what, amount=amount):
            yield Remark("gift_advice", sentence, is_error=False)


def _of_promise(rule: RuleLine) -> type_of_found:
    kind = find_reported(rule.awaits) if rule.awaits else None
    if rule.awaits and (kind is None or not kind.is_trigger):
        told = {"kind": wording.kind(rule.awaits)}
        yield Remark("awaits_unknown", gettext("A promise cannot wait for “%(kind)s”.") % told)
    elif rule.awaits == "member.joined":
        yield Remark(
            "awaits_once",
            gettext("Somebody joins once only: whoever has joined before waits for ever."),
            is_error=False,
        )


def _of_ladder(offer: Offer) -> type_of_found:
    is_used = any(rule.amount_kind == "tiers" for rule in offer.rules)
    if is_used and not offer.tiers:
        yield Remark("no_tiers", gettext("A rule pays by the ladder, and the ladder has no steps."))
    elif is_used and offer.tiers[0].from_count > 1:
        yield Remark(
            "tiers_begin_late",
            gettext("The ladder begins with friend %(first)s: the friends before bring nothing.")
            % {"first": offer.tiers[0].from_count},
            is_error=False,
        )
    if len({_digits(rule) for rule in offer.rules if rule.amount_kind == "tiers"}) > 1:
        yield Remark(
            "ladder_of_two",
            gettext("Two rules pay by the ladder in units of different size: its amounts cannot suit both."),
        )
    if offer.tiers and not is_used:
        yield Remark("tiers_unused", gettext("The ladder has steps, but no rule pays by it."), is_error=False)


def _of_dates(offer: Offer, at: datetime) -> type_of_found:
    if offer.ends_at and offer.ends_at <= at and offer.status != "ended":
        yield Remark(OVER, gettext("Its end has passed."))
    if offer.starts_at and offer.ends_at and offer.ends_at <= offer.starts_at:
        yield Remark("ends_before_start", gettext("It ends before it starts."))


def _digits(rule: RuleLine) -> int:
    asked = giving.ask(kind=rule.reward_kind, what=rule.reward_what)
    return asked.digits if asked else 0


def _of_refunds(offer: Offer) -> type_of_found:
    if offer.refund_policy != "debt":
        return
    pieces = {(piece.kind, piece.what) for rule in offer.rules for piece in giving.pieces_of(rule)}
    for kind, what in sorted(pieces):
        if giving.is_counted(kind) and not giving.may_owe(kind=kind, what=what):
            yield Remark(
                "may_not_owe",
                gettext("Of %(asset)s nothing may be owed: a refund takes them back down to zero only.")
                % {"asset": giving.name_of(kind=kind, what=what)},
                is_error=False,
            )


def _of_budget(offer: Offer) -> type_of_found:
    gives_points = any(piece.kind == giving.POINTS for rule in offer.rules for piece in giving.pieces_of(rule))
    if offer.budget_points is not None and offer.rules and not gives_points:
        yield Remark(
            "budget_of_nothing",
            gettext("The budget is in points, and no rule gives points: limit the number of rewards instead."),
            is_error=False,
        )
    amounts = _fixed_amounts(offer)
    bounds = [limit.max_points for limit in offer.limits if (limit.when_short or offer.when_short) == "refuse"]
    bounds += [offer.budget_points] if offer.when_short == "refuse" else []
    told = [bound for bound in bounds if bound is not None]
    if amounts and told and min(told) < min(amounts):
        yield Remark(
            "bound_below_reward",
            gettext("A budget or limit of %(bound)s is less than one reward of %(amount)s: it would never be given.")
            % {"bound": wording.points(min(told)), "amount": wording.points(min(amounts))},
        )
    if offer.rules and offer.budget_points is None and offer.budget_minor is None and not offer.limits:
        yield Remark(
            "unbounded", gettext("Nothing bounds what it may cost: give it a budget or a limit."), is_error=False
        )


def _fixed_amounts(offer: Offer) -> list[int]:
    rules = [rule for rule in offer.rules if rule.reward_kind == giving.POINTS]
    of_rules = [rule.amount_points for rule in rules if rule.amount_kind == "fixed" and rule.amount_points]
    is_used = any(rule.amount_kind == "tiers" for rule in rules)
    return of_rules + [tier.amount_points for tier in offer.tiers if is_used]


def _bounds_a_member(offer: Offer) -> bool:
    return any(limit.per in {"member", "inviter"} for limit in offer.limits)


def _rows(rule: RuleLine) -> list[dict[str, object]]:
    return [
        {
            "field": each.field,
            "operator": each.operator,
            "value": list(each.value) if isinstance(each.value, tuple) else each.value,
        }
        for each in rule.conditions
    ]
