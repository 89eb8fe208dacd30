"""What the tenant has chosen, and the orders that a batch tells of: one statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from antifraud.judging.policy import Chosen, Policies
from antifraud.stops import lookout
from antifraud.stops.windows import PastTrip, StopLine
from campaigns.definitions import LimitLine
from campaigns.rulebook import Rulebook
from core import db
from events.claims import Claimed
from rewards import assets
from rewards.assets import AssetLine
from scoring import parts
from scoring.decide import RETURNS
from scoring.early import UNKNOWN_ORDER
from scoring.situation import KnownOrder


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the tenant has chosen, and the orders that the batch tells of."""

    policies: Policies
    has_listings: bool
    lists_version: int
    staff: tuple[str, ...]
    stop_rules: tuple[StopLine, ...]
    trips: tuple[PastTrip, ...]
    lines: dict[int, AssetLine]
    in_use: frozenset[int]
    gifts: dict[str, str]
    gift_costs: dict[str, int]
    everywhere: tuple[LimitLine, ...]
    has_levels: bool
    orders: dict[str, dict[str, Any]]
    early: dict[str, list[int]]


SURROUNDINGS = f"""
SELECT (SELECT jsonb_agg(jsonb_build_object('campaign_id', p.campaign_id, 'flag_from', p.flag_from,
            'refuse_from', p.refuse_from, 'signals', p.signals, 'shadow', p.shadow))
        FROM antifraud_fraudpolicy p) AS policies,
    EXISTS (SELECT FROM antifraud_listing) AS has_listings,
    (SELECT lists_version FROM antifraud_fraudpolicy WHERE singleton) AS lists_version,
    (SELECT COALESCE(jsonb_agg(s.email), '[]') FROM (SELECT email FROM staff_staff
        WHERE email <> '' AND is_active LIMIT 500) s) AS staff,
    (SELECT jsonb_agg(to_jsonb(a) ORDER BY a.id) FROM rewards_asset a) AS assets,
    (SELECT COALESCE(jsonb_agg(to_jsonb(l) - 'campaign_id' ORDER BY l.id), '[]') FROM campaigns_limit l
        WHERE l.campaign_id IS NULL) AS everywhere,
    EXISTS (SELECT FROM rewards_level) AS has_levels,
    {lookout.RULES} AS stop_rules, {lookout.TRIPS} AS trips
"""  # noqa: S608 (constants only)
# Where no rule of the batch gives one, and no order comes back, these are not asked: planning them takes longer.
GIFTS = """
(SELECT COALESCE(jsonb_object_agg(g.code, jsonb_build_array(g.kind, g.cost_minor)), '{}') FROM rewards_gift g
    WHERE g.is_active AND g.code = ANY(%(gifts)s::text[]))
"""
ORDERS = """
(SELECT COALESCE(jsonb_agg(to_jsonb(o) || jsonb_build_object(
        'member_id', COALESCE(e.member_id, o.member_id), 'data', e.data, 'articles', (
        SELECT jsonb_agg(item) FROM events_event f CROSS JOIN jsonb_array_elements(f.data -> 'items') item
        WHERE f.member_id = COALESCE(e.member_id, o.member_id) AND f.kind = 'order.refunded'
            AND f.status = 'handled' AND f.data ->> 'order_id' = o.number
    ))), '[]') FROM events_order o JOIN events_event e ON e.id = o.event_id
    WHERE o.number = ANY(%(numbers)s::text[]))"""
# The index event_early_return has them by the number of their order: they are few beside the log.
EARLY = """
(SELECT jsonb_object_agg(found.number, found.ids) FROM (
    SELECT e.data ->> 'order_id' AS number, jsonb_agg(e.id ORDER BY e.id) AS ids FROM events_event e
    WHERE (e.status = 'failed' OR e.status = 'waiting' AND e.next_at IS NOT NULL)
        AND e.error = %(unknown_order)s AND e.kind = ANY(%(returns)s::text[])
        AND e.data ->> 'order_id' = ANY(%(paid)s::text[])
    GROUP BY 1) found)"""


def read(*, claimed: Sequence[Claimed], book: Rulebook, at: datetime) -> Surroundings:
    """Return what surrounds the claimed events, in one statement."""
    numbers = sorted({str(each.data["order_id"]) for each in claimed if each.kind in RETURNS})
    paid = sorted({str(each.data["order_id"]) for each in claimed if each.kind == "order.paid"})
    gifts = sorted(_gifts(claimed, book))
    asked = [
        f"{GIFTS if gifts else 'NULL'} AS gifts",
        f"{ORDERS if numbers else 'NULL'} AS orders",
        f"{EARLY if paid else 'NULL'} AS early",
    ]
    told = {"numbers": numbers, "paid": paid, "returns": sorted(RETURNS), "unknown_order": UNKNOWN_ORDER}
    row = db.fetch(", ".join([SURROUNDINGS, *asked]), {**told, "gifts": gifts, "at": at})[0]
    given = row.gifts or {}
    return Surroundings(
        policies=Policies([Chosen(**each) for each in row.policies or ()]),
        has_listings=row.has_listings,
        lists_version=row.lists_version or 0,
        staff=tuple(sorted(row.staff)),
        stop_rules=lookout.rules_of(row.stop_rules),
        trips=lookout.trips_of(row.trips),
        lines={asset["id"]: assets.line_of(asset) for asset in row.assets},
        in_use=frozenset(asset["id"] for asset in row.assets if asset["is_active"]),
        gifts={code: kind for code, (kind, _cost_minor) in given.items()},
        gift_costs={code: cost_minor or 0 for code, (_kind, cost_minor) in given.items()},
        everywhere=tuple(LimitLine(**each) for each in row.everywhere),
        has_levels=row.has_levels,
        orders={order["number"]: order for order in row.orders or ()},
        early=row.early or {},
    )


def _gifts(claimed: Sequence[Claimed], book: Rulebook) -> set[str]:
    """Return the codes of all gifts that the rules on these events give."""
    # Most events share their rules: one tuple for a kind and an era.
    shared = {id(lines): lines for lines in (book.offers(each.kind, each.occurred_at) for each in claimed)}
    rules = (rule.line for lines in shared.values() for _offer, rule in lines)
    return {extra.what for line in rules for extra in parts.pieces(line) if extra.kind not in parts.COUNTED}


def orders_of(around: Surroundings, *, held: Iterable[Any]) -> dict[str, KnownOrder]:
    """Return the orders by their numbers, each with its rewards among `held`."""
    rewards: dict[int, list[Any]] = {}
    for each in held:
        rewards.setdefault(each.order_id, []).append(each)
    return {
        number: KnownOrder(
            id=order["id"],
            number=number,
            member_id=order["member_id"],
            amount_minor=order["amount_minor"],
            refunded_minor=order["refunded_minor"],
            cancelled_at=order["cancelled_at"] and datetime.fromisoformat(order["cancelled_at"]),
            paid_at=datetime.fromisoformat(order["paid_at"]),
            held=tuple(rewards.get(order["id"], ())),
            data=order["data"],
            returned=_articles(order["articles"] or ()),
        )
        for number, order in around.orders.items()
    }


def _articles(items: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in items:
        found[item["sku"]] = found.get(item["sku"], 0) + item["quantity"]
    return found
