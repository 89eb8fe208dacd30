"""
What members of the record shop do with what they have earned, told to the API once their history is known.

They buy from the catalogue, pay a part of an order with points, and staff changes two balances by hand. Everything has
a key, so it may be told again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from core.db import fetch
from demo.client import Client

BUYERS_MAX: Final = 24
HOLDERS: Final = """
SELECT i.lookup AS name, a.balance
FROM rewards_account a
JOIN rewards_asset asset ON asset.id = a.asset_id AND asset.code = 'points'
JOIN members_identity i ON i.member_id = a.member_id AND i.kind = 'external_id' AND i.resolves
JOIN members_member m ON m.id = a.member_id AND m.status = 'active'
WHERE a.balance >= 300
ORDER BY a.balance DESC, i.lookup LIMIT 40
"""
# In turn: whoever can pay for it buys it.
WISHES: Final = ("sticker-pack", "free-delivery", "fifteen-off", "liner-notes", "slipmat", "early-access")
ADDRESS: Final = {
    "name": "Simulated Customer",
    "street": "1 Nowhere Lane",
    "city": "Springfield",
    "postcode": "00000",
    "country": "US",
}


def holders() -> dict[str, int]:
    """Return who of the current tenant has points to spend, and how many, richest first."""
    return {row.name: row.balance for row in fetch(HOLDERS)}


class Step(NamedTuple):
    """One request, and the number that the answer gives to what follows it (`{id}` in a path)."""

    path: str
    body: Mapping[str, Any]


def steps(*, holders: Mapping[str, int]) -> Iterator[tuple[Step, ...]]:
    """Yield what is told, as stories of one or several requests."""
    names = list(holders)
    for number, name in enumerate(names[:BUYERS_MAX]):
        gift = WISHES[number % len(WISHES)]
        body: dict[str, Any] = {"member": name, "gift": gift, "key": f"simulated:{name}:{gift}"}
        yield (Step("/api/v1/purchases", body | ({"address": ADDRESS} if gift == "slipmat" else {})),)
    for name in names[BUYERS_MAX : BUYERS_MAX + 4]:
        body = {"member": name, "amount": min(holders[name], 300), "key": f"simulated:{name}:order"}
        yield (
            Step("/api/v1/redemptions", body | {"order_id": f"SIM-{name}-P"}),
            Step("/api/v1/redemptions/{id}/capture", {}),
        )
    if names:
        yield (Step("/api/v1/adjustments", _change(names[-1], 50, "The parcel came late")),)
        yield (Step("/api/v1/adjustments", _change(names[0], 5_000, "Guest of honour at the record fair")),)


def shop(*, client: Client, holders: Mapping[str, int]) -> None:
    """
    Tell all of it.

    :raises demo.client.Refused: if the API does not take a step
    """
    for story in steps(holders=holders):
        number = 0
        for step in story:
            answer = client.tell(step.path.format(id=number), step.body)
            number = int(answer["id"])


def _change(name: str, amount: int, reason: str) -> dict[str, Any]:
    return {"member": name, "asset": "points", "amount": amount, "reason": reason, "key": f"simulated:{name}:{amount}"}
