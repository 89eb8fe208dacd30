"""A campaign in plain words, for whoever wants to know what it does without reading a form."""

from collections.abc import Sequence

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import giving, versions, wording
from campaigns.definitions import Condition, LimitLine, Offer, RuleLine, Tier
from campaigns.models import Campaign

GAINS = {
    "actor": _("A member gets %(amount)s when %(when)s"),
    "inviter": _("The inviter gets %(amount)s when %(when)s"),
    "invitee": _("The invited friend gets %(amount)s when %(when)s"),
    "both": _("The inviter and the friend get %(amount)s each when %(when)s"),
}
# What happens, told of a friend where somebody else gets the reward, and else of whoever gets it.
OF_A_FRIEND = {
    "order.paid:any": _("a friend pays an order"),
    "order.paid:first": _("a friend pays a first order"),
    "order.paid:repeat": _("a friend pays a second or later order"),
    "member.joined": _("a friend joins"),
    "invite.sent": _("a friend sends an invitation"),
    "check_in": _("a friend checks in"),
    "level.reached": _("a friend reaches a level"),
    "level.will_fall": _("a friend is about to lose a level"),
    "referral.qualified": _("a friend qualifies"),
}
OF_THEMSELVES = {
    "order.paid:any": _("they pay an order"),
    "order.paid:first": _("they pay their first order"),
    "order.paid:repeat": _("they pay a second or later order"),
    "member.joined": _("they join"),
    "invite.sent": _("they send an invitation"),
    "check_in": _("they check in"),
    "level.reached": _("they reach a level"),
    "level.will_fall": _("they are about to lose a level"),
    "referral.qualified": _("they qualify as an invited friend"),
}
# Where a rule asks for one level: of themselves, and of a friend.
WITH_LEVEL = {
    "level.reached": (_("they reach the level %(level)s"), _("a friend reaches the level %(level)s")),
    "level.will_fall": (
        _("they are about to lose the level %(level)s"),
        _("a friend is about to lose the level %(level)s"),
    ),
}
REFUNDS = {
    "pending_only": _("A refund takes back only what is still on hold."),
    "debt": _("A refund takes back all of it: a balance may go below zero, and what is earned next pays that first."),
}
LIMITS = {
    "member": _("Each member gets at most %(limit)s."),
    "inviter": _("Each inviter brings at most %(limit)s, friends' rewards included."),
    "device": _("On each device at most %(limit)s can be earned."),
    "card": _("With each card at most %(limit)s can be earned."),
    "campaign": _("The whole campaign gives at most %(limit)s."),
}
EVERYWHERE = {
    "member": _("Each member gets at most %(limit)s, over all campaigns."),
    "inviter": _("Each inviter brings at most %(limit)s, friends' rewards included, over all campaigns."),
    "device": _("On each device at most %(limit)s can be earned, over all campaigns."),
    "card": _("With each card at most %(limit)s can be earned, over all campaigns."),
    "campaign": _("All campaigns together give at most %(limit)s."),
}
PERIODS = {
    "hour": _("%(most)s an hour"),
    "day": _("%(most)s a day"),
    "week": _("%(most)s a week"),
    "month": _("%(most)s a month"),
    "ever": _("%(most)s in all"),
}


def sentences(campaign: Campaign) -> list[str]:
    """Return what the campaign says as it stands, one sentence each, in the active language."""
    if campaign.is_builtin:
        return [gettext("It is built in: it keeps what was given by hand or by a program, without a rule.")]
    return sentences_of(versions.offer_of(campaign=campaign))


def sentences_of(offer: Offer) -> list[str]:
    """Return what a version says, one sentence each, in the active language."""
    if not offer.rules:
        return [gettext("Nobody gets anything yet: it has no rule in use.")]
    of_members = [limit for limit in offer.limits if limit.per == "member" and not limit.when_short]
    shared = of_members if len(offer.rules) == 1 else []
    told = [sentence_of(rule, shared) for rule in offer.rules]
    climber = next((rule for rule in offer.rules if rule.amount_kind == "tiers"), None)
    if climber:
        told.append(_ladder(offer.tiers, climber))
    told += [_limit(limit, offer.when_short) for limit in offer.limits if limit not in shared]
    return [*told, *_hold(offer), *_refunds(offer), *_dates(offer), *_budget(offer), *_together(offer)]


def sentence_of(rule: RuleLine, limits: Sequence[LimitLine] = ()) -> str:
    """Return what a rule says, with the limits of a member where they are its alone."""
    sentence = str(GAINS[rule.recipient] % {"amount": _gains(rule), "when": _when(rule)})
    if rule.awaits:
        sentence = gettext("%(sentence)s, usable once %(promise)s") % {"sentence": sentence, "promise": _promise(rule)}
    for limit in limits:
        sentence = gettext("%(sentence)s; at most %(limit)s") % {"sentence": sentence, "limit": most_of(limit)}
    return gettext("%(sentence)s.") % {"sentence": sentence}


