"""What a rule can say of exclusive content: a file or an address that its owner alone is shown."""

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rewards.kinds.gifts import GiftTerms
from rewards.kinds.shelf import Gift


class ContentTerms(GiftTerms):
    """Content."""

    def advice_of(self, gift: Gift, amount: int | None) -> Sequence[str]:
        if gift.file or gift.terms.get("url"):
            return ()
        return (gettext("“%(name)s” has neither a file nor an address yet.") % {"name": gift.name},)

    def said(self, gift: Gift, amount: int) -> str:
        return gettext("access to “%(name)s”") % {"name": gift.name}


TERMS = ContentTerms(label=_("Content"), kinds=("content",))
