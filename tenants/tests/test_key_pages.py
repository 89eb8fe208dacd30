"""The pages of a tenant's keys: of what kind, from where, and how often."""

from html import unescape

import pytest

from tenants import context, hosts, key_uses, keys
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry, Staff
from tenants.tests.browsers import browser, shown
from tests.cast import NOON
from tests.people import AXES

pytestmark = pytest.mark.django_db


def test_a_tenants_admin_issues_a_key_and_sees_it_once(admin, acme):
    (full,) = shown(
        admin.post("/admin/tenants/apikey/add/", {"name": "Bot", "environment": "live", "scopes": ["events:write"]})
    )

    known = keys.find(prefix=full.split("_")[2])
    assert (known.tenant, known.name, known.scopes) == (acme, "Bot", {"events:write"})
    with context.in_tenant("t_acme"):
        entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == ("the-admin", "apikey.added")
    assert known.secret_hash not in str(entry.changes)
    assert full not in admin.get("/admin/tenants/apikey/").content.decode()


def test_a_new_key_is_proposed_what_the_quick_start_takes_by_the_names_that_the_api_has_for_it(admin):
    page = admin.get("/admin/tenants/apikey/add/")

    proposed = set(page.context["adminform"].form["scopes"].value())
    assert set(keys.ALL_SCOPES) - proposed == {"events:backfill", "exports:read"}
    assert [scope for scope in keys.ALL_SCOPES if f"({scope})" not in page.content.decode()] == []


def test_a_tenants_admin_revokes_a_key_by_post_only_after_a_question_and_is_back_where_it_was(admin, acme):
    key = ApiKey.objects.get(tenant=acme)
    path = f"/admin/tenants/apikey/{key.id}/revoke/"

    admin.get(path)
    assert ApiKey.objects.get(id=key.id).revoked_at is None

    asked = admin.post(path, headers={"Referer": "http://acme.localhost/admin/tenants/apikey/?q=bot"})
    assert ApiKey.objects.get(id=key.id).revoked_at is None
    assert f"_{key.prefix}_…" in asked.content.decode()

    done = admin.post(path, {"confirmed": "yes", "back": asked.context["back_url"]})
    assert ApiKey.objects.get(id=key.id).revoked_at is not None
    assert done.headers["Location"] == "/admin/tenants/apikey/?q=bot"


def test_a_tenant_sees_no_key_of_another_and_cannot_revoke_it(admin, bolt):
    theirs = ApiKey.objects.get(tenant=bolt)

    admin.post(f"/admin/tenants/apikey/{theirs.id}/revoke/", {"confirmed": "yes"})

    assert ApiKey.objects.get(id=theirs.id).revoked_at is None
    assert theirs.prefix not in admin.get("/admin/tenants/apikey/").content.decode()
    assert admin.get(f"/admin/tenants/apikey/{theirs.id}/change/").status_code == 302


def test_a_sandbox_sees_its_own_keys_only(client_of, acme):
    sandbox = client_of("acme-sandbox.localhost")
    with context.in_tenant("t_acme_sandbox"):
        sandbox.force_login(Staff.objects.get(username="admin"), AXES)
    live, test = ApiKey.objects.get(tenant=acme), ApiKey.objects.get(tenant__live=acme)

    listed = sandbox.get("/admin/tenants/apikey/").content.decode()

    assert (live.prefix in listed, test.prefix in listed) == (False, True)


def test_what_a_sandboxs_form_offers_changes_nobody_elses(client_of, acme):
    sandbox = client_of("acme-sandbox.localhost")
    with context.in_tenant("t_acme_sandbox"):
        sandbox.force_login(Staff.objects.get(username="admin"), AXES)

    there = sandbox.get("/admin/tenants/apikey/add/").content.decode()
    here = browser(client_of, "acme", "admin").get("/admin/tenants/apikey/add/").content.decode()

    assert ('value="live"' in there, 'value="sandbox"' in there) == (False, True)
    assert ('value="live"' in here, 'value="sandbox"' in here) == (True, True)


def test_the_list_shows_what_is_in_force_and_what_was_tried_after_its_end(admin, acme):
    valid, wish = ApiKey.objects.get(tenant=acme), {"environment": "live", "scopes": ["events:write"]}
    ended, __ = keys.issue(tenant=acme, name="Old", **wish, expires_at=NOON, at=NOON)

    def listed(show: str) -> set[int]:
        found = admin.get(f"/admin/tenants/apikey/?environment=live&show={show}").context["cl"].result_list
        return {key.id for key in found}

    assert (listed("valid"), listed("ended"), listed("tried")) == ({valid.id}, {ended.id}, set())
    key_uses.note_refused(key=keys.find(prefix=ended.prefix), address="203.0.113.7", at=NOON)
    assert listed("tried") == {ended.id}


