"""Figures of stop rules and of what they stopped, in words."""

from django.utils.translation import gettext, ngettext

from antifraud.models import StopRule, Trip


def measured(*, metric: str, number: int, window_minutes: int) -> str:
    """Return a figure with its window: "500 rewards in 60 minutes"."""
    if metric == StopRule.Metric.POINTS:
        what = ngettext("%(number)s point", "%(number)s points", number) % {"number": number}
    else:
        what = ngettext("%(number)s reward", "%(number)s rewards", number) % {"number": number}
    window = ngettext("%(minutes)s minute", "%(minutes)s minutes", window_minutes) % {"minutes": window_minutes}
    return gettext("%(what)s in %(window)s") % {"what": what, "window": window}


def in_words(trip: Trip) -> str:
    """Return what made a stop rule fire."""
    happened = measured(metric=trip.metric, number=trip.figure, window_minutes=trip.window_minutes)
    return gettext("%(happened)s; allowed are %(threshold)s") % {"happened": happened, "threshold": trip.threshold}
