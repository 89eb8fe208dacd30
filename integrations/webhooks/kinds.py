"""
Which facts a webhook can be told of: the catalogue of what Sarafan records itself.

Every kind that is recorded anywhere has an entry; the tests hold each fact that they record to it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.errors import Invalid
from integrations.webhooks.catalogue import balances, gifts, rewards, safety, upkeep
from integrations.webhooks.catalogue.shapes import FactKind, record, words

# Told at the press of a button, and of nothing that happened.
TEST: Final = FactKind(
    name="webhook.test",
    label=_("A test"),
    schema=record("message", message=words("That it is a test.")),
    example={"message": "It works. Nothing has happened."},
    object_type="webhook",
)
ALL: Final[Mapping[str, FactKind]] = {
    each.name: each for each in (*rewards.KINDS, *balances.KINDS, *gifts.KINDS, *safety.KINDS, *upkeep.KINDS)
}
CONFIRMED: Final[tuple[str, ...]] = tuple(name for name, kind in ALL.items() if kind.is_confirmed)


class UnknownFactKind(Invalid):
    """There is no such kind of fact."""

    message = _("There is no such kind of fact: GET /api/v1/webhooks/kinds lists them.")


def get(name: str) -> FactKind:
    """
    Return a kind by its name, the test's too.

    :raises UnknownFactKind:
    """
    if name == TEST.name:
        return TEST
    if name not in ALL:
        raise UnknownFactKind(pointer="/kind")
    return ALL[name]


def chosen(names: Iterable[str] | None) -> list[str]:
    """
    Return the kinds that were chosen, each once, in the catalogue's order; all confirmed ones when nobody chose.

    :raises UnknownFactKind: with a pointer to each that there is not, or when none was chosen.
    """
    if names is None:
        return list(CONFIRMED)
    wanted = list(names)
    wrong = [place for place, name in enumerate(wanted) if name not in ALL]
    if wrong or not wanted:
        pointers = [f"/kinds/{place}" for place in wrong] or ["/kinds"]
        raise UnknownFactKind(errors=[{"pointer": pointer, "detail": UnknownFactKind.message} for pointer in pointers])
    return [name for name in ALL if name in set(wanted)]


def label_of(name: str) -> str:
    """Return what people call a kind, the name itself of one that is no more."""
    return str(get(name).label) if name in ALL or name == TEST.name else name
