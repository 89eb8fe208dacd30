"""What whoever looks after the connection is told: a webhook was disabled, a key goes on, an event failed, erasure."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.db import transaction
from events import handling, kinds, retry
from events.claims import Claimed, Outcome
from events.models import Event
from integrations.models import Endpoint
from integrations.webhooks import endpoints, payloads
from integrations.webhooks import kinds as told_kinds
from members import erasing
from members.models import Member
from rewards import ledger
from tenants import context, key_uses, keys
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry
from tests import webhooks
from tests.cast import NOON, Shop, make_campaign
from tests.programs import Program, host_of
from tests.stand_ins.receivers import StandIn
from tests.webhooks import happen, send_due, statuses, told

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
KINDS = ["webhook.disabled", "key.used_after_end", "event.failed", "member.erased"]
URL = "https://shop.example.com/hooks"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as found:
        yield found


@pytest.fixture
def listening(acme, bolt, stand_in) -> Endpoint:
    """Have a webhook of Acme's listen to all of this, and one of Bolt's to which nothing may come."""
    with context.in_tenant("t_bolt"):
        webhooks.add(f"{stand_in.url}/bolt", kinds=KINDS)
    endpoint, _secret = webhooks.add(f"{stand_in.url}/acme", kinds=KINDS)
    return endpoint


def came_to(stand_in: StandIn, *, at: datetime) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Deliver all that is due at both tenants; return where each message came to, its kind, its object and its data."""
    for schema in ("t_acme", "t_bolt"):
        with context.in_tenant(schema):
            send_due(at=at)
    paths = [came.path for came in stand_in.receiver.came]
    messages = told(stand_in.receiver)
    return [(path, each["type"], each["object"], each["data"]) for path, each in zip(paths, messages, strict=True)]


def facts_of(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind).order_by("pk"))


def test_no_rule_starts_from_them_and_whoever_chooses_nothing_is_told():
    assert set(KINDS).isdisjoint(kinds.ALL)
    assert set(KINDS) <= set(told_kinds.CONFIRMED)


# Webhooks


def gone(endpoint: Endpoint, number: int, receiver, *, at: datetime) -> None:
    """Let a receiver answer 410 to what it is told next."""
    receiver.mode = "gone"
    happen(number, at=at)
    send_due(at=at)
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.status_note) == ("disabled", "gone")


def test_the_others_are_told_of_a_webhook_that_was_disabled(listening, stand_in):
    with StandIn() as bad:
        disabled, _ = webhooks.add(f"{bad.url}?token=s3cret", kinds=["reward.granted", *KINDS])
        gone(disabled, 1, bad.receiver, at=NOON)

    assert came_to(stand_in, at=NOON) == [
        (
            "/hooks/acme",
            "webhook.disabled",
            {"type": "webhook", "id": disabled.pk},
            {"webhook_id": disabled.pk, "url": bad.url.removesuffix("/hooks"), "why": "gone", "member": None},
        )
    ]
    assert [kind for kind, _status, _attempts in statuses(disabled)] == ["reward.granted"]
    (fact,) = facts_of("webhook.disabled")
    assert (fact.source, fact.status, fact.trace, fact.member_id) == ("sarafan", "handled", [], None)


def test_a_webhook_that_is_disabled_once_more_is_told_of_once_more(listening, stand_in):
    with StandIn() as bad:
        disabled, _ = webhooks.add(bad.url, kinds=["reward.granted"])
        gone(disabled, 1, bad.receiver, at=NOON)
        webhooks.act(endpoints.resume, disabled, at=NOON + HOUR)
        gone(disabled, 2, bad.receiver, at=NOON + HOUR)

    assert [each[1] for each in came_to(stand_in, at=NOON + HOUR)] == ["webhook.disabled"] * 2


def test_that_it_failed_for_a_day_is_told_too_and_not_before_the_day_is_over(listening, stand_in):
    with StandIn() as bad:
        bad.receiver.mode = "down"
        failing, _ = webhooks.add(bad.url, kinds=["reward.granted"])
        happen(1)
        send_due(at=NOON)
        happen(2, at=NOON + 23 * HOUR)
        send_due(at=NOON + 23 * HOUR)
        before = facts_of("webhook.disabled")
        send_due(at=NOON + 24 * HOUR)

    assert before == []
    (fact,) = facts_of("webhook.disabled")
    assert fact.data == {"webhook_id": failing.pk, "url": bad.url.removesuffix("/hooks"), "why": "failing"}


def test_the_example_of_a_disabled_webhook_is_not_taken_for_the_one_that_hears_it(acme):
    kind = told_kinds.get("webhook.disabled")

    example = json.loads(payloads.of_example(kind=kind, message_id="msg_1", endpoint_id=77, at=NOON))
    test = json.loads(payloads.of_example(kind=told_kinds.TEST, message_id="msg_2", endpoint_id=77, at=NOON))

    assert (example["object"], test["object"]) == ({"type": "webhook", "id": 2}, {"type": "webhook", "id": 77})


