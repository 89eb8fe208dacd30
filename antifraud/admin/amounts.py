"""What is at stake in words, as the pages of moderation say it."""

from collections.abc import Sequence

from django.utils.translation import get_language, gettext, ngettext

from core import money
from core.templatetags.backoffice import whole
from tenants import context


def said(*, points: int, amounts: Sequence[str]) -> str:
    """
    Return amounts as `moderation.stakes.amounts_of` gives them, with the word for points: "200 points, $5.00".

    Points are the first of the assets, so theirs is the first of the amounts if there are any.
    """
    if not points:
        return gettext(", ").join(amounts)
    first = ngettext("%(points)s point", "%(points)s points", points) % {"points": whole(points)}
    return gettext(", ").join([first, *amounts[1:]])


def cost(cost_minor: int) -> str:
    """Return what something costs the tenant, in its currency; nothing for what costs nothing."""
    return money.format_money(cost_minor, context.current().currency, get_language() or "en") if cost_minor else ""
