"""How spans of a sandbox's clock are said."""

from datetime import timedelta

from django.utils.translation import gettext, ngettext

HOUR_SECONDS = 3600


def span(of: timedelta) -> str:
    """Return a span in days and whole hours, such as "7 days 1 hour"; one below an hour in minutes."""
    days, hours = of.days, of.seconds // HOUR_SECONDS
    said = []
    if days:
        said.append(ngettext("%(count)d day", "%(count)d days", days) % {"count": days})
    if hours:
        said.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    return " ".join(said) or gettext("less than an hour")
