"""What a provider's answer changes. The same answer twice changes nothing the second time."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError

from core import sealing
from core.db import current_schema, execute, fetch, in_transaction, json_text, savepoint, transaction
from core.errors import conflict_of
from events import facts
from events.facts import Fact
from members import people
from rewards import entitlements as given
from rewards.certificates.calls import Call, GivenBack, Lost, Outcome
from rewards.certificates.providers import Accepted, Done, NoSuchOrder, Reason, Refused
from rewards.entitlements import Issue
from rewards.models import Entitlement, Provider
from tenants import context

logger = logging.getLogger(__name__)

Status = Entitlement.Status

# Between two questions about one order, by how often it was tried.
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 2, 5, 15, 60, 300, 900, 3600))
# Then somebody should look.
LOST_MAX: Final = 5
AGAIN: Final = timedelta(seconds=60)
UNKNOWN: Final = "unknown"
CODE_TAKEN: Final = "code_taken"
NOT_TAKEN_BACK: Final = "not_taken_back"
PIN_SEALED_AS: Final = "certificate_pin"
PDF_SEALED_AS: Final = "certificate_pdf"
ONCE: Final = "entitlement_code_once_a_kind"
WITH_PROVIDER: Final = (Status.ORDERED, Status.UNKNOWN)


@transaction
def settle(*, schema: str, outcomes: Sequence[tuple[Call, Outcome]], at: datetime) -> None:
    """Write down what came of calls."""
    people.lock(schema)
    for call, outcome in sorted(outcomes, key=lambda pair: pair[0].entitlement_id):
        row = Entitlement.objects.select_for_update(of=["self"]).select_related("gift").get(pk=call.entitlement_id)
        if row.status == Status.CANCELLED:
            _settle_return(row, call, outcome, at=at)
        elif row.status in WITH_PROVIDER and row.provider_id == call.provider_id:
            _settle_order(row, call, outcome, at=at)
        elif isinstance(outcome, Done):
            _settle_late(row, call, outcome, at=at)


def _settle_order(row: Entitlement, call: Call, outcome: Outcome, *, at: datetime) -> None:
    match outcome:
        case Done():
            _issue(row, call, outcome, at=at)
        case Accepted():
            _change(row, status=Status.ORDERED, provider_order=outcome.order, problem="", after=_pause(row), at=at)
        case Refused():
            _refuse(row, call, outcome, at=at)
        case NoSuchOrder():
            provider = Provider.objects.get(pk=call.provider_id)
            # Under the same key: should the first order still be on its way, the two are one.
            details = {**row.details, "again": provider.code}
            _change(row, status=Status.WAITING, details=details, after=timedelta(0), at=at)
        case _:
            _change(row, status=Status.UNKNOWN, problem=UNKNOWN, after=_pause(row), at=at)
            if row.attempts == LOST_MAX:
                _trouble(call.provider_id, UNKNOWN, row, at=at)


def _issue(row: Entitlement, call: Call, done: Done, *, at: datetime) -> None:
    days = row.gift.terms.get("valid_days")
    ours = given.last_instant(days=days, zone=context.zone(), at=at)
    issue = Issue(
        id=row.pk,
        code=given.seal(done.code),
        code_index=given.index_of(kind=row.kind, gift_id=row.gift_id, code=done.code),
        valid_from=at,
        valid_until=done.valid_until or ours,
    )
    try:
        with savepoint():
            issued = given.mark_issued(issues=[issue], at=at)
    except IntegrityError as error:
        if conflict_of(error) != ONCE:
            raise
        # Somebody has this code. Nothing is guessed, and nothing is bought: staff asks the provider.
        _change(row, status=Status.UNKNOWN, problem=CODE_TAKEN, after=None, at=at)
        _trouble(call.provider_id, CODE_TAKEN, row, at=at)
        return
    # A provider of an earlier turn may be the one whose answer came late.
    execute(BOUGHT, _bought(row, call, done))
    Provider.objects.filter(pk=call.provider_id).exclude(problem="").update(problem="", problem_at=None)
    given.tell(what="issued", ids=issued, at=at)


def _refuse(row: Entitlement, call: Call, refused: Refused, *, at: datetime) -> None:
    provider = Provider.objects.get(pk=call.provider_id)
    details = {name: value for name, value in row.details.items() if name != "again"}
    details["turn"] = details.get("turn", 0) + 1
    details["refused"] = {**details.get("refused", {}), provider.code: refused.reason.value}
    _change(
        row,
        status=Status.WAITING,
        provider_id=None,
        provider_order="",
        problem=refused.reason.value,
        details=details,
        # The next provider of the brand is tried at once; when there is none, a round has ended.
        after=timedelta(0),
        at=at,
    )
    _trouble(provider.pk, refused.reason.value, row, at=at)
    if refused.reason == Reason.REFUSED and refused.said:
        logger.warning("A provider refused.", extra={"provider": provider.code, "said": refused.said})


def _settle_return(row: Entitlement, call: Call, outcome: Outcome, *, at: datetime) -> None:
    """Go on giving back what was bought for somebody who is not to have it any more."""
    match outcome:
        case Done() | Accepted():
            # Its order was still on the way when it was cancelled.
            _change(row, provider_order=outcome.order or row.provider_order, after=timedelta(0), at=at)
        case GivenBack(is_unheard_of=True) if row.details.get("return") == "wanted":
            # Perhaps not yet: asked once more, when nothing can be on the way any longer.
            _change(row, details={**row.details, "return": "doubted"}, after=AGAIN, at=at)
        case GivenBack(is_taken=True) | Refused() | NoSuchOrder():
            _change(row, details={**row.details, "return": "done"}, problem="", after=None, at=at)
        case GivenBack():
            _change(row, details={**row.details, "return": "refused"}, problem=NOT_TAKEN_BACK, after=None, at=at)
            _trouble(call.provider_id, NOT_TAKEN_BACK, row, at=at)
        case Lost():
            _change(row, after=_pause(row), at=at)


def _settle_late(row: Entitlement, call: Call, done: Done, *, at: datetime) -> None:
    """Take a certificate that was answered when it was no more waited for: it is used, or somebody must know of it."""
    if row.status == Status.WAITING:
        _issue(row, call, done, at=at)
    elif row.code_index != given.index_of(kind=row.kind, gift_id=row.gift_id, code=done.code):
        logger.error("A certificate was bought that nobody waits for.", extra={"entitlement": row.pk})
        _trouble(call.provider_id, "bought_twice", row, at=at)


# What is written


def _bought(row: Entitlement, call: Call, done: Done) -> dict[str, Any]:
    schema = current_schema()
    details = {name: value for name, value in row.details.items() if name not in {"again", "refused", "rounds"}}
    if done.pin:
        details["pin"] = sealing.seal(schema=schema, kind=PIN_SEALED_AS, value=done.pin)
    if done.pdf_url:
        details["pdf"] = sealing.seal(schema=schema, kind=PDF_SEALED_AS, value=done.pdf_url)
    order = done.order or row.provider_order
    return {"id": row.pk, "provider_id": call.provider_id, "order": order, "details": json_text(details)}


@in_transaction
def _change(row: Entitlement, *, after: timedelta | None, at: datetime, **columns: Any) -> None:
    Entitlement.objects.filter(pk=row.pk).update(**columns, next_attempt_at=None if after is None else at + after)


def _pause(row: Entitlement) -> timedelta:
    return PAUSES[min(row.attempts, len(PAUSES) - 1)]


def _trouble(provider_id: int, problem: str, row: Entitlement, *, at: datetime) -> None:
    """Tell staff of a provider's trouble: once, until it is another one or over."""
    is_new = fetch(TROUBLE, {"id": provider_id, "problem": problem, "at": at})[0].is_new
    if is_new:
        provider = Provider.objects.get(pk=provider_id)
        data = {"provider": provider.code, "problem": problem, "entitlement_id": row.pk, "gift": row.gift.code}
        key = f"provider:{provider_id}:trouble:{problem}:{at.isoformat()}"
        facts.record(facts=[Fact("provider.trouble", key, data)], at=at)


BOUGHT = """
UPDATE rewards_entitlement SET provider_id = %(provider_id)s, provider_order = %(order)s, details = %(details)s::jsonb
WHERE id = %(id)s
"""

TROUBLE = """
WITH before AS (SELECT id, problem FROM rewards_provider WHERE id = %(id)s FOR UPDATE)
UPDATE rewards_provider provider SET problem = %(problem)s, problem_at = %(at)s
FROM before WHERE provider.id = before.id
RETURNING before.problem <> %(problem)s AS is_new
"""
