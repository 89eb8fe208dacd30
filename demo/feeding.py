"""One business's turn: what its story lacks is fed, with a key that lives for as long as that takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from core.db import transaction
from demo import care, feed, shopping, stories, tenants
from demo.businesses import RECORD_SHOP, Business
from demo.client import Client
from demo.progress import Progress
from events.models import Event
from tenants import context, key_wishes, keys
from tenants.models import ApiKey, Tenant

KEY_NAME: Final = "Demo feed"
KEY_LIVES_FOR: Final = timedelta(days=1)
SCOPES: Final = ("events:write", "events:backfill", "members:read", "rewards:write", "redemptions:write")

LOOK_EVERY_SECONDS: Final = 0.1


class NotSetUp(Exception):
    """The business has no tenant yet: `manage.py demo_setup` makes it."""


def feed_business(*, business: Business, address: str, await_handled: Callable[[], None], at: datetime) -> int:
    """
    Feed what a business's story lacks, and return how many events that were.

    :raises NotSetUp:
    :raises demo.client.Refused: if the API does not take them
    """
    tenant = tenant_of(business)
    with context.in_tenant(tenant.schema_name):
        acts = stories.tell(business, days=tenants.days_of(business=business, tenant=tenant))
        lacking = feed.missing(acts)
        if lacking:
            progress = Progress(title=business.name, total=len(acts), done=len(acts) - len(lacking))
            with _key(tenant, at) as key:
                client = Client(address=address, key=key)
                client.await_ready()
                feed.feed(lacking, client=client, await_handled=await_handled, progress=progress)
                if business == RECORD_SHOP:
                    shopping.shop(client=client, holders=shopping.holders())
            progress.close()
    return len(lacking)


def await_handled() -> None:
    """
    Wait until nothing waits in the current tenant, however long the worker takes or is away.

    What has failed and is tried again later is not waited for.
    """
    while Event.objects.filter(status=Event.Status.WAITING, next_at=None).exists():
        time.sleep(LOOK_EVERY_SECONDS)


def look_after(*, business: Business, at: datetime) -> None:
    """
    Let the moderator of a business decide about a part of what was fed.

    :raises NotSetUp:
    """
    with context.in_tenant(tenant_of(business).schema_name):
        care.look_after(at=at)


def tenant_of(business: Business) -> Tenant:
    """
    Return the tenant of a business.

    :raises NotSetUp:
    """
    tenant = tenants.find(business=business)
    if tenant is None:
        raise NotSetUp(f"There is no {business.name}. Run manage.py demo_setup first.")
    return tenant


@contextmanager
def _key(tenant: Tenant, at: datetime) -> Iterator[str]:
    # One that was left over, when somebody ended us before we could revoke it, goes as well.
    _revoke_keys(tenant, at)
    with transaction():
        key, full = keys.add(
            tenant=tenant,
            environment=Tenant.Environment.LIVE,
            name=KEY_NAME,
            scopes=SCOPES,
            # A year is told in a minute.
            requests_a_second_max=key_wishes.RATE_MAX,
            expires_at=at + KEY_LIVES_FOR,
            at=at,
        )
        tenants.note(action="apikey.added", target=f"apikey:{key.pk} {key}", changes={"scopes": key.scopes}, at=at)
    try:
        yield full
    finally:
        _revoke_keys(tenant, at)


@transaction
def _revoke_keys(tenant: Tenant, at: datetime) -> None:
    for key in ApiKey.objects.filter(tenant=tenant, name=KEY_NAME, revoked_at=None):
        keys.revoke(key=key, at=at)
        tenants.note(action="apikey.revoked", target=f"apikey:{key.pk} {key}", changes={}, at=at)
