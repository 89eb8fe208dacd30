"""The demo's tenants: made once, with their staff and their campaigns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.models import Campaign
from core.db import in_transaction, transaction
from demo import care, coffee_gifts, gifts, offers, stories
from demo.access import ENVIRONMENTS
from demo.businesses import PLATFORM_PASSWORD, PLATFORM_USERNAME, RECORD_SHOP, ROLES, Business
from demo.days import Days
from rewards.models import Asset
from tenants import audit, context, keys, provisioning, roles, sandboxes
from tenants.models import Tenant
from tenants.staff.models import Staff

ACTOR = "demo_setup"


@dataclass(frozen=True, slots=True)
class Ensured:
    """A tenant of the demo, and the keys that were made with it: none if it was there before."""

    tenant: Tenant
    keys: dict[str, str]


def ensure(*, business: Business, at: datetime) -> Ensured:
    """Have the tenant there, with its staff and its campaigns. What somebody has changed since stays as it is."""
    tenant = find(business=business)
    made: dict[str, str] = {}
    if tenant is None:
        created = provisioning.create(
            name=business.name,
            slug=business.slug,
            time_zone=business.time_zone,
            currency=business.currency,
            language=business.language,
            admin_username=roles.ADMIN,
            admin_password=business.password,
            at=at,
        )
        tenant, made = created.tenant, {"live": created.live_key, "test": created.test_key}
    for each in (tenant, sandboxes.find(live=tenant)):
        if each is not None:
            _ensure_furnished(each, business, at)
    return Ensured(tenant, made)


def find(*, business: Business) -> Tenant | None:
    """Return the tenant, if it has been made."""
    with context.in_public():
        found: Tenant | None = Tenant.objects.filter(slug=business.slug).first()
    return found


def days_of(*, business: Business, tenant: Tenant) -> Days:
    """Return the days of its history, which ends when the tenant was made: the same at each run."""
    return Days(last_at=tenant.created_at, zone=ZoneInfo(business.time_zone))


@transaction
def add_key(*, tenant: Tenant, word: str, at: datetime) -> str:
    """Issue a key in place of one that was lost, and return it."""
    key, full = keys.add(
        tenant=tenant, environment=ENVIRONMENTS[word], name=f"Demo, {word}", scopes=keys.ALL_SCOPES, at=at
    )
    with context.in_tenant(tenant.schema_name):
        note(action="apikey.added", target=f"apikey:{key.pk} {key}", changes={"scopes": key.scopes}, at=at)
    return full


def ensure_platform_staff(*, at: datetime) -> None:
    """Have somebody who can log in to the platform's own admin."""
    with context.in_public():
        if not Staff.objects.filter(username=PLATFORM_USERNAME).exists():
            staff = Staff(username=PLATFORM_USERNAME, is_staff=True, is_superuser=True, date_joined=at)
            staff.set_password(PLATFORM_PASSWORD)
            staff.save()


def note(*, action: str, target: str, changes: dict[str, Any], at: datetime) -> None:
    """Write into the current tenant's audit log what the demo did."""
    audit.record(actor_kind="system", actor=ACTOR, action=action, target=target, changes=changes, at=at)


def _ensure_furnished(tenant: Tenant, business: Business, at: datetime) -> None:
    with context.in_tenant(tenant.schema_name):
        if not Campaign.objects.exists():
            _furnish(tenant, business, at)


@transaction
def _furnish(tenant: Tenant, business: Business, at: datetime) -> None:
    _add_staff(business, at)
    Asset.objects.filter(code="points").update(minor_per_unit=business.minor_per_point)
    days = days_of(business=business, tenant=tenant)
    if business == RECORD_SHOP:
        gifts.make(at=at)
        care.take(at=at)
    else:
        coffee_gifts.make()
    offers.make(business=business, begins_at=stories.begins_at(business, days=days), at=days.last_at)
    note(action="demo.made", target=f"tenant:{tenant.pk} {tenant}", changes={"staff": list(ROLES)}, at=at)


@in_transaction
def _add_staff(business: Business, at: datetime) -> None:
    # The same password, so the same hash: making one takes half a second.
    password_hash = Staff.objects.values_list("password", flat=True).get(username=roles.ADMIN)
    for role in ROLES:
        if not Staff.objects.filter(username=role).exists():
            roles.add_staff(username=role, password_hash=password_hash, role=role, at=at)
