"""What a rule can say of privileges: named rights, for so many days or for ever."""

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from rewards.kinds.gifts import GiftTerms, days_of
from rewards.kinds.shelf import Gift


class PrivilegeTerms(GiftTerms):
    """A privilege."""

    def said(self, gift: Gift, amount: int) -> str:
        days = days_of(gift, "days")
        if days is None:
            return gettext("the privilege “%(name)s”") % {"name": gift.name}
        told = {"name": gift.name, "days": days}
        return (
            ngettext("the privilege “%(name)s” for %(days)s day", "the privilege “%(name)s” for %(days)s days", days)
            % told
        )


TERMS = PrivilegeTerms(label=_("Privileges"), kinds=("privilege",))
