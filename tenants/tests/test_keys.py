"""Issuing and revoking keys."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from core.db import execute, transaction
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
        ({"allowed_networks": ["203.0.113.7/24"]}, "/allowed_networks"),
        ({"allowed_networks": [f"203.0.113.{number}" for number in range(51)]}, "/allowed_networks"),
        ({"requests_a_second_max": 0}, "/requests_a_second_max"),
        ({"requests_a_second_max": 10_001}, "/requests_a_second_max"),
    ],
)
def test_what_makes_no_sense_is_refused_and_no_key_is_made(acme, changed, pointer):
    count = ApiKey.objects.count()

    with pytest.raises(keys.InvalidKey) as refused:
        issue(acme, **changed)

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]
    assert ApiKey.objects.count() == count


# Publishable ones


PUBLISHABLE = {"kind": "publishable", "scopes": ["public:read", "clicks:write"]}


def test_a_publishable_key_names_its_sites(acme):
    wish = ["https://Shop.example.com/", "https://shop.example.com", "http://localhost:3000"]
    key, full = issue(acme, **PUBLISHABLE, allowed_origins=wish)

    known = keys.find(prefix=key.prefix)
    assert full.startswith(f"pk_live_{key.prefix}_")
    assert key.allowed_origins == ["https://shop.example.com", "http://localhost:3000"]
    assert (known.start, known.is_publishable) == (f"pk_live_{key.prefix}_", True)
    assert known.origins == {"https://shop.example.com", "http://localhost:3000"}


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"scopes": ["public:read", "members:read"]}, ["/scopes"]),
        ({"allowed_origins": []}, ["/allowed_origins"]),
        ({"allowed_origins": ["https://shop.example.com/cart"]}, ["/allowed_origins"]),
        ({"allowed_origins": ["https://*.example.com"]}, ["/allowed_origins"]),
        ({"allowed_networks": ["203.0.113.0/24"]}, ["/allowed_networks"]),
        ({"scopes": ["events:write"], "allowed_origins": []}, ["/scopes", "/allowed_origins"]),
        ({"kind": "secret", "scopes": ["events:write"]}, ["/allowed_origins"]),
        ({"kind": "master"}, ["/kind"]),
    ],
)
def test_a_publishable_key_can_do_no_harm(acme, changed, pointers):
    count = ApiKey.objects.count()

    with pytest.raises(keys.InvalidKey) as refused:
        issue(acme, **{**PUBLISHABLE, "allowed_origins": ["https://shop.example.com"], **changed})

    assert [fault["pointer"] for fault in refused.value.errors] == pointers
    assert ApiKey.objects.count() == count


def test_not_even_a_slip_of_ours_gives_a_publishable_key_more(acme):
    key, __ = issue(acme, **PUBLISHABLE, allowed_origins=["https://shop.example.com"])

    with pytest.raises(IntegrityError, match="apikey_publishable_is_harmless"), transaction():
        ApiKey.objects.filter(id=key.id).update(scopes=["members:read"])


def test_a_secret_key_names_its_networks(acme):
    key, __ = issue(acme, allowed_networks=["203.0.113.7/32", "2001:DB8::/32"])

    known = keys.find(prefix=key.prefix)
    assert key.allowed_networks == ["203.0.113.7", "2001:db8::/32"]
    assert [known.is_welcome_from(each) for each in ("203.0.113.7", "203.0.113.8", None)] == [True, False, False]


# Ending


def test_a_key_is_revoked_once(acme):
    key, __ = issue(acme)
    keys.revoke(key=key, at=NOON)

    with pytest.raises(keys.AlreadyRevoked):
        keys.revoke(key=key, at=NOON.replace(hour=13))

    assert ApiKey.objects.get(id=key.id).revoked_at == NOON


# Rotation


WISH = {
    "name": "Till",
    "scopes": ["events:write", "members:read"],
    "allowed_networks": ["203.0.113.0/24"],
    "requests_a_second_max": 7,
}


def rotate(key, **how):
    with transaction():
        return keys.rotate(key=key, **how)


def test_the_new_key_may_what_the_old_one_may_and_the_old_one_ends_a_day_later(acme):
    old, old_full = issue(acme, **WISH)

    new, full = rotate(old, at=NOON)

    old.refresh_from_db()
    assert {name: getattr(new, name) for name in WISH} == WISH
    assert (new.tenant, new.replaces, new.created_at, new.expires_at) == (acme, old, NOON, None)
    assert old.expires_at == NOON + timedelta(hours=24)
    assert full != old_full
    assert full.startswith(f"sk_live_{new.prefix}_")
    before, after = NOON + timedelta(hours=23, minutes=59), NOON + timedelta(hours=24)
    assert [keys.find(prefix=old.prefix).holds(at=at) for at in (before, after)] == [True, False]
    assert keys.find(prefix=new.prefix).holds(at=after)


def test_a_publishable_key_is_rotated_to_one_for_the_same_sites(acme):
    old, __ = issue(acme, **PUBLISHABLE, environment="sandbox", allowed_origins=["https://shop.example.com"])

    new, full = rotate(old, at=NOON)

    assert (new.kind, new.allowed_origins, new.tenant) == ("publishable", ["https://shop.example.com"], acme.sandbox)
    assert full.startswith("pk_test_")


def test_an_overlap_never_lengthens_a_life(acme):
    old, __ = issue(acme, expires_at=NOON + timedelta(days=30))
    at = NOON + timedelta(days=30, hours=-2)

    new, __ = rotate(old, overlap=timedelta(hours=168), at=at)

    old.refresh_from_db()
    assert old.expires_at == NOON + timedelta(days=30)
    # As long as the old one should have lived.
    assert new.expires_at == at + timedelta(days=30)


def test_without_an_overlap_the_old_key_ends_at_once(acme):
    old, __ = issue(acme)
    assert keys.find(prefix=old.prefix).holds(at=NOON)

    rotate(old, overlap=timedelta(), at=NOON)

    keys.forget()
    assert not keys.find(prefix=old.prefix).holds(at=NOON)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(hours=168, seconds=1)])
def test_an_overlap_out_of_bounds_is_refused(acme, overlap):
    old, __ = issue(acme)

    with pytest.raises(keys.InvalidOverlap):
        rotate(old, overlap=overlap, at=NOON)

    assert not ApiKey.objects.filter(replaces=old).exists()


def test_a_key_is_rotated_once_and_its_successor_again(acme):
    old, __ = issue(acme)
    new, __ = rotate(old, at=NOON)

    with pytest.raises(keys.AlreadyRotated):
        rotate(old, at=NOON)

    assert ApiKey.objects.filter(replaces=old).count() == 1
    assert rotate(new, at=NOON)[0].replaces == new


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_what_has_ended_is_not_rotated(acme, how):
    old, __ = issue(acme, expires_at=NOON if how == "expired" else None)
    if how == "revoked":
        keys.revoke(key=old, at=NOON)

    with pytest.raises(keys.KeyEnded):
        rotate(old, at=NOON)

    assert not ApiKey.objects.filter(replaces=old).exists()