def _gains(rule: RuleLine) -> str:
    extras = [giving.words(kind=each.kind, what=each.what, amount=each.amount) for each in rule.extras]
    return wording.listed([_amount(rule), *extras])


def _amount(rule: RuleLine) -> str:
    kind, what = rule.reward_kind, rule.reward_what
    if rule.amount_kind == "fixed":
        return giving.words(kind=kind, what=what, amount=rule.amount_points or 0)
    rate = {"percent": wording.percent(rule.rate_bps or 0), "unit": giving.name_of(kind=kind, what=what)}
    if giving.value_of(kind, what) == giving.value_of(giving.POINTS, ""):
        is_percent = rule.amount_kind == "percent"
        return gettext("%(percent)s of the order in points") % rate if is_percent else gettext("points by the ladder")
    if rule.amount_kind == "percent":
        return gettext("%(percent)s of the order in “%(unit)s”") % rate
    return gettext("“%(unit)s” by the ladder") % rate


def _promise(rule: RuleLine) -> str:
    name = f"{rule.awaits}:any" if rule.awaits == "order.paid" else rule.awaits
    known = OF_THEMSELVES.get(name)
    told = str(known) if known else gettext("“%(kind)s” happens") % {"kind": wording.kind(rule.awaits)}
    if rule.awaits_days is None:
        return told
    days = ngettext("%(promise)s, within %(days)s day", "%(promise)s, within %(days)s days", rule.awaits_days)
    return days % {"promise": told, "days": rule.awaits_days}


def _when(rule: RuleLine) -> str:
    when, others = _what_happens(rule), list(rule.conditions)
    if minimum := _split_off(others, rule, "amount_minor", "at_least"):
        least = wording.value(minimum.value, wording.find_field(rule.trigger, minimum.field))
        when = gettext("%(when)s of %(money)s or more") % {"when": when, "money": least}
    elif rule.trigger in WITH_LEVEL and (asked := _split_off(others, rule, "level", "equals")):
        level = wording.value(asked.value, wording.find_field(rule.trigger, asked.field))
        when = str(WITH_LEVEL[rule.trigger][_is_of_friend(rule)] % {"level": level})
    if not others:
        return when
    joint = gettext(" or ") if rule.match == "any" else gettext(" and ")
    conditions = joint.join(wording.condition(each, trigger=rule.trigger) for each in others)
    return gettext("%(when)s, if %(conditions)s") % {"when": when, "conditions": conditions}


def _what_happens(rule: RuleLine) -> str:
    is_friend = _is_of_friend(rule)
    name = f"{rule.trigger}:{rule.order_number}" if rule.trigger == "order.paid" else rule.trigger
    known = (OF_A_FRIEND if is_friend else OF_THEMSELVES).get(name)
    if known:
        return str(known)
    kind = {"kind": wording.kind(rule.trigger)}
    return gettext("“%(kind)s” happens to a friend") % kind if is_friend else gettext("“%(kind)s” happens") % kind


def _is_of_friend(rule: RuleLine) -> bool:
    return rule.recipient in {"inviter", "both"}


def _split_off(conditions: list[Condition], rule: RuleLine, field: str, operator: str) -> Condition | None:
    """Take a condition out that reads best as a part of what happens: an order of $50 or more."""
    if rule.match == "any" and len(conditions) > 1:
        return None
    for condition in conditions:
        is_told = isinstance(condition.value, (int, str)) and condition.value != ""
        if (condition.field, condition.operator) == (field, operator) and is_told:
            conditions.remove(condition)
            return condition
    return None


def _ladder(tiers: tuple[Tier, ...], rule: RuleLine) -> str:
    if not tiers:
        return gettext("The ladder has no steps yet.")
    steps = []
    for tier, following in zip(tiers, [*tiers[1:], None], strict=True):
        given = giving.words(kind=rule.reward_kind, what=rule.reward_what, amount=tier.amount_points)
        numbers = {"first": wording.whole(tier.from_count), "points": given}
        if following is None:
            steps.append(gettext("from friend %(first)s on %(points)s each") % numbers)
        elif following.from_count - tier.from_count == 1:
            steps.append(gettext("friend %(first)s %(points)s") % numbers)
        else:
            last = {"last": wording.whole(following.from_count - 1)}
            steps.append(gettext("friends %(first)s to %(last)s %(points)s each") % (numbers | last))
    return gettext("The ladder: %(steps)s.") % {"steps": gettext(", ").join(steps)}