# Keys


@pytest.fixture
def _nothing_was_noted() -> Iterator[None]:
    key_uses.forget()
    yield
    key_uses.forget()


def ended(tenant, why: str, *, environment: str = "live") -> tuple[ApiKey, str]:
    """Return a key that has just ended, and all of it."""
    now = datetime.now(UTC)
    key, full = keys.issue(
        tenant=tenant, environment=environment, name="Shop", scopes=["events:read"], at=now - 2 * HOUR
    )
    if why == "replaced":
        with transaction():
            keys.rotate(key=key, overlap=timedelta(), at=now - HOUR)
    elif why == "revoked":
        keys.revoke(key=key, at=now - HOUR)
    else:
        ApiKey.objects.filter(pk=key.pk).update(expires_at=now - HOUR)
    keys.forget()
    return ApiKey.objects.get(pk=key.pk), full


@pytest.mark.usefixtures("_nothing_was_noted")
@pytest.mark.parametrize("why", ["replaced", "revoked", "expired"])
def test_a_key_that_is_used_after_its_end_is_told_of_once(acme, listening, stand_in, why):
    key, full = ended(acme, why)
    program = Program(full, host=host_of(acme))

    for _time in range(3):
        assert program.get().status_code == 401
        # As another process, or a minute later.
        key_uses.forget()

    key.refresh_from_db()
    ((path, kind, about, data),) = came_to(stand_in, at=datetime.now(UTC))
    start = f"sk_live_{key.prefix}_"
    assert (path, kind, about) == ("/hooks/acme", "key.used_after_end", {"type": "key", "id": start})
    assert datetime.fromisoformat(data.pop("used_at")) == key.refused_at.replace(
        microsecond=key.refused_at.microsecond // 1000 * 1000
    )
    assert data == {"start": start, "name": "Shop", "why": why, "from": "127.0.0.1", "member": None}
    assert full not in stand_in.receiver.came[0].body.decode()


@pytest.mark.usefixtures("_nothing_was_noted")
def test_whoever_goes_on_for_a_week_is_told_of_once(acme, listening):
    key, _full = ended(acme, "replaced")
    known, now = keys.find(prefix=key.prefix), datetime.now(UTC)

    for day in range(7):
        key_uses.note_refused(key=known, address=None, at=now + timedelta(days=day))

    (fact,) = facts_of("key.used_after_end")
    assert (fact.occurred_at, fact.data["from"]) == (now, None)
    assert AuditEntry.objects.filter(action="apikey.used_after_its_end").count() == 1


@pytest.mark.usefixtures("_nothing_was_noted")
def test_a_key_of_the_sandbox_is_the_sandboxs_business(acme, listening):
    key, _full = ended(acme, "expired", environment="sandbox")

    key_uses.note_refused(key=keys.find(prefix=key.prefix), address="203.0.113.7", at=NOON)

    assert facts_of("key.used_after_end") == []
    with context.in_tenant("t_acme_sandbox"):
        assert [each.data["start"] for each in facts_of("key.used_after_end")] == [f"sk_test_{key.prefix}_"]


@pytest.mark.usefixtures("_nothing_was_noted")
def test_whoever_knows_only_the_beginning_of_a_key_is_not_told_of(acme, listening):
    _key, full = ended(acme, "revoked")

    answer = Program(full[:-1] + ("A" if full[-1] != "A" else "B"), host=host_of(acme)).get()

    assert (answer.status_code, facts_of("key.used_after_end")) == (401, [])


# Events


def choking(claimed: Sequence[Claimed], at: datetime) -> Outcome:
    """Be unable to handle anything."""
    raise ValueError("I do not like it.\nDETAIL: It was Anna's.")


@pytest.fixture
def choking_consumer(settings) -> Iterator[None]:
    settings.EVENT_CONSUMERS = ["tests.test_webhooks_upkeep.choking"]
    handling._consumers.cache_clear()
    yield
    handling._consumers.cache_clear()


def until_it_fails(shop: Shop, event: Event) -> Event:
    """Try an event until it is given up, or handled."""
    event.refresh_from_db()
    while event.status == "waiting" and event.next_at:
        assert facts_of("event.failed") == []
        shop.at = event.next_at
        shop.handle()
        event.refresh_from_db()
    return event


