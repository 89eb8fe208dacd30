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
}
OF_THEMSELVES = {
    "order.paid:any": _("they pay an order"),
    "order.paid:first": _("they pay their first order"),
    "order.paid:repeat": _("they pay a second or later order"),
    "member.joined": _("they join"),
    "invite.sent": _("they send an invitation"),
    "check_in": _("they check in"),
}
REFUNDS = {
    "pending_only": _("A refund takes back only what is still on hold."),
    "debt": _("A refund takes back all of it: a balance may go below zero, and what is earned next pays that first."),
}
PERIODS = {
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
    of_members = [limit for limit in offer.limits if limit.per == "member"]
    shared = of_members if len(offer.rules) == 1 else []
    told = [sentence_of(rule, shared) for rule in offer.rules]
    climber = next((rule for rule in offer.rules if rule.amount_kind == "tiers"), None)
    if climber:
        told.append(_ladder(offer.tiers, climber))
    told += [_limit(limit) for limit in offer.limits if limit not in shared]
    return [*told, *_hold(offer), *_refunds(offer), *_dates(offer), *_budget(offer), *_together(offer)]


def sentence_of(rule: RuleLine, limits: Sequence[LimitLine] = ()) -> str:
    """Return what a rule says, with the limits of a member where they are its alone."""
    sentence = str(GAINS[rule.recipient] % {"amount": _gains(rule), "when": _when(rule)})
    if rule.awaits:
        sentence = gettext("%(sentence)s, usable once %(promise)s") % {"sentence": sentence, "promise": _promise(rule)}
    for limit in limits:
        sentence = gettext("%(sentence)s; at most %(limit)s") % {"sentence": sentence, "limit": _most(limit)}
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
    when = _what_happens(rule)
    least, others = _split_minimum(rule)
    if least is not None:
        when = gettext("%(when)s of %(money)s or more") % {"when": when, "money": wording.money(least)}
    if not others:
        return when
    joint = gettext(" or ") if rule.match == "any" else gettext(" and ")
    asked = joint.join(wording.condition(each, trigger=rule.trigger) for each in others)
    return gettext("%(when)s, if %(conditions)s") % {"when": when, "conditions": asked}


def _what_happens(rule: RuleLine) -> str:
    is_friend = rule.recipient in {"inviter", "both"}
    name = f"{rule.trigger}:{rule.order_number}" if rule.trigger == "order.paid" else rule.trigger
    known = (OF_A_FRIEND if is_friend else OF_THEMSELVES).get(name)
    if known:
        return str(known)
    kind = {"kind": wording.kind(rule.trigger)}
    return gettext("“%(kind)s” happens to a friend") % kind if is_friend else gettext("“%(kind)s” happens") % kind


def _split_minimum(rule: RuleLine) -> tuple[int | None, list[Condition]]:
    # The commonest condition reads best as a part of what happens: an order of $50 or more.
    others = list(rule.conditions)
    for condition in rule.conditions:
        is_minimum = condition.field == "amount_minor" and condition.operator == "at_least"
        if is_minimum and isinstance(condition.value, int) and (rule.match == "all" or len(others) == 1):
            others.remove(condition)
            return condition.value, others
    return None, others


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


def _limit(limit: LimitLine) -> str:
    if limit.per == "member":
        return gettext("Each member gets at most %(limit)s.") % {"limit": _most(limit)}
    return gettext("The whole campaign gives at most %(limit)s.") % {"limit": _most(limit)}


def _most(limit: LimitLine) -> str:
    most = []
    if limit.max_count is not None:
        count = {"count": wording.whole(limit.max_count)}
        most.append(ngettext("%(count)s reward", "%(count)s rewards", limit.max_count) % count)
    if limit.max_points is not None:
        most.append(wording.points(limit.max_points))
    return str(PERIODS[limit.period] % {"most": gettext(" and ").join(most)})


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
    if told or any(limit.max_points is not None for limit in offer.limits):
        if offer.when_short == "cap":
            told.append(gettext("When less is left than is due, what is left is given."))
        else:
            told.append(gettext("When less is left than is due, nothing is given."))
    return told


def _together(offer: Offer) -> list[str]:
    if not offer.exclusive_group:
        return []
    return [
        gettext("Of the campaigns in the group “%(group)s” only one rewards an event: the first by priority.")
        % {"group": offer.exclusive_group}
    ]
