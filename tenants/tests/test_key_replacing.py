"""A key is replaced on its page by another, and both work for as long as was chosen."""

from datetime import timedelta

import pytest

from tenants import context
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry
from tenants.tests.browsers import browser, shown

pytestmark = pytest.mark.django_db


def test_a_key_is_replaced_by_post_after_it_was_asked_for_how_long(admin, acme):
    old = ApiKey.objects.get(tenant=acme)
    rotate = f"/admin/tenants/apikey/{old.id}/rotate/"
    admin.get(rotate)
    asked = admin.post(rotate)
    assert 'name="hours"' in asked.content.decode()
    assert not ApiKey.objects.filter(replaces=old).exists()

    (full,) = shown(admin.post(rotate, {"hours": "72"}))

    new = ApiKey.objects.get(replaces=old)
    old.refresh_from_db()
    assert full.startswith(f"sk_live_{new.prefix}_")
    assert old.expires_at - new.created_at == timedelta(hours=72)
    with context.in_tenant("t_acme"):
        entry = AuditEntry.objects.get()
    assert (entry.action, entry.changes) == ("apikey.rotated", {"replaced_by": str(new), "overlap_hours": 72})
    listed = admin.get("/admin/tenants/apikey/").content.decode()
    assert (full in listed, new.prefix in listed) == (False, True)


@pytest.mark.parametrize("hours", ["169", "-1", "", "many"])
def test_an_overlap_that_is_none_of_the_choices_is_asked_for_again(admin, acme, hours):
    old = ApiKey.objects.get(tenant=acme)

    answer = admin.post(f"/admin/tenants/apikey/{old.id}/rotate/", {"hours": hours})

    assert "hours" in answer.context["form"].errors
    assert not ApiKey.objects.filter(replaces=old).exists()


def test_no_key_of_another_tenant_is_replaced_or_changed(admin, bolt):
    theirs = ApiKey.objects.get(tenant=bolt)

    admin.post(f"/admin/tenants/apikey/{theirs.id}/rotate/", {"hours": "24"})
    admin.post(f"/admin/tenants/apikey/{theirs.id}/change/", {"allowed_networks": "203.0.113.7"})

    assert not ApiKey.objects.filter(replaces=theirs).exists()
    assert ApiKey.objects.get(id=theirs.id).allowed_networks == []


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_whoever_does_not_look_after_keys_replaces_none(client_of, acme, role):
    key = ApiKey.objects.get(tenant=acme)

    answer = browser(client_of, "acme", role).post(f"/admin/tenants/apikey/{key.id}/rotate/", {"hours": "24"})

    assert answer.status_code == 403
    assert not ApiKey.objects.filter(replaces=key).exists()