# Of what kind, from where, and how often


PAGE_KEY = {
    "name": "Shop window",
    "environment": "live",
    "kind": "publishable",
    # Hidden, and not meant.
    "scopes": ["events:write"],
    "allowed_networks": "203.0.113.0/24",
    "public_scopes": ["public:read"],
    "allowed_origins": "https://shop.example.com\r\n\r\nhttps://www.example.com/",
}


def test_a_key_for_pages_has_what_such_a_key_may_have(admin, acme):
    full, line = shown(admin.post("/admin/tenants/apikey/add/", PAGE_KEY))

    made = ApiKey.objects.get(prefix=full.split("_")[2])
    assert full.startswith("pk_live_")
    assert (made.kind, made.scopes, made.allowed_networks) == ("publishable", ["public:read"], [])
    assert made.allowed_origins == ["https://shop.example.com", "https://www.example.com"]
    address = f"{hosts.url_of('acme.localhost')}/widget.js"
    assert unescape(line) == f'<script async src="{address}" data-sarafan-key="{full}"></script>'


def test_a_key_for_pages_that_is_replaced_comes_with_its_new_line(admin, acme):
    shown(admin.post("/admin/tenants/apikey/add/", PAGE_KEY | {"environment": "sandbox"}))
    key = ApiKey.objects.latest("pk")

    full, line = shown(admin.post(f"/admin/tenants/apikey/{key.pk}/rotate/", {"hours": "0"}))

    address = f"{hosts.url_of('acme-sandbox.localhost')}/widget.js"
    assert full.startswith("pk_test_")
    assert unescape(line) == f'<script async src="{address}" data-sarafan-key="{full}"></script>'


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"allowed_origins": ""}, "allowed_origins"),
        ({"allowed_origins": "http://shop.example.com"}, "allowed_origins"),
        ({"public_scopes": []}, "public_scopes"),
        ({"kind": "secret", "scopes": []}, "scopes"),
        ({"kind": "secret", "allowed_networks": "203.0.113.7/24"}, "allowed_networks"),
        ({"name": " "}, "name"),
        ({"requests_a_second_max": 0}, "requests_a_second_max"),
        # More than the platform's own only the platform gives.
        ({"requests_a_second_max": 11}, "requests_a_second_max"),
        ({"kind": "secret", "requests_a_second_max": 101}, "requests_a_second_max"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_at_the_field(admin, acme, settings, changed, field):
    settings.API_REQUESTS_A_SECOND, settings.API_REQUESTS_A_SECOND_OF_VISITOR = 100, 10
    count = ApiKey.objects.count()

    answer = admin.post("/admin/tenants/apikey/add/", PAGE_KEY | changed)

    assert list(answer.context["adminform"].form.errors) == [field]
    assert ApiKey.objects.count() == count


def test_networks_and_the_rate_of_a_key_are_changed_and_nothing_else_of_it(admin, acme):
    key = ApiKey.objects.get(tenant=acme)
    page = f"/admin/tenants/apikey/{key.id}/change/"

    answer = admin.post(
        page,
        {"allowed_networks": "203.0.113.7\n2001:DB8::/32", "requests_a_second_max": "5", "name": "x", "scopes": []},
    )

    now = ApiKey.objects.get(id=key.id)
    assert answer.status_code == 302
    assert (now.allowed_networks, now.requests_a_second_max) == (["203.0.113.7", "2001:db8::/32"], 5)
    assert (now.name, now.scopes) == (key.name, key.scopes)
    with context.in_tenant("t_acme"):
        entry = AuditEntry.objects.get()
    assert (entry.action, set(entry.changes)) == ("apikey.changed", {"allowed_networks", "requests_a_second_max"})


def test_a_network_that_is_none_is_refused_and_the_key_stays(admin, acme):
    key = ApiKey.objects.get(tenant=acme)

    answer = admin.post(f"/admin/tenants/apikey/{key.id}/change/", {"allowed_networks": "everywhere"})

    assert list(answer.context["adminform"].form.errors) == ["allowed_networks"]
    assert ApiKey.objects.get(id=key.id).allowed_networks == []


def test_what_has_ended_is_only_looked_at(admin, acme):
    key = ApiKey.objects.get(tenant=acme)
    keys.revoke(key=key, at=NOON)

    assert admin.get(f"/admin/tenants/apikey/{key.id}/change/").status_code == 200
    assert admin.post(f"/admin/tenants/apikey/{key.id}/change/", {"allowed_networks": "203.0.113.7"}).status_code == 403
    assert ApiKey.objects.get(id=key.id).allowed_networks == []
