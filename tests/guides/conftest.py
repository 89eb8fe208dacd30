"""A sandbox for whoever follows a guide, and the platform's part of the work."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
from django.utils import timezone

from events import handling
from integrations.webhooks import signing
from rewards.models import Gift
from tenants import context, keys
from tenants.clock import now
from tenants.models import Tenant
from tests.botapi.bots import free_port
from tests.programs import YEAR_BEGAN
from tests.stand_ins.receivers import StandIn
from tests.webhooks import send_due

DISCOUNT: Final = {
    "code": "tenth",
    "kind": "discount",
    "name": "A tenth off",
    "terms": {"type": "percent", "rate_bps": 1_000, "pattern": "T-####"},
}


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Return a program of the reader's that is told by webhooks, and answers with a 204."""
    with StandIn() as found:
        yield found


@pytest.fixture
def reader(bolt: Tenant, live_server: Any, stand_in: StandIn) -> Mapping[str, str]:
    """Return the variables of a guide: the address, a test key that may do everything, and a message to verify."""
    _row, key = keys.issue(tenant=bolt, environment="sandbox", name="guide", scopes=keys.ALL_SCOPES, at=YEAR_BEGAN)
    address = f"http://127.0.0.1:{live_server.thread.port}/api/v1"
    hears = {"HEAR_PORT": str(free_port()), "WEBHOOK_URL": stand_in.url}
    return {"SARAFAN_URL": address, "SARAFAN_KEY": key, **hears, **_message()}


def _message() -> Mapping[str, str]:
    """Return a signed message: of two secrets, as while one takes the other's place."""
    secret, other = (signing.secret_of(os.urandom(signing.KEY_SIZE_BYTES)) for _ in range(2))
    body = json.dumps({"type": "reward.granted", "data": {"reward_id": 12, "points": 100}})
    headers = signing.headers_of(message_id="msg_1", body=body.encode(), secrets=[other, secret], at=timezone.now())
    named = {name.upper().replace("-", "_"): value for name, value in headers.items()}
    return {"WEBHOOK_SECRET": secret, "WEBHOOK_BODY": body, **named}


@pytest.fixture
def sandbox(bolt: Tenant) -> Tenant:
    """Return the reader's sandbox, where staff has made one gift in the admin."""
    found: Tenant = Tenant.objects.get(live=bolt)
    with context.in_tenant(found.schema_name):
        Gift.objects.create(**DISCOUNT)
    return found


@pytest.fixture
def handle(sandbox: Tenant) -> Callable[[], None]:
    """Return what handles all that waits in the sandbox, and tells its webhooks."""

    def handle_all() -> None:
        with context.in_tenant(sandbox.schema_name):
            while handling.handle_batch(schema=sandbox.schema_name, at=now()):
                pass
            send_due(at=now())

    return handle_all
