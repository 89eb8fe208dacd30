"""Figures of stop rules, the rules themselves and what they did, in words."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from babel import Locale
from babel.numbers import format_decimal, format_percent
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from antifraud.models import StopRule, Trip
from antifraud.stops.minutes import BPS, HUNDREDTHS, Subject
from campaigns.models import Campaign
from core import money
from core.errors import type_of_text
from members.names import names_of
from tenants import context

Action, Comparison, Metric, Scope = StopRule.Action, StopRule.Comparison, StopRule.Metric, StopRule.Scope

# Shares, averages and money, with a place for the figure.
OF_METRIC: Mapping[str, type_of_text] = {
    Metric.COST: _("rewards that cost %(figure)s"),
    Metric.FLAGGED_SHARE: _("%(figure)s of the rewards flagged or refused"),
    Metric.REFUND_SHARE: _("%(figure)s of the orders returned"),
    Metric.CONVERSION: _("%(figure)s of the sign-ups ordering"),
    Metric.ORDER_COST: _("rewards that cost %(figure)s for each order"),
    Metric.DEVICE_MEMBERS: _("%(figure)s new members on each device"),
    Metric.IP_MEMBERS: _("%(figure)s new members from each IP address"),
}
MONEY = frozenset({Metric.COST, Metric.ORDER_COST})
SHARES = frozenset({Metric.FLAGGED_SHARE, Metric.REFUND_SHARE, Metric.CONVERSION})
AVERAGES = frozenset({Metric.DEVICE_MEMBERS, Metric.IP_MEMBERS})

WHOSE: Mapping[str, type_of_text] = {
    Scope.CAMPAIGN: _("Any campaign by itself"),
    Scope.CHANNEL: _("Any channel by itself"),
    Scope.INVITER: _("Any inviter, with all their friends"),
    Scope.TENANT: _("Everything together"),
}
BOUND: Mapping[str, type_of_text] = {
    Comparison.ABOVE: _("%(whose)s: with more than %(what)s in %(window)s %(then)s."),
    Comparison.BELOW: _("%(whose)s: with less than %(what)s in %(window)s %(then)s."),
    Comparison.ANOMALY: _(
        "%(whose)s: with far more than usual at this hour of the week, and more than %(what)s in %(window)s, %(then)s."
    ),
}
THEN: Mapping[str, type_of_text] = {
    Action.STOP: _("the campaign is stopped, and what it owes waits for a moderator"),
    Action.FLAG: _("every new reward waits for a moderator"),
    Action.THROTTLE: _("what is more than %(rewards)s an hour waits for a moderator"),
    Action.BLOCK_INVITER: _("the inviter is blocked"),
    Action.NOTIFY: _("nothing is stopped, and you are told"),
}
DID: Mapping[str, type_of_text] = {
    Action.STOP: _("Stopped"),
    Action.FLAG: _("All rewards wait"),
    Action.THROTTLE: _("Throttled"),
    Action.BLOCK_INVITER: _("Inviter blocked"),
    Action.NOTIFY: _("Only told"),
}
# What stands above a trip, and below it.
HEADLINE: Mapping[str, type_of_text] = {
    Action.STOP: _("“%(name)s” was stopped"),
    Action.FLAG: _("All rewards of “%(name)s” wait"),
    Action.THROTTLE: _("“%(name)s” was throttled"),
    Action.BLOCK_INVITER: _("“%(name)s” was blocked"),
    Action.NOTIFY: _("Have a look at “%(name)s”"),
}
WAITS = _("What it earns from then on waits for moderators.")
AFTER: Mapping[str, type_of_text] = {
    Action.STOP: WAITS,
    Action.FLAG: WAITS,
    Action.THROTTLE: _("What is more than usual waits for moderators."),
    Action.BLOCK_INVITER: _("They earn nothing until somebody resumes it."),
    Action.NOTIFY: _("Nothing was stopped."),
}
# What closes a trip.
GO_ON: Mapping[str, type_of_text] = dict.fromkeys(Action.values, _("Resume")) | {Action.NOTIFY.value: _("Seen")}


def written(*, metric: str, number: int) -> str:
    """Return a figure by itself: "500", "31.6%", "$12.50"."""
    if metric in MONEY:
        return money.format_money(number, context.current().currency, get_language() or "en")
    if metric in SHARES:
        return str(format_percent(Decimal(number) / BPS, format="#,##0.##%", locale=_locale()))
    if metric in AVERAGES:
        return str(format_decimal(Decimal(number) / HUNDREDTHS, format="#,##0.##", locale=_locale()))
    return _whole(number)


def per_unit(metric: str) -> int:
    """Return how many of what is stored are one of what people type: hundredths of a percent, minor units."""
    if metric in MONEY:
        return int(10 ** money.digits_of(context.current().currency))
    return HUNDREDTHS if metric in SHARES | AVERAGES else 1


def typed(*, metric: str, number: int) -> Decimal:
    """Return a figure as people type it: 31.5 percent, 12.50 of the currency."""
    return Decimal(number) / per_unit(metric)


def what(*, metric: str, number: int) -> str:
    """Return a figure with what it is of: "500 rewards"."""
    figure = written(metric=metric, number=number)
    if metric in OF_METRIC:
        return str(OF_METRIC[metric]) % {"figure": figure}
    match metric:
        case Metric.POINTS:
            counted = ngettext("%(number)s point", "%(number)s points", number)
        case Metric.SIGNUPS:
            counted = ngettext("%(number)s sign-up", "%(number)s sign-ups", number)
        case Metric.ORDERS:
            counted = ngettext("%(number)s paid order", "%(number)s paid orders", number)
        case _:
            counted = ngettext("%(number)s reward", "%(number)s rewards", number)
    return counted % {"number": figure}


def span(minutes: int) -> str:
    """Return so many minutes as people say them: "90 minutes", "24 hours", "7 days"."""
    if minutes > 24 * 60 and minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    if minutes > 60 and minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}
    return ngettext("%(minutes)s minute", "%(minutes)s minutes", minutes) % {"minutes": minutes}


def measured(*, metric: str, number: int, window_minutes: int) -> str:
    """Return a figure with its window: "500 rewards in 60 minutes"."""
    told = {"what": what(metric=metric, number=number), "window": span(window_minutes)}
    return gettext("%(what)s in %(window)s") % told


def sentence(rule: StopRule) -> str:
    """Return what a stop rule does."""
    whose = gettext("“%(name)s”") % {"name": rule.campaign.name} if rule.campaign else str(WHOSE[rule.scope])
    then = str(THEN[rule.action])
    if rule.action == Action.THROTTLE:
        per_hour = rule.throttle_per_hour or 0
        rewards = ngettext("%(number)s reward", "%(number)s rewards", per_hour) % {"number": _whole(per_hour)}
        then %= {"rewards": rewards}
    return str(BOUND[rule.comparison]) % {
        "whose": whose,
        "what": what(metric=rule.metric, number=rule.threshold),
        "window": span(rule.window_minutes),
        "then": then,
    }


def in_words(trip: Trip) -> str:
    """Return what made a stop rule fire."""
    happened = measured(metric=trip.metric, number=trip.figure, window_minutes=trip.window_minutes)
    if trip.baseline.get("weeks"):
        usual = written(metric=trip.metric, number=round(trip.baseline["median"]))
        return gettext("%(happened)s; usual at this hour of the week are %(usual)s") % {
            "happened": happened,
            "usual": usual,
        }
    threshold = written(metric=trip.metric, number=trip.threshold)
    if trip.figure < trip.threshold:
        return gettext("%(happened)s; there should be %(threshold)s") % {"happened": happened, "threshold": threshold}
    return gettext("%(happened)s; allowed are %(threshold)s") % {"happened": happened, "threshold": threshold}


def subject(trip: Trip) -> str:
    """Return what a trip is about: a campaign, a channel, an inviter or everything."""
    return subjects([trip])[0]


def subjects(trips: Sequence[Trip]) -> list[str]:
    """Return what each trip is about; the inviters' names are read at once."""
    names = names_of(int(trip.subject) for trip in trips if trip.scope == Scope.INVITER)
    return [_subject(trip, names) for trip in trips]


def headlines(trips: Sequence[Trip]) -> list[str]:
    """Return what each trip did to what."""
    names = subjects(trips)
    return [str(HEADLINE[trip.action]) % {"name": name} for trip, name in zip(trips, names, strict=True)]


def names_of_subjects(about: Sequence[Subject]) -> list[str]:
    """Return the name of each campaign, channel or inviter, or that it is everything."""
    campaigns = Campaign.objects.in_bulk([int(each.name) for each in about if each.scope == Scope.CAMPAIGN])
    return subjects(
        [
            Trip(scope=each.scope, campaign=campaigns.get(int(each.name)))
            if each.scope == Scope.CAMPAIGN
            else Trip(scope=each.scope, subject=each.name)
            for each in about
        ]
    )


def _subject(trip: Trip, names: Mapping[int, str]) -> str:
    if trip.campaign:
        return trip.campaign.name
    match trip.scope:
        case Scope.INVITER:
            return names[int(trip.subject)]
        case Scope.CHANNEL:
            return gettext("Channel %(name)s") % {"name": trip.subject}
    return gettext("Everything together")


def _whole(number: int) -> str:
    return str(format_decimal(number, locale=_locale()))


def _locale() -> Locale:
    return Locale.parse(get_language() or "en", sep="-")
