"""What a rule can say of discount codes, which a member types in at the checkout."""

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import wording
from rewards.kinds import shelf
from rewards.kinds.gifts import GiftTerms
from rewards.kinds.shelf import Gift


class DiscountTerms(GiftTerms):
    """A discount code: percent, a sum, or free delivery."""

    def title(self, gift: Gift) -> str:
        return gettext("%(name)s (%(what)s)") % {"name": gift.name, "what": worth_of(gift)}

    def advice_of(self, gift: Gift, amount: int | None) -> Sequence[str]:
        is_empty = not any(free for (gift_id, _value), free in shelf.free_codes().items() if gift_id == gift.id)
        if gift.terms.get("pattern") or not is_empty:
            return ()
        return (
            gettext("“%(name)s” has no pattern and no codes in stock: it will wait for them.") % {"name": gift.name},
        )

    def said(self, gift: Gift, amount: int) -> str:
        return gettext("a discount code: %(what)s") % {"what": worth_of(gift)}


def worth_of(gift: Gift) -> str:
    """Return what a discount is worth, in a few words."""
    match gift.terms.get("type"):
        case "percent":
            return gettext("%(percent)s off") % {"percent": wording.percent(int(gift.terms.get("rate_bps") or 0))}
        case "sum":
            return gettext("%(money)s off") % {"money": wording.money(int(gift.terms.get("amount_minor") or 0))}
        case "free_delivery":
            return gettext("free delivery")
    return gift.name


TERMS = DiscountTerms(label=_("Discounts"), kinds=("discount",))
