"""Issuing and revoking keys."""

from datetime import UTC, datetime

import pytest

from core.db import execute
from tenants import context, keys
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)


def issue(tenant, **changed) -> tuple[ApiKey, str]:
    wish = {"environment": "live", "name": "Shop", "scopes": ["events:write"]}
    return keys.issue(tenant=tenant, **{**wish, **changed}, at=NOON)


def test_a_key_is_known_by_its_prefix(acme):
    key, full = issue(acme, scopes=["rewards:read", "events:write"])

    known = keys.find(prefix=key.prefix)

    assert full.startswith(f"sk_live_{key.prefix}_")
    assert (known.tenant, known.scopes, known.name) == (acme, {"events:write", "rewards:read"}, "Shop")
    assert (key.created_at, key.last_used_at, key.revoked_at) == (NOON, None, None)


def test_a_test_key_leads_to_the_sandbox(acme):
    key, full = issue(acme, environment="sandbox")

    assert key.tenant == acme.sandbox
    assert full.startswith("sk_test_")


def test_the_first_test_key_makes_the_sandbox(acme):
    # As if it had been made before there were sandboxes.
    ApiKey.objects.filter(tenant__live=acme).delete()
    execute("DROP SCHEMA t_acme_sandbox CASCADE")
    with context.in_public():
        Tenant.objects.get(live=acme).delete(force_drop=False)

    key, __ = issue(Tenant.objects.get(id=acme.id), environment="sandbox")
    again, __ = issue(Tenant.objects.get(id=acme.id), environment="sandbox")

    assert (key.tenant.slug, key.tenant.live) == ("acme-sandbox", acme)
    assert again.tenant == key.tenant
    with context.in_tenant("t_acme_sandbox"):
        assert context.current().environment == "sandbox"


def test_a_sandbox_has_test_keys_only(acme):
    key, full = issue(acme.sandbox, environment="sandbox")
    assert (key.tenant, full[:8]) == (acme.sandbox, "sk_test_")

    with pytest.raises(keys.InvalidKey, match="A sandbox has test keys only"):
        issue(acme.sandbox, environment="live")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["events:write", "everything"]}, "/scopes"),
    ],
)
def test_what_makes_no_sense_is_refused_and_no_key_is_made(acme, changed, pointer):
    count = ApiKey.objects.count()

    with pytest.raises(keys.InvalidKey) as refused:
        issue(acme, **changed)

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]
    assert ApiKey.objects.count() == count


def test_a_key_is_revoked_once(acme):
    key, __ = issue(acme)
    keys.revoke(key=key, at=NOON)

    with pytest.raises(keys.AlreadyRevoked):
        keys.revoke(key=key, at=NOON.replace(hour=13))

    assert ApiKey.objects.get(id=key.id).revoked_at == NOON
