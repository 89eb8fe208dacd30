"""
The life of a certificate that is bought online.

    waiting ── claim ──► ordered ── the provider's answer ──► issued
       ▲                    │ no answer: unknown, and its status is asked for before anything else
       └─ refused, or no ───┘
          such order

`claim` writes down that we are about to order, under our own key, before anybody is called; `calls.make` calls outside
of every transaction; `settle` writes down what came of it. A worker that dies in between leaves an order whose time has
passed: its status is asked for by our key. The same key is used until the provider has definitely refused.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.core.cache import cache

from core import sealing
from core.db import after_commit, current_schema, execute, fetch, in_transaction, json_text, transaction
from members import people
from rewards.certificates import brands
from rewards.certificates.calls import Action, Call
from rewards.certificates.providers import Connection, Reason, Unknown, Wish, adapter_of
from rewards.models import Entitlement, Provider

logger = logging.getLogger(__name__)

TASK: Final = "rewards.certificates.tasks.buy_waiting"
BALANCE_TASK: Final = "rewards.certificates.tasks.ask_balance"
SEALED_AS: Final = "provider_secret"
# Longer than a call can take (core.outbound): until then its worker may be alive.
LEASE: Final = timedelta(seconds=60)
# After a round in which every provider refused.
ROUNDS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
# What one certificate was refused for, all would be: others wait a little before they ask the same provider.
SHARED: Final = frozenset({Reason.NO_FUNDS, Reason.DENIED, Reason.UNREACHABLE})
HELD: Final = timedelta(seconds=60)
OUT_OF_STOCK: Final = "out_of_stock"
QUIET_SECONDS: Final = 1


@in_transaction
def queue(*, entitlement_ids: Sequence[int], at: datetime) -> None:
    """Let those of these that still wait be ordered, where their brand has a provider, as soon as this is committed."""
    if entitlement_ids and execute(QUEUE, {"ids": list(entitlement_ids), "at": at, "problem": OUT_OF_STOCK}):
        ring()


@in_transaction
def ring() -> None:
    """Wake a worker once this is committed. A lost ring costs the time to the next sweep."""
    schema = current_schema()
    after_commit(lambda: _ring(schema))


def is_due(*, at: datetime) -> bool:
    """Tell whether a provider is to be called. Costs one look at an index."""
    return bool(fetch(DUE, {"at": at}))


def send(task: str, **kwargs: str | int) -> None:
    """Give a task to whichever worker is free. It never fails: what is lost is found by a sweep, or begun again."""
    try:
        current_app.send_task(task, kwargs=kwargs, ignore_result=True, retry=False)
    except Exception:
        logger.exception("No worker could be woken.", extra={"task": task})


def listen() -> None:
    """Let the next ring be heard: a worker says this before it looks for what waits."""
    try:
        cache.delete(TASK)
    except Exception:
        logger.exception("A ring could not be answered; it falls silent by itself.")


@transaction
def claim(*, schema: str, limit: int, at: datetime) -> list[Call]:
    """Write down which calls are about to be made, and return them: up to `limit`, the longest due first."""
    people.lock(schema)
    rows = fetch(CLAIM, {"at": at, "limit": limit})
    if not rows:
        return []
    known = {provider.code: provider for provider in Provider.objects.all()}
    marks, calls = [], []
    for row in rows:
        mark, call = _next(row, known, schema=schema, at=at)
        marks.append(mark)
        calls += [call] if call else []
    _write(marks)
    return calls


@transaction
def try_again(*, schema: str, provider: Provider, at: datetime) -> int:
    """Let everything that a provider could not sell be tried now, and return how much that is."""
    people.lock(schema)
    Provider.objects.filter(pk=provider.pk).update(problem="", problem_at=None)
    ring()
    return execute(TRY_AGAIN, {"code": provider.code, "at": at})


def ask_balance(*, schema: str, provider_id: int, at: datetime) -> None:
    """Ask a provider what is left on our account, and write it down. No answer changes nothing."""
    provider = Provider.objects.get(pk=provider_id)
    try:
        balance_minor = adapter_of(provider.adapter, connection_of(provider, schema=schema)).balance()
    except Unknown:
        logger.warning("A provider does not say its balance.", extra={"provider": provider.code})
        return
    Provider.objects.filter(pk=provider_id).update(balance_minor=balance_minor, balance_at=at)


def connection_of(provider: Provider, *, schema: str) -> Connection:
    """Return how to reach a provider, its secret open."""
    try:
        secret = sealing.unseal(schema=schema, kind=SEALED_AS, value=provider.secret) if provider.secret else ""
    except sealing.CannotUnseal:
        # The provider will say that it does not know us, which staff is told.
        logger.exception("A provider's secret cannot be opened.", extra={"provider": provider.code})
        secret = ""
    return Connection(url=provider.url, secret=secret, settings=provider.settings)


# Within: what comes next for one entitlement

type_of_mark = dict[str, Any]


def _next(row: Any, known: Mapping[str, Provider], *, schema: str, at: datetime) -> tuple[type_of_mark, Call | None]:
    if row.status != Entitlement.Status.WAITING:
        provider = next(each for each in known.values() if each.pk == row.provider_id)
        action = Action.GIVE_BACK if row.status == Entitlement.Status.CANCELLED else Action.ASK
        return _mark(row, provider_id=provider.pk, at=at + LEASE), _call(row, provider, action, schema=schema)
    sellers = _sellers(row, known)
    if not sellers:
        return _mark(row, problem=OUT_OF_STOCK, at=None), None
    refused = row.details.get("refused", {})
    free = [each for each in sellers if each.code not in refused and not _is_held(each, at=at)]
    if not free:
        return _next_round(row, sellers, at=at), None
    mark = _mark(row, status=Entitlement.Status.ORDERED.value, provider_id=free[0].pk, at=at + LEASE)
    return mark, _call(row, free[0], Action.ORDER, schema=schema)


def _sellers(row: Any, known: Mapping[str, Provider]) -> list[Provider]:
    again = known.get(row.details.get("again", ""))
    if again is not None and again.is_active:
        # What a provider has never heard of is ordered there once more, under the same key, and nowhere else.
        return [again]
    found = [known[str(code)] for code in row.terms.get("providers") or () if str(code) in known]
    return [provider for provider in found if provider.is_active]


def _is_held(provider: Provider, *, at: datetime) -> bool:
    return provider.problem in SHARED and provider.problem_at is not None and provider.problem_at > at - HELD


def _next_round(row: Any, sellers: Sequence[Provider], *, at: datetime) -> type_of_mark:
    rounds = row.details.get("rounds", 0)
    problem = row.problem or next((each.problem for each in sellers if each.problem), "")
    details = {**row.details, "refused": {}, "rounds": rounds + 1}
    return _mark(row, problem=problem, details=details, at=at + ROUNDS[min(rounds, len(ROUNDS) - 1)])


def _mark(row: Any, *, at: datetime | None, **changed: Any) -> type_of_mark:
    kept = {"status": row.status, "provider_id": row.provider_id, "problem": row.problem, "details": row.details}
    return {"id": row.id, **kept, **changed, "next_attempt_at": at}


def _call(row: Any, provider: Provider, action: Action, *, schema: str) -> Call:
    return Call(
        entitlement_id=row.id,
        action=action,
        adapter=provider.adapter,
        connection=connection_of(provider, schema=schema),
        provider_id=provider.pk,
        order=row.provider_order,
        wish=Wish(
            key=key_of(schema=schema, entitlement_id=row.id, turn=row.details.get("turn", 0)),
            product=brands.product_of(row.terms, gift_code=row.gift_code, provider=provider.code),
            value_minor=row.value_minor or 0,
            currency=row.currency,
        ),
    )


def key_of(*, schema: str, entitlement_id: int, turn: int) -> str:
    """Return our key of a purchase. A definite refusal ends a turn: what follows is another purchase."""
    return f"cert:{schema}:{entitlement_id}:{turn}"


def _write(marks: Sequence[type_of_mark]) -> None:
    columns = {name: [mark[name] for mark in marks] for name in marks[0]}
    execute(MARK, columns | {"details": json_text(columns["details"])})


def _ring(schema: str) -> None:
    try:
        if not cache.add(TASK, 1, timeout=QUIET_SECONDS):
            return
    except Exception:
        logger.exception("Whether a ring was heard could not be asked; it rings again.")
    send(TASK, schema_name=schema)


QUEUE = """
UPDATE rewards_entitlement e SET
    next_attempt_at = CASE WHEN jsonb_array_length(coalesce(nullif(gift.terms -> 'providers', 'null'), '[]')) > 0
        THEN %(at)s END,
    problem = CASE WHEN jsonb_array_length(coalesce(nullif(gift.terms -> 'providers', 'null'), '[]')) > 0
        THEN '' ELSE %(problem)s END
