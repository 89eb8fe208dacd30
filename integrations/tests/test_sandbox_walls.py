"""Nothing that is tried out reaches anybody real, and no live key tries anything out."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from core.db import transaction
from integrations.models import Delivery, Endpoint
from integrations.sandbox import clock, fixtures, stories, triggering
from integrations.tests.programs import ADDRESS, trying_out
from integrations.webhooks import kinds
from rewards.actors import Actor
from rewards.certificates import orders
from rewards.models import Provider
from tenants import context, keys
from tenants.sandboxes import SandboxOnly
from tenants.staff.models import AuditEntry
from tests import webhooks
from tests.cast import NOON
from tests.stand_ins.receivers import StandIn

pytestmark = pytest.mark.django_db

BY = Actor("key", "till")
PLACES = {
    "clear": {"POST": {"confirm": "acme-sandbox"}},
    "clock": {"GET": None, "POST": {"advance_days": 1}},
    "webhooks": {"POST": {"kind": "reward.granted"}},
    "fixtures": {"GET": None, "POST": {"name": "referral"}},
}


@pytest.fixture
def live():
    with StandIn() as found:
        yield found


@pytest.fixture
def tried():
    with StandIn() as found:
        yield found


def test_the_live_tenants_webhooks_and_providers_hear_of_nothing(acme, live, tried):
    webhooks.add(live.url, kinds=[*kinds.ALL])
    Provider.objects.create(code="giftly", name="Giftly", url=live.url)
    with context.in_tenant("t_acme_sandbox"):
        # A sandbox begins with nobody outside to talk to.
        assert not Endpoint.objects.exists()
        assert not Provider.objects.exists()
        webhooks.add(tried.url, kinds=[*kinds.ALL])
        for name in stories.ALL:
            fixtures.make(name=name, by=BY, at=NOON)
        for kind in kinds.ALL:
            trigger(kind)
        clock.advance(to=NOON + timedelta(days=8), by=BY, at=NOON)

    for schema in ("t_acme", "t_acme_sandbox"):
        with context.in_tenant(schema):
            webhooks.send_due(at=NOON + timedelta(days=8))
            assert orders.claim(schema=schema, limit=8, at=NOON + timedelta(days=8)) == []

    assert live.receiver.came == []
    assert not Delivery.objects.exists()
    assert len(tried.receiver.came) > len(kinds.ALL)


CALLING = {"core.outbound", "requests", "urllib.request", "http.client", "smtplib", "django.core.mail"}
# A call to a provider or a receiver is told its address by a row of the current schema; the embedded servers are ours.
CALLERS = {
    "core/outbound.py",
    # It asks which addresses may be called, and calls none.
    "integrations/webhooks/addresses.py",
    "integrations/webhooks/outcomes.py",
    "rewards/certificates/providers/http.py",
}


def test_nobody_else_calls_anybody_outside():
    apps = {each.partition(".")[0] for each in settings.TENANT_APPS} | {"core", "tenants", "scoring", "analytics"}
    sources = [
        path.relative_to(settings.BASE_DIR)
        for app in apps
        if (settings.BASE_DIR / app).is_dir() and app != "config"
        for path in sorted((settings.BASE_DIR / app).rglob("*.py"))
        if "tests" not in path.parts
    ]

    assert {str(path) for path in sources if _imported(path) & CALLING} == CALLERS


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse((settings.BASE_DIR / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


# Keys


@pytest.mark.parametrize("place", PLACES)
def test_a_live_key_tries_nothing_out(acme, place):
    program = trying_out(acme, environment="live")

    answers = [
        program.get(f"{ADDRESS}{place}") if body is None else program.post(body, f"{ADDRESS}{place}")
        for body in PLACES[place].values()
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "sandbox_only")] * len(answers)
    with context.in_tenant("t_acme"):
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("place", PLACES)
def test_a_test_key_wants_the_scope(acme, place):
    program = trying_out(acme, *set(keys.ALL_SCOPES) - {"sandbox:write"})

    answers = [
        program.get(f"{ADDRESS}{place}") if body is None else program.post(body, f"{ADDRESS}{place}")
        for body in PLACES[place].values()
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "missing_scope")] * len(answers)
    with context.in_tenant("t_acme_sandbox"):
        assert not AuditEntry.objects.exists()


# What is pretended


@transaction
def trigger(kind: str) -> list[Delivery]:
    return triggering.trigger(kind=kind, by=BY, at=NOON)


def test_an_example_goes_to_the_webhooks_that_want_it(acme, tried):
    with context.in_tenant("t_acme_sandbox"):
        webhooks.add(tried.url, kinds=["reward.granted"])
        webhooks.add("https://shop.example.com/other", kinds=["points.expired"])

    answer = trying_out(acme).post({"kind": "reward.granted"}, f"{ADDRESS}webhooks")

    assert answer.status_code == 202
    (delivery,) = answer.json()["deliveries"]
    with context.in_tenant("t_acme_sandbox"):
        made = Delivery.objects.get()
        assert (made.pk, made.kind, made.event_id) == (delivery["id"], "reward.granted", None)
        assert AuditEntry.objects.get(action="sandbox.webhook_triggered").changes == {"deliveries": 1}
    with context.in_tenant("t_acme"):
        assert not Delivery.objects.exists()


def test_what_is_no_fact_is_not_pretended(acme):
    answer = trying_out(acme).post({"kind": "order.paid"}, f"{ADDRESS}webhooks")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/kind"


def test_a_live_tenant_pretends_nothing(acme, live):
    webhooks.add(live.url)

    with pytest.raises(SandboxOnly):
        trigger("reward.granted")

    assert not Delivery.objects.exists()
