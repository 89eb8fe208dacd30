"""Puts what an operation needs to do its work into requests that are valid, just before they are sent."""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import schemathesis

from tests.fuzz.maker import Maker, NotMade

# The rest stays as the fuzzer has made it.
SHARE: Final = 0.6
PREFIX: Final = "/api/v1"
LEFT_OUT: Final = object()
YESTERDAY: Final = (datetime.now(UTC) - timedelta(days=1)).isoformat()

type_of_values = Mapping[str, Any]
# From what the fuzzer has as the body: what to put into the address, and into the body.
type_of_wish = Callable[[Maker, type_of_values], tuple[type_of_values, type_of_values]]


def _path(name: str, make: Callable[[Maker], Any], **body: Any) -> type_of_wish:
    return lambda maker, _: ({name: make(maker)}, body)


def _body(make: Callable[[Maker], type_of_values]) -> type_of_wish:
    return lambda maker, _: ({}, make(maker))


def _rich(**body: Any) -> type_of_wish:
    return lambda maker, _: ({}, {"member": maker.rich(), "key": maker.new_key(), **body})


def _new_code(maker: Maker, _: type_of_values) -> tuple[type_of_values, type_of_values]:
    return {"external_id": maker.newcomer()}, {"code": f"CODE{maker.dice.randrange(10**9)}"}


def _reports(maker: Maker, body: type_of_values) -> tuple[type_of_values, type_of_values]:
    if "events" in body:
        return {}, {"events": [_recent(maker, report) for report in body["events"]]}
    return {}, {"occurred_at": LEFT_OUT, **_recent(maker, body)}


def _recent(maker: Maker, report: type_of_values) -> type_of_values:
    rest = {name: value for name, value in report.items() if name != "occurred_at"}
    return {**rest, "key": maker.new_key(), "member": {"external_id": maker.rich()}}


def _two(maker: Maker) -> type_of_values:
    return {"into": {"external_id": maker.newcomer()}, "away": {"external_id": maker.newcomer()}}


def _webhook(maker: Maker) -> type_of_values:
    maker.make_room()
    return {"url": "https://example.com/hook"}


# Whoever is meant is gone afterwards: never somebody of whom other operations ask.
ENDS: Final[dict[str, type_of_wish]] = {
    "DELETE /members/{external_id}": _path("external_id", Maker.newcomer),
    "PUT /members/{external_id}/ban": _path("external_id", Maker.newcomer),
}
NEEDS: Final[dict[str, type_of_wish]] = {
    **ENDS,
    "DELETE /members/{external_id}/ban": _path("external_id", Maker.banned),
    "DELETE /members/{external_id}/level": _path("external_id", Maker.levelled),
    "PUT /members/{external_id}/code": _new_code,
    "PUT /members/{external_id}/level": _body(lambda _: {"level": "gold", "until": "2031-01-01T00:00:00Z"}),
    "POST /members/merges": _body(_two),
    "POST /adjustments": _rich(asset="points"),
    "POST /campaigns/{campaign_id}/pause": _path("campaign_id", Maker.running),
    "POST /campaigns/{campaign_id}/resume": _path("campaign_id", Maker.paused),
    "POST /cases/{case_id}/decision": _path("case_id", Maker.open_case, sides=LEFT_OUT, seen=LEFT_OUT),
    "POST /cases/{case_id}/undo": _path("case_id", Maker.decided_case),
    "POST /certificates": _rich(gift="books", value_minor=100_000),
    "POST /certificates/{certificate_id}/cancellation": _path(
        "certificate_id", lambda maker: maker.certificate("books")
    ),
    "POST /certificates/{certificate_id}/choice": _path(
        "certificate_id", lambda maker: maker.certificate("any"), brand="books"
    ),
    "POST /codes/check": _body(lambda maker: {"code": maker.code(), "member": LEFT_OUT}),
    "POST /codes/redemptions": _body(
        lambda maker: {"code": maker.code(), "member": LEFT_OUT, "key": maker.new_key(), "order_id": maker.new_key()}
    ),
    "POST /codes/releases": _body(Maker.used_code),
    "POST /events": _reports,
    "POST /events/{event_id}/retry": _path("event_id", lambda maker: next(maker.failed)),
    "POST /payouts": _body(lambda maker: {"asset": "cash", "key": maker.new_key()}),
    "POST /payouts/{payout_id}/failure": _path("payout_id", Maker.payout),
    "POST /payouts/{payout_id}/settlement": _path("payout_id", Maker.payout),
    "POST /purchases": _rich(gift="notes", price=5),
    "POST /purchases/{purchase_id}/cancellation": _path("purchase_id", lambda maker: maker.purchase("stickers")["id"]),
    "POST /redemptions": _rich(asset="points", amount=9),
    "POST /redemptions/quote": _rich(asset="points", currency="RUB", key=LEFT_OUT),
    "POST /redemptions/{redemption_id}/capture": _path("redemption_id", Maker.redemption, amount=5),
    "POST /redemptions/{redemption_id}/release": _path("redemption_id", Maker.redemption),
    "POST /redemptions/{redemption_id}/return": lambda maker, _: (
        {"redemption_id": maker.captured()},
        {"amount": 4, "key": maker.new_key()},
    ),
    "POST /rewards": _rich(kind="points", what="points"),
    "POST /rewards/{reward_id}/cancellation": _path("reward_id", Maker.reward),
    "POST /webhooks": _body(_webhook),
    "DELETE /webhooks/{webhook_id}": _path("webhook_id", Maker.webhook),
    "DELETE /webhooks/{webhook_id}/rotation": _path("webhook_id", Maker.rotated),
    "POST /webhooks/{webhook_id}/rotation": _path("webhook_id", Maker.webhook),
    "POST /webhooks/{webhook_id}/resend": _path("webhook_id", Maker.webhook, since=YESTERDAY, until=LEFT_OUT),
    "POST /webhooks/{webhook_id}/test": _path("webhook_id", Maker.active),
    "GET /webhooks/{webhook_id}/deliveries/{delivery_id}": lambda maker, _: (maker.delivery(), {}),
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/resend": lambda maker, _: (maker.delivery(), {}),
}


def _find_maker(environment: Mapping[str, str]) -> Maker | None:
    """Return who makes what is needed, unless nothing is to be made."""
    if "FUZZ_KEY" not in environment:
        return None
    return Maker(
        address=environment["FUZZ_ADDRESS"],
        host=environment["FUZZ_HOST"],
        key=environment["FUZZ_KEY"],
        failed=(int(each) for each in environment["FUZZ_FAILED"].split()),
        dice=Random(4),  # noqa: S311 (no secret)
    )


_maker = _find_maker(os.environ)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Have what is needed made, and put it in its place."""
    name = case.operation.label.replace(PREFIX, "")
    if _maker is None or name not in NEEDS or not _is_open_to_it(case):
        return
    if name not in ENDS and _maker.dice.random() > SHARE:
        return
    try:
        path, body = NEEDS[name](_maker, case.body if isinstance(case.body, dict) else {})
    except NotMade as refused:
        # The table tells how often nothing was done.
        sys.stderr.write(f"Nothing to use up for {name}: {refused}\n")
        return
    if path:
        case.path_parameters = {**case.path_parameters, **path}
    if body and isinstance(case.body, dict):
        case.body = {member: value for member, value in {**case.body, **body}.items() if value is not LEFT_OUT}


def _is_open_to_it(case: Any) -> bool:
    # A walk from one answer to the next has what it needs.
    return case.meta is not None and case.meta.generation.mode.is_positive and case.meta.phase.name != "stateful"
