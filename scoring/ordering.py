"""Orders are paid, refunded and cancelled. Pure."""

from bisect import insort
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from antifraud.limits.guard import Place
from antifraud.limits.usage import Figures
from campaigns.definitions import RuleLine
from rewards import refunds
from rewards.refunds import Held, Refund
from scoring import noting, promises
from scoring.batch import Batch
from scoring.plan import Paid, Returned, TakenBack
from scoring.situation import Incoming, KnownOrder

COUNTED = frozenset({refunds.FLAGGED, refunds.PENDING, refunds.GRANTED})


class Return(Enum):
    """What became of a refund: done, or it has to wait for the order (`EARLY`) or for this batch (`LATER`)."""

    DONE = auto()
    EARLY = auto()
    LATER = auto()


def occurrence(incoming: Incoming) -> str:
    """Return what a reward for an order is for: the order, whoever reports it."""
    return f"order:{number_of(incoming)}"


def number_of(incoming: Incoming) -> str:
    """Return the shop's order_id."""
    return str(incoming.data["order_id"])


def pay(batch: Batch, incoming: Incoming) -> None:
    """Note a paid order. The rules are asked before: an order is not among those that came before it."""
    person = batch.person(incoming.member_id)
    insort(person.orders, incoming.occurred_at)
    person.orders_count += 1
    batch.plan.paid.append(
        Paid(
            number=number_of(incoming),
            member_id=person.id,
            event_id=incoming.id,
            amount_minor=int(incoming.data["amount_minor"]),
            currency=str(incoming.data["currency"]),
            paid_at=incoming.occurred_at,
        )
    )


def take_back(batch: Batch, incoming: Incoming) -> Return:
    """
    Undo what can be undone of the rewards of a refunded or cancelled order.

    In proportion; but where a rule asked something of the order that what is left of it does not satisfy any more, all
    that it gave.
    """
    number = number_of(incoming)
    order = batch.orders.get(number)
    if order is None:
        # Its rewards have no ids before this batch is written; or the order has not been reported at all.
        is_here = any(paid.number == number for paid in batch.plan.paid)
        return Return.LATER if is_here else Return.EARLY
    if any(promises.is_kept(batch, each.reward_id) for each in order.held) or _needs_what_is_earned(batch, order):
        return Return.LATER
    if order.id not in batch.plan.returned and not order.refunded_minor and order.cancelled_at is None:
        noting.returned(batch, incoming, order)
    returned = _returned(batch, incoming, order)
    refund = Refund(order.amount_minor, returned.refunded_minor, returned.cancelled_at is not None)
    before = len(batch.plan.taken_back)
    fields = batch.situation.order_fields(_left(batch, order, returned.refunded_minor))
    settled = [
        _settle(batch, incoming, batch.held[each.reward_id], refund=refund, fields=fields) for each in order.held
    ]
    for done in filter(None, settled):
        _give_back(batch, done, is_lost=_is_lost(batch, order, done.after))
    if len(batch.plan.taken_back) == before:
        batch.trace(incoming, {"outcome": "missed", "code": "nothing_to_take_back", "params": {"order": number}})
    return Return.DONE


def _needs_what_is_earned(batch: Batch, order: KnownOrder) -> bool:
    """
    Tell whether a balance may not reach as far as it will once this batch has paid into it.

    What a batch takes is posted before what it gives. So whatever was earned before a refund is written before it, or
    the size of batches would decide what is lost.
    """
    due: dict[tuple[int, int | None], int] = {}
    for held in (batch.held[each.reward_id] for each in order.held):
        account = held.member_id, held.asset_id
        if held.status == refunds.GRANTED and held.stops_at_zero and account in batch.earning:
            due[account] = due.get(account, 0) + held.remaining
    return any(units > batch.balances.get(account, 0) for account, units in due.items())


def _returned(batch: Batch, incoming: Incoming, order: KnownOrder) -> Returned:
    returned = batch.plan.returned.setdefault(
        order.id,
        Returned(
            order_id=order.id,
            refunded_minor=order.refunded_minor,
            cancelled_at=order.cancelled_at,
        ),
    )
    if incoming.kind == "order.cancelled":
        if returned.cancelled_at is None:
            returned.cancelled_at = incoming.occurred_at
            _forget_order(batch, order)
    else:
        # More cannot come back than was paid, whatever the shop reports.
        refunded = returned.refunded_minor + int(incoming.data["amount_minor"])
        returned.refunded_minor = min(refunded, order.amount_minor)
        articles = batch.articles.setdefault(order.id, dict(order.returned))
        for item in incoming.data.get("items", ()):
            articles[item["sku"]] = articles.get(item["sku"], 0) + item["quantity"]
    return returned


