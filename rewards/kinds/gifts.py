"""What the kinds that are gifts have in common: one of a gift that the tenant has described."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext

from campaigns.giving import Ask, type_of_choices
from rewards.kinds import shelf
from rewards.kinds.shelf import Gift


class GiftTerms:
    """One of a gift of these kinds. `what` is the gift's code."""

    is_counted = False
    is_shared = False

    def __init__(self, *, label: str | Promise, kinds: tuple[str, ...]) -> None:
        self.label = label
        self.kinds = kinds

    def choices(self) -> type_of_choices:
        return [
            (code, self.title(gift))
            for code, gift in shelf.gifts().items()
            if gift.is_active and gift.kind in self.kinds
        ]

    def ask(self, *, what: str) -> Ask | None:
        return None

    def problem(self, *, what: str, amount: int | None) -> str | None:
        gift = self.find(what)
        if gift is None:
            return gettext("There is no gift “%(code)s”: choose another.") % {"code": what}
        if not gift.is_active:
            return gettext("“%(name)s” is not in use: switch the gift on, or choose another.") % {"name": gift.name}
        return self.problem_of(gift, amount)

    def advice(self, *, what: str, amount: int | None) -> Sequence[str]:
        gift = self.find(what)
        return self.advice_of(gift, amount) if gift and gift.is_active else ()

    def words(self, *, what: str, amount: int) -> str:
        gift = self.find(what)
        return self.said(gift, amount) if gift else gettext("“%(name)s”") % {"name": what}

    def unit(self, *, what: str) -> str:
        gift = self.find(what)
        return gift.name if gift else what

    def may_owe(self, *, what: str) -> bool:
        return False

    def at_hand(self) -> AbstractContextManager[None]:
        return shelf.at_hand()

    # What a kind says in its own way

    def title(self, gift: Gift) -> str:
        """Return what a gift is called among the choices."""
        return gift.name

    def problem_of(self, gift: Gift, amount: int | None) -> str | None:
        """Return what is wrong with giving so much of a gift in use."""
        if amount is not None and amount != 1:
            return gettext("Of “%(name)s” one is given at a time: the amount is 1.") % {"name": gift.name}
        return None

    def advice_of(self, gift: Gift, amount: int | None) -> Sequence[str]:
        """Return what is odd about a gift in use."""
        return ()

    def said(self, gift: Gift, amount: int) -> str:
        """Return a gift as a part of a sentence."""
        return gettext("“%(name)s”") % {"name": gift.name}

    def find(self, what: str) -> Gift | None:
        """Return a gift of this kind by its code."""
        gift = shelf.gifts().get(what)
        return gift if gift and gift.kind in self.kinds else None


def days_of(gift: Gift, name: str) -> int | None:
    """Return a number of days that a gift's terms say, or None for ever."""
    days: Any = gift.terms.get(name)
    return days if isinstance(days, int) and days > 0 else None