def _limit(limit: LimitLine, when_short: str) -> str:
    sentence = str(LIMITS[limit.per] % {"limit": most_of(limit)})
    own = limit.when_short and limit.when_short != when_short
    return (
        gettext("%(sentence)s %(short)s") % {"sentence": sentence, "short": _short(limit.when_short)}
        if own
        else sentence
    )


def sentence_of_own_limit(limit: LimitLine) -> str:
    """Return what a limit of one campaign says, without what it does when less is left."""
    return str(LIMITS[limit.per] % {"limit": most_of(limit)})


def sentence_of_limit(limit: LimitLine) -> str:
    """Return what a limit over all campaigns says. What it leaves to the campaign it leaves to the campaign."""
    sentence = str(EVERYWHERE[limit.per] % {"limit": most_of(limit)})
    if not limit.when_short:
        return sentence
    return gettext("%(sentence)s %(short)s") % {"sentence": sentence, "short": _short(limit.when_short)}


def most_of(limit: LimitLine) -> str:
    """Return how much a limit allows: "10 rewards and 500 points a month"."""
    most = []
    if limit.max_count is not None:
        count = {"count": wording.whole(limit.max_count)}
        most.append(ngettext("%(count)s reward", "%(count)s rewards", limit.max_count) % count)
    if limit.max_points is not None:
        most.append(wording.points(limit.max_points))
    if limit.max_cost_minor is not None:
        most.append(gettext("%(money)s of cost") % {"money": wording.money(limit.max_cost_minor)})
    told = gettext(" and ").join(most)
    if limit.days:
        days = ngettext("%(most)s in %(days)s day", "%(most)s in %(days)s days", limit.days)
        return days % {"most": told, "days": limit.days}
    return str(PERIODS[limit.period] % {"most": told})


def _short(when_short: str) -> str:
    if when_short == "cap":
        return gettext("When less is left than is due, what is left is given.")
    return gettext("When less is left than is due, nothing is given.")


def _hold(offer: Offer) -> list[str]:
    days = {rule.hold_days for rule in offer.rules} - {0}
    if not days:
        return []
    longest = max(days)
    is_some = len(days) > 1 or any(rule.hold_days == 0 for rule in offer.rules)
    if all(piece.kind == giving.POINTS for rule in offer.rules for piece in giving.pieces_of(rule)):
        return [_hold_of_points(longest, is_some=is_some)]
    if is_some:
        template = ngettext(
            "Some of it can be used only after up to %(days)s day.",
            "Some of it can be used only after up to %(days)s days.",
            longest,
        )
    else:
        template = ngettext(
            "The reward can be used after %(days)s day.", "The reward can be used after %(days)s days.", longest
        )
    return [template % {"days": longest}]


def _hold_of_points(days: int, *, is_some: bool) -> str:
    if is_some:
        template = ngettext(
            "Some points can be spent only after up to %(days)s day.",
            "Some points can be spent only after up to %(days)s days.",
            days,
        )
    else:
        template = ngettext(
            "The points can be spent after %(days)s day.", "The points can be spent after %(days)s days.", days
        )
    return template % {"days": days}


def _refunds(offer: Offer) -> list[str]:
    # What a refund takes back unless somebody has chosen otherwise needs no sentence.
    return [str(REFUNDS[offer.refund_policy])] if offer.refund_policy in REFUNDS else []


def _dates(offer: Offer) -> list[str]:
    if offer.starts_at and offer.ends_at:
        dates = {"start": wording.instant(offer.starts_at), "end": wording.instant(offer.ends_at)}
        return [gettext("It runs from %(start)s until %(end)s.") % dates]
    if offer.ends_at:
        return [gettext("It runs until %(end)s.") % {"end": wording.instant(offer.ends_at)}]
    return (
        [gettext("It runs from %(start)s on.") % {"start": wording.instant(offer.starts_at)}] if offer.starts_at else []
    )


def _budget(offer: Offer) -> list[str]:
    told = []
    if offer.budget_points is not None:
        told.append(
            gettext("All in all it gives at most %(points)s.") % {"points": wording.points(offer.budget_points)}
        )
    if offer.budget_minor is not None:
        told.append(gettext("All in all it costs at most %(money)s.") % {"money": wording.money(offer.budget_minor)})
    if told or any(_is_of_amount(limit) and not limit.when_short for limit in offer.limits):
        told.append(_short(offer.when_short))
    return told


def _is_of_amount(limit: LimitLine) -> bool:
    return limit.max_points is not None or limit.max_cost_minor is not None


def _together(offer: Offer) -> list[str]:
    if not offer.exclusive_group:
        return []
    return [
        gettext("Of the campaigns in the group “%(group)s” only one rewards an event: the first by priority.")
        % {"group": offer.exclusive_group}
    ]
