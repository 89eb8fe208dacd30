"""What a shop's programs send."""

from datetime import UTC, datetime
from typing import Any

from events.reports import Report, Sender, read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = Sender(schema="t_acme", region="RU", may_backfill=False)
ACME_WITH_BACKFILL = Sender(schema="t_acme", region="RU", may_backfill=True)


def joined(key: Any = "joined-1", **changes: Any) -> dict[str, Any]:
    return {"key": key, "kind": "member.joined", "member": {"external_id": "anna"}} | changes


def order(order_id: str = "1001", *, key: str | None = None, **changes: Any) -> dict[str, Any]:
    data = {"order_id": order_id, "amount_minor": 4990, "currency": "RUB"}
    return joined(key or f"paid-{order_id}") | {"kind": "order.paid", "data": data} | changes


def with_data(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return body | {"data": body.get("data", {}) | changes}


def report(body: dict[str, Any], *, sender: Sender = ACME, at: datetime = NOON) -> Report:
    return read(body=body, sender=sender, at=at)


def pointers(problem: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]
