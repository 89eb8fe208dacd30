"""What a rule can say of products, which staff packs and sends."""

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rewards.kinds.gifts import GiftTerms
from rewards.kinds.shelf import Gift


class ProductTerms(GiftTerms):
    """A product."""

    def advice_of(self, gift: Gift, amount: int | None) -> Sequence[str]:
        if gift.stock != 0:
            return ()
        return (gettext("Of “%(name)s” there are no pieces left.") % {"name": gift.name},)


TERMS = ProductTerms(label=_("Products"), kinds=("product",))