FROM rewards_gift gift
WHERE e.id = ANY(%(ids)s::bigint[]) AND e.status = 'waiting' AND gift.id = e.gift_id
"""

DUE = "SELECT FROM rewards_entitlement WHERE next_attempt_at <= %(at)s AND kind = 'certificate' LIMIT 1"

CLAIM = """
SELECT e.id, e.status, e.value_minor, e.currency, e.provider_id, e.provider_order, e.problem, e.details, gift.terms,
    gift.code AS gift_code
FROM rewards_entitlement e JOIN rewards_gift gift ON gift.id = e.gift_id
WHERE e.next_attempt_at <= %(at)s AND e.kind = 'certificate'
ORDER BY e.next_attempt_at, e.id LIMIT %(limit)s
FOR UPDATE OF e SKIP LOCKED
"""

MARK = """
UPDATE rewards_entitlement e
SET status = m.status, provider_id = m.provider_id, problem = m.problem, details = m.details,
    next_attempt_at = m.next_attempt_at, attempts = least(e.attempts + 1, 32000)
FROM ROWS FROM (
    unnest(%(id)s::bigint[], %(status)s::text[], %(provider_id)s::bigint[], %(problem)s::text[],
        %(next_attempt_at)s::timestamptz[]),
    jsonb_array_elements(%(details)s::jsonb)
) AS m (id, status, provider_id, problem, next_attempt_at, details)
WHERE e.id = m.id
"""

TRY_AGAIN = """
UPDATE rewards_entitlement e SET next_attempt_at = %(at)s, details = e.details || '{"refused": {}, "rounds": 0}'
FROM rewards_gift gift
WHERE gift.id = e.gift_id AND e.status = 'waiting' AND gift.terms -> 'providers' ? %(code)s
"""
