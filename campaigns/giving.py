"""
What a rule can give, of every kind, as the form offers it and as a sentence says it.

The kinds belong to a higher floor: settings.REWARD_KINDS names their folders, and each has its `TERMS`. A choice is
written `kind:what`, such as `points:`, `points:stars` or `product:mug`.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext, ngettext

from campaigns import field_choices, wording
from campaigns.definitions import Extra, RuleLine

POINTS: Final = "points"
UNITS_MAX: Final = 10**9

type_of_choices = list[tuple[str, str]]
type_of_groups = list[tuple[str, type_of_choices]]


class Unreadable(ValueError):
    """An amount that cannot be given, with the sentence that says so."""


class Ask(NamedTuple):
    """How an amount is asked for: `digits` stand after its point, and `offered` are all there are, unless empty."""

    label: str
    digits: int = 0
    offered: tuple[int, ...] = ()


class Terms(Protocol):
    """What a kind of reward says of itself. `what` is an asset's or a gift's code; amounts are in smallest units."""

    label: str | Promise
    is_counted: bool  # in units of an asset
    is_shared: bool  # may be a percentage of an order, or a step of the ladder

    def choices(self) -> type_of_choices:
        """Return what can be chosen now: `what` and its name."""

    def ask(self, *, what: str) -> Ask | None:
        """Return how its amount is asked for; None where there is always one."""

    def problem(self, *, what: str, amount: int | None) -> str | None:
        """Return what is wrong with giving so much of it and what to do, as a sentence. None asks of no amount."""

    def advice(self, *, what: str, amount: int | None) -> Sequence[str]:
        """Return what is odd about it, as sentences. It may be given nevertheless."""

    def words(self, *, what: str, amount: int) -> str:
        """Return it as a part of a sentence: 500 points, a certificate of Coffee House for 500 roubles."""

    def unit(self, *, what: str) -> str:
        """Return what its amount is in: points, or the asset's name."""

    def may_owe(self, *, what: str) -> bool:
        """Tell whether a member's balance of it may go below zero."""

    def at_hand(self) -> AbstractContextManager[None]:
        """Within, what there is to give is read once, however often it is asked for."""


def terms_of(kind: str) -> Terms:
    """Return what a kind of reward says of itself; `kind` is one of settings.REWARD_KINDS."""
    terms: Terms = import_string(f"{settings.REWARD_KINDS[kind]}.terms.TERMS")
    return terms


def is_known(kind: str) -> bool:
    """Tell whether there is such a kind of reward."""
    return kind in settings.REWARD_KINDS


@contextmanager
def at_hand() -> Iterator[None]:
    """Read what there is to give and to choose from once: for whoever shows many rules."""
    with ExitStack() as stack:
        stack.enter_context(field_choices.at_hand())
        for kind in settings.REWARD_KINDS:
            stack.enter_context(terms_of(kind).at_hand())
        yield


def choices() -> type_of_groups:
    """Return all that can be given now, grouped by its kind, as a list of choices takes it."""
    groups = ((kind, terms_of(kind)) for kind in settings.REWARD_KINDS)
    found = [
        (str(terms.label), [(value_of(kind, what), name) for what, name in terms.choices()]) for kind, terms in groups
    ]
    return [group for group in found if group[1]]


def value_of(kind: str, what: str) -> str:
    """Return a choice as a form sends it. Points have two names, and one value."""
    return f"{kind}:{'' if kind == what == POINTS else what}"


def split(value: str) -> tuple[str, str]:
    """Return the kind and the code of a choice."""
    kind, _colon, what = value.partition(":")
    return kind, what


def units_of(number: Decimal, asked: Ask | None) -> int:
    """
    Return an amount that somebody has typed in smallest units: 12.50 of two digits are 1250.

    :raises Unreadable: for a part of the smallest unit, and for what is too much or too little
    """
    if asked is None:
        return 1
    least, most = number_of(1, asked), number_of(UNITS_MAX, asked)
    if not least <= number <= most:
        told = {
            "least": wording.decimal(least, digits=asked.digits),
            "most": wording.decimal(most, digits=asked.digits),
        }
        raise Unreadable(gettext("From %(least)s to %(most)s.") % told)
    units = number.scaleb(asked.digits)
    if units % 1:
        raise Unreadable(_too_fine(asked.digits))
    return int(units)


def number_of(units: int, asked: Ask | None) -> Decimal:
    """Return an amount as people type it: 1250 of two digits is 12.50, and 1200 is 12."""
    number = Decimal(units).scaleb(-(asked.digits if asked else 0))
    return number if number % 1 else number.quantize(Decimal(1))


def ask(*, kind: str, what: str) -> Ask | None:
    """Return how the amount of it is asked for; None where there is always one, or no such kind."""
    return terms_of(kind).ask(what=what) if is_known(kind) else None


def problem(*, kind: str, what: str, amount: int | None) -> str | None:
    """Return what is wrong with giving so much of it, as a sentence, or None. Without an amount none is asked of."""
    if not is_known(kind):
        return gettext("There is no such kind of reward: choose another.")
    return terms_of(kind).problem(what=what, amount=amount)


def advice(*, kind: str, what: str, amount: int | None) -> Sequence[str]:
    """Return what is odd about giving so much of it, as sentences."""
    return terms_of(kind).advice(what=what, amount=amount) if is_known(kind) else ()


def is_shared(kind: str) -> bool:
    """Tell whether a kind can be given as a percentage of an order, or by the ladder."""
    return is_known(kind) and terms_of(kind).is_shared


def is_counted(kind: str) -> bool:
    """Tell whether a kind is counted in units of an asset."""
    return is_known(kind) and terms_of(kind).is_counted


def may_owe(*, kind: str, what: str) -> bool:
    """Tell whether a member's balance of it may go below zero."""
    return is_known(kind) and terms_of(kind).may_owe(what=what)


def name_of(*, kind: str, what: str) -> str:
    """Return what an asset or a gift is called."""
    return terms_of(kind).unit(what=what) if is_known(kind) else what or kind


def words(*, kind: str, what: str, amount: int) -> str:
    """Return so much of it as a part of a sentence, in the active language."""
    return terms_of(kind).words(what=what, amount=amount) if is_known(kind) else wording.whole(amount)


def pieces_of(rule: RuleLine) -> tuple[Extra, ...]:
    """Return all that a rule gives at once, its own reward first. Of a percentage or ladder the amount is 0."""
    amount = rule.amount_points or 0
    return (Extra(kind=rule.reward_kind, what=rule.reward_what, amount=amount), *rule.extras)


def _too_fine(digits: int) -> str:
    if not digits:
        return gettext("Only whole ones.")
    told = ngettext("At most %(digits)s digit after the point.", "At most %(digits)s digits after the point.", digits)
    return told % {"digits": digits}