def _left(batch: Batch, order: KnownOrder, refunded_minor: int) -> dict[str, Any]:
    """Return the data of an order's event as they would be without what has come back."""
    back = dict(batch.articles.get(order.id, order.returned))
    items = []
    for item in order.data.get("items", ()):
        gone = min(back.get(item["sku"], 0), item["quantity"])
        back[item["sku"]] = back.get(item["sku"], 0) - gone
        if gone < item["quantity"]:
            items.append({**item, "quantity": item["quantity"] - gone})
    return {**order.data, "amount_minor": order.amount_minor - refunded_minor, "items": items}


def _is_missed(batch: Batch, held: Held, fields: Mapping[str, object]) -> bool:
    """Tell whether a rule asked for more of the order than is left of it."""
    rule = batch.situation.rule_in(held.campaign_id, held.version_id, held.rule_id)
    # A promise that the order has kept was made for something else.
    is_for_order = rule is not None and rule.line.trigger == "order.paid"
    return rule is not None and is_for_order and _asks_of_order(rule.line) and rule.screen(fields) is not None


def _asks_of_order(rule: RuleLine) -> bool:
    return any(each.field == "amount_minor" or each.field.startswith("items.") for each in rule.conditions)


def _forget_order(batch: Batch, order: KnownOrder) -> None:
    person = batch.situation.people.get(order.member_id)
    if person is not None:
        person.orders_count -= 1
        if order.paid_at in person.orders:
            person.orders.remove(order.paid_at)


def _settle(
    batch: Batch, incoming: Incoming, held: Held, *, refund: Refund, fields: Mapping[str, object]
) -> refunds.Settled | None:
    is_below = not refund.is_whole and _is_missed(batch, held, fields)
    account = held.member_id, held.asset_id
    settled = refunds.settle(
        held,
        refund=replace(refund, is_cancelled=True) if is_below else refund,
        balance=batch.balances.get(account, 0),
    )
    if settled is None:
        return None
    batch.balances[account] = settled.after.balance
    batch.held[held.reward_id] = settled.after
    batch.plan.taken_back.append(
        TakenBack(
            before=settled.before,
            after=settled.after,
            taken=settled.taken,
            refund_id=f"event:{incoming.id}",
            event_id=incoming.id,
            depth=incoming.depth,
        )
    )
    batch.trace(incoming, _told(settled, is_below=is_below))
    return settled


def _told(settled: refunds.Settled, *, is_below: bool) -> dict[str, Any]:
    before, after = settled.before, settled.after
    back, lost = after.reversed - before.reversed, after.lost - before.lost
    entry = {
        "outcome": "taken_back",
        "code": "not_taken_back" if not back else "below_threshold" if is_below else "refunded",
        "version_id": before.version_id,
        "rule_id": before.rule_id,
        "member_id": before.member_id,
        "side": before.side,
        "reward_id": before.reward_id,
        "status": after.status,
        "kind": before.kind,
        "what": before.what,
        "given": back,
        "params": {"lost": lost, **({"lost_why": after.lost_why} if lost else {})},
    }
    return entry | ({"points": back} if before.is_points else {})


def _is_lost(batch: Batch, order: KnownOrder, held: Held) -> bool:
    """Tell whether anything stays with the member of what the rule gave at once."""
    return any(batch.held[each.reward_id].lost for each in order.held if each.together == held.together)


def _give_back(batch: Batch, settled: refunds.Settled, *, is_lost: bool) -> None:
    """Free what has come back, and nothing else: or a limit would be no limit for whoever spends and then returns."""
    before, after = settled.before, settled.after
    if before.status not in COUNTED:
        return
    account = before.member_id, before.asset_id
    if account in batch.holdings:
        batch.holdings[account] -= after.reversed - before.reversed
    is_gone = after.status not in COUNTED
    # What stays with the member goes on counting.
    stays = after.status != refunds.CANCELLED
    units = before.given - before.reversed - (after.given - after.reversed if stays else 0)
    cost_minor = before.cost_left - (after.cost_left if stays else 0)
    is_first = is_gone and before.part == 0
    batch.guard.give_back(
        place_of(before),
        figures=Figures(int(is_first and not is_lost), units if before.is_points else 0, cost_minor),
        steps=int(is_first),
    )


def place_of(held: Held) -> Place:
    """Return where a reward stands among the counters."""
    return Place(
        held.campaign_id,
        held.rule_id,
        held.member_id,
        held.occurred_at,
        held.side,
        held.actor_id,
        held.inviter_id,
        held.created_at,
    )
