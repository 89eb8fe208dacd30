"""Who stands in a stop list, by themselves, by an identity, an e-mail domain or an address: the line says what then."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Signal
from core.errors import translated as _

NAME = "block_list"


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return who of those concerned is listed, with the harder answer of all that are found."""
    lines = [(each, party.id) for party in case.parties for each in party.traits.listed if each.list == "block"]
    if not lines:
        return None
    hardest, member_id = max(lines, key=lambda line: line[0].answer == "refuse")
    return Found({"member": member_id, "kind": hardest.kind}, always=hardest.answer)


SIGNALS = (
    Signal(
        name=NAME,
        short=_("Stop list"),
        meaning=_("Inviter or friend stands in a stop list, whose line says what becomes of the reward."),
        sentence=_("Member %(member)s stands in a stop list."),
        weight=50,
        observe=observe,
        about="member",
    ),
)
