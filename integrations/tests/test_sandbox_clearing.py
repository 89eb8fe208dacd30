"""The sandbox as new: what goes, what stays, and that it is never anything but a sandbox."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, cycle, takewhile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.test import Client

from antifraud.limits import counter_checks
from antifraud.lists import lines, listings
from core.db import execute, fetch, transaction
from events import claims, handling
from events.models import Event
from integrations.models import Endpoint
from integrations.sandbox import clearing, turns
from integrations.sandbox.clearing import NotConfirmed
from integrations.sandbox.turns import SandboxBusy
from integrations.tests.programs import ADDRESS, trying_out
from members.models import Member
from rewards import ledger
from rewards.actors import Actor
from rewards.models import Reward
from tenants import audit, context, sandboxes, spaces, upgrades
from tenants.models import ApiKey, Tenant
from tenants.sandboxes import SandboxOnly
from tenants.staff.models import AuditEntry, Staff
from tests import webhooks
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, staff_of
from tests.programs import Program
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor("key", "till")
SANDBOX = "t_acme_sandbox"
EMPTIED = (
    "members_member",
    "events_event",
    "campaigns_campaignversion",
    "rewards_reward",
    "rewards_posting",
    "referrals_referral",
    "antifraud_signal",
    "integrations_delivery",
    "staff_answer",
)


@pytest.fixture
def sandbox(acme):
    with context.in_tenant(SANDBOX) as found:
        yield found


@pytest.fixture
def shop(sandbox) -> Shop:
    """Give a sandbox in which something has happened."""
    shop = Shop()
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    return shop


def clear() -> Tenant:
    return clearing.clear(confirm="acme-sandbox", by=BY, at=NOON)


# What goes and what stays


def test_what_has_happened_is_gone_and_whoever_works_there_stays(shop):
    endpoint, _secret = webhooks.add("https://shop.example.com/hooks")
    browser = browser_of(staff_of("admin", username="eva"), host="acme-sandbox.localhost")
    people = list(Staff.objects.order_by("pk").values_list("pk", "username", "password", "groups__name"))
    keys = list(ApiKey.objects.order_by("pk").values())

    clear()

    left = {table: fetch(f"SELECT count(*) AS rows FROM {table}")[0].rows for table in EMPTIED}
    assert left == dict.fromkeys(EMPTIED, 0)
    assert list(Staff.objects.order_by("pk").values_list("pk", "username", "password", "groups__name")) == people
    assert list(ApiKey.objects.order_by("pk").values()) == keys
    kept = Endpoint.objects.get()
    assert (kept.pk, kept.url, kept.kinds, kept.secret) == (endpoint.pk, endpoint.url, endpoint.kinds, endpoint.secret)
    # Eva is logged in still.
    assert browser.get("/admin/members/member/").status_code == 200


def test_it_works_as_before_and_numbers_go_on_after_the_old_ones(shop):
    before = {model: model.objects.latest("pk").pk for model in (Member, Event, Reward)}

    clear()
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")

    assert shop.balance_of("anna") == 100
    assert ledger.verify() == []
    assert all(model.objects.earliest("pk").pk > last for model, last in before.items())


def test_it_is_made_as_a_new_one_is(shop):
    clear()

    assert shape_of(SANDBOX) == shape_of("template")
    assert fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ '_old$'") == []


def shape_of(schema: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in fetch(SHAPE, {"schema": schema})]


SHAPE = """
SELECT 'relation', relname, relkind::text FROM pg_class
WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('r', 'i', 'S')
UNION ALL SELECT 'key', k.conname, pg_class.relname FROM pg_constraint k JOIN pg_class ON pg_class.oid = k.conrelid
WHERE pg_class.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'trigger', t.tgname, pg_class.relname FROM pg_trigger t JOIN pg_class ON pg_class.oid = t.tgrelid
WHERE pg_class.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
UNION ALL SELECT 'function', proname, '' FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
ORDER BY 1, 2, 3
"""


def test_the_clock_is_back_to_real_time(shop):
    with transaction():
        sandboxes.set_clock(sandbox=context.current(), ahead=timedelta(days=40))

    cleared = clearing.clear(confirm="acme-sandbox", by=BY, at=NOON + timedelta(days=40))

    assert cleared.clock_ahead == timedelta()
    assert AuditEntry.objects.get(action="sandbox.cleared").at == NOON


def test_the_log_of_the_live_tenant_tells_of_it_too(shop):
    clear()

    own = AuditEntry.objects.get()
    assert (own.actor_kind, own.actor, own.action, own.target) == (
        "key", "till", "sandbox.cleared", "sandbox:acme-sandbox",
    )  # fmt: skip
    assert own.changes["members"] == 2
    assert audit.verify() == []
    with context.in_tenant("t_acme"):
        told = AuditEntry.objects.get()
        assert (told.action, told.target, told.changes) == (own.action, own.target, own.changes)
        assert audit.verify() == []


def test_its_files_are_deleted_and_nobody_elses(shop, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    stored_by_tenant = {"BACKEND": "django_tenants.files.storage.TenantFileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": stored_by_tenant}
    for schema in ("t_acme", SANDBOX, "t_bolt_sandbox"):
        with context.in_tenant(schema):
            default_storage.save("gifts/mug.png", ContentFile(b"x"))
            default_storage.save("content/a/b.pdf", ContentFile(b"x"))

    clear()

    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert left == [
        f"{schema}/{name}" for schema in ("t_acme", "t_bolt_sandbox") for name in ("content/a/b.pdf", "gifts/mug.png")
    ]


def test_a_process_does_not_go_by_lists_that_are_gone(shop):
    refuse("crooks.example")
    bring_a_friend(shop)
    assert shop.balance_of("zoe") == 0

    clear()
    make_campaign()
    refuse("others.example")
    bring_a_friend(shop)

    assert shop.balance_of("zoe") == 100


def bring_a_friend(shop: Shop) -> None:
    shop.joins("zoe")
    shop.joins({"external_id": "friend", "email": "friend@crooks.example"}, invited_by="zoe")
    shop.pays("friend", "500")


# Who may, and where


def test_it_wants_the_sandboxs_own_name(shop):
    with pytest.raises(NotConfirmed):
        clearing.clear(confirm="acme", by=BY, at=NOON)

    assert Member.objects.count() == 2


def test_a_live_tenant_can_never_be_cleared(acme):
    shop = Shop()
    shop.joins("anna")

    with pytest.raises(SandboxOnly):
        clearing.clear(confirm="acme", by=BY, at=NOON)
    with pytest.raises(Tenant.DoesNotExist), transaction():
        spaces.remake(sandbox=acme, kept=())
    live = trying_out(acme, environment="live")
    answers = [live.post({"confirm": name}, f"{ADDRESS}clear") for name in ("acme", "acme-sandbox")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "sandbox_only")] * 2
    assert shop.id_of("anna") == Member.objects.get().pk
    assert not AuditEntry.objects.exists()


def test_a_test_key_clears_its_own_sandbox_and_no_other(acme, shop):
    with context.in_tenant("t_bolt_sandbox"):
        Shop().joins("bella")
    program = trying_out(acme)

    wrong = program.post({"confirm": "bolt-sandbox"}, f"{ADDRESS}clear")
    right = program.post({"confirm": "acme-sandbox"}, f"{ADDRESS}clear")

    assert (wrong.status_code, wrong.json()["code"]) == (400, "not_confirmed")
    assert (right.status_code, right.json()["ahead_seconds"]) == (200, 0)
    assert not Member.objects.exists()
    with context.in_tenant("t_bolt_sandbox"):
        assert Member.objects.count() == 1
    # The key goes on.
    assert program.get(f"{ADDRESS}clock").status_code == 200


def test_while_the_clock_is_being_advanced_nobody_clears(shop):
    done, begun = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with context.in_tenant(SANDBOX), turns.alone(schema=SANDBOX):
                begun.set()
                done.wait(30)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait(30)
    with pytest.raises(SandboxBusy):
        clear()
    done.set()
    holder.join()

    assert Member.objects.count() == 2
    clear()
    assert not Member.objects.exists()


def test_while_schemas_are_upgraded_nobody_clears(shop):
    with upgrades._alone(), pytest.raises(SandboxBusy):
        clear()

    assert Member.objects.count() == 2


# Races


def test_whoever_is_in_the_middle_of_something_is_waited_for(shop):
    begun = threading.Event()

    def slow() -> None:
        with transaction():
            execute("SELECT count(*) FROM members_member")
            begun.set()
            time.sleep(1)
            # What it has found is still there.
            assert shop.id_of("anna")

    def clearing_then() -> None:
        begun.wait(30)
        clear()

    at_once(slow, clearing_then)

    assert not Member.objects.exists()


def test_once_nobody_is_waited_for_it_takes_the_time_that_it_takes(shop):
    limits = []

    def watch(run, sql, params, many, context):
        if sql.startswith("ALTER SCHEMA"):
            limits.append(fetch("SHOW statement_timeout")[0][0])
        return run(sql, params, many, context)

    # As a process that answers requests has it.
    execute("SET statement_timeout = '15s'")
    try:
        with connection.execute_wrapper(watch):
            clear()
        after = fetch("SHOW statement_timeout")[0][0]
    finally:
        execute("RESET statement_timeout")

    assert (limits, after) == (["0"], "15s")
    assert not Member.objects.exists()


@dataclass
class Rush:
    """A while in which everybody is at the sandbox; `statuses` are what they were answered."""

    program: Program
    browser: Client
    statuses: set[int] = field(default_factory=set)
    ends: float = field(default_factory=lambda: time.monotonic() + 8)

    def goes_on(self) -> bool:
        return time.monotonic() < self.ends

    def report(self, who: str) -> None:
        for number in takewhile(lambda _number: self.goes_on(), count(1)):
            order = {"order_id": f"{who}-{number}", "amount_minor": 50_000, "currency": "RUB"}
            body = {"key": f"{who}-{number}", "kind": "order.paid", "member": {"external_id": who}, "data": order}
            self.statuses.add(self.program.post(body).status_code)
            self.statuses.add(self.program.get(f"/api/v1/members/{who}").status_code)

    def look(self) -> None:
        for page in takewhile(lambda _page: self.goes_on(), cycle(["", "members/member/", "rewards/reward/"])):
            self.statuses.add(self.browser.get(f"/admin/{page}").status_code)

    def work(self) -> None:
        while self.goes_on():
            with suppress(claims.Busy):
                handling.handle_batch(schema=SANDBOX, at=NOON + timedelta(days=400))

    def clear_twice(self) -> None:
        for _time in range(2):
            time.sleep(1)
            clear()
            make_campaign(rule={"recipient": "actor", "order_number": "any"})


def test_workers_and_people_go_on_while_it_is_cleared(acme, shop):
    rush = Rush(trying_out(acme), browser_of(staff_of("admin", username="eva"), host="acme-sandbox.localhost"))

    at_once(
        lambda: rush.report("anna"), lambda: rush.report("boris"), rush.look, rush.work, rush.work, rush.clear_twice
    )
    shop.handle()

    # Somebody who has just gone is nobody: 404.
    assert {200, 202} <= rush.statuses <= {200, 202, 404}
    assert not Event.objects.filter(status="failed").exists()
    assert ledger.verify() == []
    assert counters_agree()
    assert AuditEntry.objects.filter(action="sandbox.cleared").count() == 1


def counters_agree() -> bool:
    return counter_checks.verify(zone=context.current().time_zone) == []


@transaction
def refuse(domain: str) -> None:
    """Let nobody with an address in a domain get anything."""
    line = lines.line_of(kind="email_domain", text=domain, schema=SANDBOX, region=None)
    listings.put(wishes=[listings.Wish(list="block", line=line, answer="refuse")], by="max", at=NOON)
