"""What happens to events that wait: one that cannot be handled harms nobody but itself."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import Thread

import pytest
from celery import current_app
from django.db import DataError, OperationalError, connections

from core.db import execute, transaction
from events import claims, doorbell, facts, handling, retry, tasks
from events.claims import Claimed, Outcome
from events.facts import Fact
from events.models import Event
from members import people
from members.models import Member
from rewards.models import Level, Reward
from scoring import pipeline
from tenants import context
from tests.cast import NOON, Shop, make_campaign

pytestmark = pytest.mark.django_db

CHECK_IN = {"trigger": "check_in", "recipient": "actor", "order_number": "any"}


def picky(claimed: Sequence[Claimed], at: datetime) -> Outcome:
    """Score a batch, unless there is something in it that it chokes on."""
    outcome = pipeline.earn(claimed, at)
    for each in claimed:
        if each.key.startswith("poison"):
            raise ValueError("I do not like it.")
        if each.key.startswith("deadlock"):
            raise OperationalError("Somebody else was locked.")
    return outcome


@pytest.fixture
def picky_consumer(settings) -> Iterator[None]:
    settings.EVENT_CONSUMERS = ["tests.test_handling.picky"]
    handling._consumers.cache_clear()
    yield
    handling._consumers.cache_clear()


@pytest.fixture
def shop(acme) -> Shop:
    make_campaign(rule=CHECK_IN)
    return Shop()


def statuses() -> dict[str, str]:
    return dict(Event.objects.filter(source="api").values_list("key", "status"))


def handle(shop: Shop, **told) -> int:
    return handling.handle_batch(schema="t_acme", at=shop.at, **told)


# Poison


def test_nine_are_handled_beside_one_that_cannot_be(shop, picky_consumer, caplog):
    for number in range(10):
        shop.report("check_in", f"member-{number}", key="poison" if number == 4 else f"k{number}")

    shop.handle()

    assert statuses() == {f"k{number}": "handled" for number in range(10) if number != 4} | {"poison": "waiting"}
    assert [shop.balance_of(f"member-{number}") for number in range(10) if number != 4] == [100] * 9
    poison = Event.objects.get(key="poison")
    assert (poison.attempts, poison.error) == (1, "ValueError: I do not like it.")
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1


def test_it_is_tried_eight_times_ever_more_rarely_and_then_has_failed(shop, picky_consumer):
    shop.report("check_in", "anna", key="poison")
    waits = []
    shop.handle()

    while (poison := Event.objects.get(key="poison")).status == "waiting":
        waits.append((poison.next_at - shop.at).total_seconds())
        shop.at = poison.next_at
        shop.handle()

    assert waits == [2, 4, 8, 16, 32, 64, 128]
    assert (poison.status, poison.attempts, poison.next_at) == ("failed", 8, None)
    assert poison.error == "ValueError: I do not like it."


def test_it_is_not_tried_before_its_time(shop, picky_consumer):
    shop.report("check_in", "anna", key="poison")
    handle(shop)

    assert handle(shop) == 0
    shop.at = NOON + timedelta(seconds=2)
    assert handle(shop) == 1


def test_several_in_one_batch_are_all_found(shop, picky_consumer):
    keys = [f"poison-{number}" if number in {0, 7, 8, 19} else f"k{number:02}" for number in range(20)]
    for key in keys:
        shop.report("check_in", key, key=key)

    shop.handle()

    assert statuses() == {key: "waiting" if key.startswith("poison") else "handled" for key in keys}


def test_a_failed_event_that_is_tried_again_is_handled_when_its_cause_is_gone(shop, picky_consumer, settings):
    shop.report("check_in", "anna", key="poison")
    Event.objects.filter(key="poison").update(attempts=7)
    shop.handle()
    failed = Event.objects.get(key="poison")
    assert failed.status == "failed"

    settings.EVENT_CONSUMERS = ["scoring.pipeline.earn"]
    handling._consumers.cache_clear()
    retry.retry(event=failed, at=shop.at)
    shop.handle()

    failed.refresh_from_db()
    assert (failed.status, failed.error) == ("handled", "")
    assert shop.balance_of("anna") == 100


def test_what_is_not_the_events_fault_is_not_counted(shop, picky_consumer):
    shop.report("check_in", "anna", key="deadlock")
    shop.report("check_in", "boris", key="k2")

    with pytest.raises(OperationalError):
        handle(shop)

    assert list(Event.objects.values_list("status", "attempts", "next_at", "error")) == [("waiting", 0, None, "")] * 2


def test_a_batch_that_cannot_even_be_claimed_is_not_taken_apart(shop):
    shop.report("check_in", "anna")

    with pytest.raises(DataError):
        handle(shop, limit=-1)


def test_a_batch_leaves_nothing_of_what_failed_with_it(shop, picky_consumer):
    shop.report("check_in", "anna", key="poison")

    shop.handle()

    assert not Event.objects.filter(source="sarafan").exists()
    with pytest.raises(people.UnknownMember):
        shop.id_of("anna")


# Claiming


def claim(**told) -> list[int]:
    usual = {"lock_class": people.LOCK_CLASS, "lock_key": people.lock_key("t_acme"), "limit": 10, "only": None}
    with transaction():
        return [each.id for each in claims.claim(**{**usual, "at": NOON, **told})]


def test_the_oldest_are_claimed_first(shop):
    ids = [shop.report("check_in", "anna").pk for _ in range(3)]

    assert claim(limit=2) == ids[:2]


def test_only_what_waits_is_claimed(shop):
    waiting, handled, failed = (shop.report("check_in", "anna").pk for _ in range(3))
    Event.objects.filter(pk=handled).update(status="handled")
    Event.objects.filter(pk=failed).update(status="failed", error="unknown_order")

    assert claim() == [waiting]
    assert claim(only=[handled]) == []


def test_what_was_parked_does_not_wait_behind_what_is_new(shop):
    ids = [shop.report("check_in", "anna").pk for _ in range(9)]
    Event.objects.filter(pk=ids[-1]).update(next_at=NOON)

    assert claim(limit=4) == [*ids[:4], ids[-1]]


@pytest.mark.django_db(transaction=True)
def test_while_one_worker_is_at_a_tenant_another_is_told_so(acme, bolt):
    locked, done = Flag(), Flag()

    def work() -> None:
        with context.in_tenant("t_acme"), transaction():
            people.lock("t_acme")
            locked.set()
            done.wait(timeout=10)
        connections.close_all()

    worker = Thread(target=work)
    worker.start()
    assert locked.wait(timeout=10)
    try:
        with pytest.raises(claims.Busy):
            handling.handle_batch(schema="t_acme", at=NOON)
        with context.in_tenant("t_bolt"):
            assert handling.handle_batch(schema="t_bolt", at=NOON) == 0
    finally:
        done.set()
        worker.join()


# Tasks


@pytest.fixture
def rung(servers) -> Iterator[Callable[[], list[str]]]:
    """Return a way to read the tenants that the broker has been told of, which is the real one."""
    # Another run of the tests rings at the same broker.
    name = f"rung-{os.getpid()}"
    usual, current_app.conf.task_default_queue = current_app.conf.task_default_queue, name
    doorbell.breaker.reset()
    for schema in ("t_acme", "t_bolt"):
        doorbell.answer(schema)
    with current_app.connection_for_write() as broker, closing(broker.SimpleQueue(name)) as queue:

        def read() -> list[str]:
            found = []
            with suppress(queue.Empty):
                while message := queue.get_nowait():
                    message.ack()
                    found.append(message.payload[1]["schema_name"])
            return found

        yield read
        queue.clear()
    current_app.conf.task_default_queue = usual


def now_shop() -> Shop:
    return Shop(at=datetime.now(UTC))


def test_a_worker_handles_all_that_waits_batch_by_batch(acme):
    shop = now_shop()
    shop.report("order.paid", "anna", order_id="1001", amount_minor=100, currency="RUB")
    # Not in the batch of its order: that has to be written first.
    shop.report("order.refunded", "anna", order_id="1001", refund_id="1", amount_minor=100)
    shop.report("check_in", "anna")

    tasks.handle_waiting(schema_name="t_acme", what_a_newer_version_adds=1)

    assert set(Event.objects.values_list("status", flat=True)) == {"handled"}


def test_a_worker_handles_the_tenant_it_was_called_for(acme, bolt):
    for tenant in (acme, bolt):
        with context.in_tenant(tenant.schema_name):
            now_shop().report("check_in", "anna")

    with context.in_public():
        tasks.handle_waiting(schema_name="t_bolt")

    assert Event.objects.filter(status="waiting").count() == 1
    with context.in_tenant("t_bolt"):
        assert not Event.objects.filter(status="waiting").exists()


def test_a_message_that_names_no_tenant_is_refused(acme):
    with pytest.raises(TypeError):
        tasks.handle_waiting()
    with pytest.raises(context.NoTenant):
        tasks.handle_waiting(schema_name="t_nobody")


def test_the_sweep_rings_where_something_waits(acme, bolt, rung):
    with context.in_tenant("t_bolt"):
        now_shop().report("check_in", "anna")
    doorbell.answer("t_bolt")
    rung()

    tasks.sweep()

    assert rung() == ["t_bolt"]


def test_the_sweep_rings_for_what_was_parked_when_its_time_has_come(acme, bolt, rung):
    now = datetime.now(UTC)
    event = now_shop().report("check_in", "anna")
    for next_at, expected in ((now + timedelta(hours=1), []), (now, ["t_acme"])):
        Event.objects.filter(pk=event.pk).update(next_at=next_at)
        doorbell.answer("t_acme")
        rung()

        tasks.sweep()

        assert rung() == expected


@pytest.mark.django_db(transaction=True)
def test_the_trouble_of_one_tenant_does_not_keep_the_sweep_from_the_others(acme, bolt, rung, caplog):
    with context.in_tenant("t_bolt"):
        now_shop().report("check_in", "anna")
    doorbell.answer("t_bolt")
    rung()

    execute("ALTER TABLE t_acme.events_event RENAME TO gone")
    try:
        tasks.sweep()
    finally:
        execute("ALTER TABLE t_acme.gone RENAME TO events_event")

    assert rung() == ["t_bolt"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# Facts that start rules


def tell_of_level(name: str) -> None:
    told = Fact("level.reached", f"level:{name}", {"code": "gold"}, Member.objects.create(first_seen_at=NOON).pk)
    with transaction():
        facts.record(facts=[told], at=NOON)


def test_a_fact_that_a_rule_starts_from_rings_when_it_is_committed(
    acme, bolt, rung, django_capture_on_commit_callbacks
):
    make_campaign(rule={"trigger": "level.reached", "recipient": "actor", "order_number": "any"})

    with django_capture_on_commit_callbacks(execute=True):
        tell_of_level("in acme")
        with context.in_tenant("t_bolt"):
            tell_of_level("in bolt, where no rule starts from it")
        assert rung() == []

    assert rung() == ["t_acme"]


def test_what_a_worker_has_told_it_handles_in_the_same_turn(acme):
    Level.objects.create(code="gold", name="Gold", threshold=100)
    now = datetime.now(UTC)
    each = {"recipient": "actor", "order_number": "any"}
    make_campaign(rule=each, at=now)
    make_campaign(name="Gold", rule={**each, "trigger": "level.reached"}, at=now)
    now_shop().report("order.paid", "anna", order_id="1001", amount_minor=100, currency="RUB")

    tasks.handle_waiting(schema_name="t_acme")

    assert not Event.objects.filter(status="waiting").exists()
    assert Reward.objects.filter(event__kind="level.reached", status="granted").count() == 1