def test_an_event_that_is_given_up_is_told_of(listening, stand_in):
    shop = Shop()

    refund = until_it_fails(shop, shop.refunds("anna", "500", order="1001"))

    assert came_to(stand_in, at=shop.at) == [
        (
            "/hooks/acme",
            "event.failed",
            {"type": "event", "id": refund.pk},
            {
                "event_id": refund.pk,
                "key": refund.key,
                "kind": "order.refunded",
                "error": "unknown_order",
                "member": None,
            },
        )
    ]
    (fact,) = facts_of("event.failed")
    assert (fact.cause_id, fact.status, fact.trace, fact.occurred_at) == (refund.pk, "handled", [], shop.at)
    assert refund.status == "failed"


def test_one_that_is_tried_again_and_handled_then_is_told_of_no_more(listening, choking_consumer, settings):
    shop = Shop()
    event = until_it_fails(shop, shop.tells("check_in", "anna"))
    settings.EVENT_CONSUMERS = ["scoring.pipeline.earn"]
    handling._consumers.cache_clear()

    with transaction():
        retry.retry(event=event, at=shop.at)
    shop.handle()

    event.refresh_from_db()
    assert (event.status, len(facts_of("event.failed"))) == ("handled", 1)


def test_one_that_is_tried_again_and_fails_again_is_told_of_again(listening, choking_consumer):
    shop = Shop()
    event = shop.report("check_in", "anna", key="mine")
    for _time in range(2):
        Event.objects.filter(pk=event.pk).update(status="waiting", attempts=7, next_at=None, error="")
        shop.at += HOUR
        shop.handle()

    told_of = {"event_id": event.pk, "key": "mine", "kind": "check_in", "error": "ValueError: I do not like it."}
    assert [fact.data for fact in facts_of("event.failed")] == [told_of] * 2


def test_several_that_are_given_up_in_one_batch_are_each_told_of_beside_what_is_handled(listening):
    make_campaign(rule={"trigger": "check_in", "recipient": "actor", "order_number": "any"})
    shop = Shop()
    refunds = [
        shop.report("order.refunded", "anna", order_id=f"{number}", refund_id="1", amount_minor=100)
        for number in range(3)
    ]
    Event.objects.filter(pk__in=[each.pk for each in refunds[:2]]).update(attempts=11)
    shop.report("check_in", "boris")

    shop.handle()

    assert [fact.data["event_id"] for fact in facts_of("event.failed")] == [each.pk for each in refunds[:2]]
    assert list(Event.objects.filter(pk=refunds[2].pk).values_list("status", "attempts")) == [("waiting", 1)]
    assert shop.balance_of("boris") == 100


def test_history_that_is_given_up_is_told_of(listening):
    shop = Shop(may_backfill=True)
    old = shop.report(
        "order.refunded", "anna", order_id="1", refund_id="1", amount_minor=1, occurred_at=NOON - 90 * 24 * HOUR
    )
    assert old.is_history
    shop.handle()

    until_it_fails(shop, old)

    assert [fact.data["event_id"] for fact in facts_of("event.failed")] == [old.pk]


def test_that_one_of_our_own_facts_failed_is_no_fact(listening, choking_consumer):
    shop = Shop()
    Event.objects.create(
        source="sarafan",
        key="level:1",
        kind="level.reached",
        occurred_at=NOON,
        received_at=NOON,
        attempts=7,
        member=Member.objects.create(first_seen_at=NOON),
    )

    shop.handle()

    assert Event.objects.get().status == "failed"


# Erasure


def test_whoever_was_told_of_a_member_is_told_that_they_are_erased(listening, stand_in):
    shop = Shop()
    shop.joins({"external_id": "anna", "telegram": "700", "email": "anna@example.com"})
    anna = Member.objects.get(pk=shop.id_of("anna"))

    with transaction():
        erasing.erase(member=anna, actor_kind="key", actor="Shop", at=NOON)
    with pytest.raises(erasing.AlreadyErased), transaction():
        erasing.erase(member=anna, actor_kind="key", actor="Shop", at=NOON + HOUR)

    assert came_to(stand_in, at=NOON + HOUR) == [
        (
            "/hooks/acme",
            "member.erased",
            {"type": "member", "id": anna.pk},
            {"member_id": anna.pk, "member": {"id": anna.pk, "external_id": None}},
        )
    ]
    assert "anna" not in stand_in.receiver.came[0].body.decode()
    (fact,) = facts_of("member.erased")
    assert (fact.data, fact.identities, fact.member_id) == ({"member_id": anna.pk}, [], anna.pk)
    assert ledger.verify() == []


@transaction
def erase_and_fail(member: Member) -> None:
    erasing.erase(member=member, actor_kind="key", actor="Shop", at=NOON)
    raise ZeroDivisionError


def test_an_erasure_that_is_rolled_back_is_told_to_nobody(listening, stand_in):
    shop = Shop()
    shop.joins("anna")
    anna = Member.objects.get(pk=shop.id_of("anna"))

    with pytest.raises(ZeroDivisionError):
        erase_and_fail(anna)

    assert (came_to(stand_in, at=NOON), facts_of("member.erased")) == ([], [])
