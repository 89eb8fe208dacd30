"""One device or card in the hands of more members than a household has."""

from collections.abc import Mapping
from functools import partial

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _
from core.errors import type_of_text

SHORT: Mapping[str, type_of_text] = {"device": _("Many accounts on a device"), "card": _("Many accounts on a card")}
MEANINGS: Mapping[str, type_of_text] = {
    "device": _("More members use one device than a household has."),
    "card": _("More members pay with one card than a household has."),
}
SENTENCES: Mapping[str, type_of_text] = {
    "device": _("%(members)s members use one device; %(allowed)s are usual."),
    "card": _("%(members)s members pay with one card; %(allowed)s are usual."),
}
ALLOWED = {"device": 5, "card": 2}


def observe(case: Observed, setting: Setting, *, kind: str) -> Found | None:
    """Return how many members have one of the actor's devices or cards, if that is more than what is allowed."""
    allowed = setting.params["allowed"]
    counts = {pair: count for pair, count in case.accounts.items() if pair[0] == kind and count > allowed}
    if not counts:
        return None
    worst = max(counts, key=lambda pair: (counts[pair], pair))
    value = {"value": case.ties.shown[worst]} if worst in case.ties.shown else {}
    return Found({"members": counts[worst], "allowed": allowed} | value)


SIGNALS = tuple(
    Signal(
        name=f"many_accounts_{kind}",
        short=SHORT[kind],
        meaning=MEANINGS[kind],
        sentence=SENTENCES[kind],
        weight=50,
        observe=partial(observe, kind=kind),
        of_others=True,
        params={"allowed": Param(allowed, 1, 50, _("members that are usual"))},
        about="member",
    )
    for kind, allowed in ALLOWED.items()
)
