"""The platform's pages, and a tenant's pages of its keys, its staff and its log."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group

from tenants import context, hosts, key_uses, keys, roles
from tenants.models import ApiKey, Domain, Tenant
from tenants.staff.models import AuditEntry, Staff

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def platform(client_of):
    """Log Petra in, who runs the platform."""
    client = client_of("localhost")
    with context.in_public():
        client.force_login(Staff.objects.create_superuser("petra", password=PASSWORD), AXES)
    return client


@pytest.fixture
def admin(client_of, acme):
    """Log Acme's admin in."""
    return browser(client_of, "acme", "admin")


AXES = "django.contrib.auth.backends.ModelBackend"


def browser(client_of, slug: str, role: str):
    client = client_of(f"{slug}.localhost")
    with context.in_tenant(f"t_{slug}"):
        person = roles.add_staff(username=f"the-{role}", password_hash="!", role=role, at=NOON)
        client.force_login(person, AXES)
    return client


def shown(response) -> list[str]:
    assert response.status_code == 200, response
    found = re.findall(r"<code [^>]*>([^<]+)</code>", response.content.decode())
    assert found, "Nothing is shown: the form was refused."
    return found


# The platform's


NEW_TENANT = {
    "name": "Corner",
    "slug": "corner",
    "time_zone": "Asia/Tokyo",
    "currency": "jpy",
    "language": "en",
    "admin_username": "olga",
    "admin_password": "",
}


def test_the_platform_makes_a_tenant_and_sees_its_secrets_once(platform):
    address, username, password, live_key, test_key = shown(platform.post("/admin/tenants/tenant/add/", NEW_TENANT))

    tenant = Tenant.objects.get(slug="corner")
    assert (tenant.currency, tenant.schema_name) == ("JPY", "t_corner")
    assert (address, username) == ("http://corner.localhost:8000/admin/", "olga")
    with context.in_tenant("t_corner"):
        assert Staff.objects.get(username="olga").check_password(password)
    assert [keys.find(prefix=key.split("_")[2]).tenant.slug for key in (live_key, test_key)] == [
        "corner",
        "corner-sandbox",
    ]
    with context.in_public():
        entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == ("petra", "tenant.added")
    assert password not in str(entry.changes)
    listed = platform.get("/admin/tenants/tenant/").content.decode()
    assert "corner.localhost" in listed
    assert live_key not in listed


def test_a_tenant_that_cannot_be_is_refused_at_the_field(platform):
    answer = platform.post("/admin/tenants/tenant/add/", {**NEW_TENANT, "slug": "acme-sandbox"})

    assert "slug" in answer.context["adminform"].form.errors
    assert not Tenant.objects.filter(slug="corner").exists()


def test_the_platform_suspends_and_resumes_a_tenant_by_post_only(platform, acme):
    platform.get(f"/admin/tenants/tenant/{acme.id}/suspend/")
    assert Tenant.objects.get(id=acme.id).status == "active"

    platform.post(f"/admin/tenants/tenant/{acme.id}/suspend/")
    assert {each.status for each in Tenant.objects.filter(slug__startswith="acme")} == {"suspended"}

    platform.post(f"/admin/tenants/tenant/{acme.id}/resume/")
    assert {each.status for each in Tenant.objects.filter(slug__startswith="acme")} == {"active"}
    with context.in_public():
        assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
            "tenant.suspended",
            "tenant.resumed",
        ]


def test_the_platform_changes_a_tenants_language_and_not_its_currency(platform, acme):
    changed = {"name": "Acme & Co", "time_zone": "Europe/Paris", "language": "en", "currency": "EUR", "slug": "x"}

    answer = platform.post(f"/admin/tenants/tenant/{acme.id}/change/", changed)

    assert answer.status_code == 302
    now = Tenant.objects.get(id=acme.id)
    assert (now.name, now.time_zone, now.language, now.currency, now.slug) == (
        "Acme & Co",
        "Europe/Paris",
        "en",
        "RUB",
        "acme",
    )


def test_the_platform_gives_a_tenant_a_domain_of_its_own(platform, bolt, client_of):
    assert client_of("club.example.com").get("/admin/login/").status_code == 404

    platform.post("/admin/tenants/domain/add/", {"domain": "Club.Example.com", "tenant": bolt.id})

    assert client_of("club.example.com").get("/admin/login/").status_code == 200


@pytest.mark.parametrize("name", ["localhost", "acme.localhost", "other.localhost", "no spaces.com", "1.2.3.4", "com"])
def test_a_domain_that_is_not_the_tenants_to_have_is_refused(platform, bolt, name):
    count = Domain.objects.count()

    answer = platform.post("/admin/tenants/domain/add/", {"domain": name, "tenant": bolt.id})

    assert "domain" in answer.context["adminform"].form.errors
    assert Domain.objects.count() == count


def test_the_platform_issues_a_key_for_a_tenant(platform, bolt):
    wish = {"tenant": bolt.id, "name": "Bot", "environment": "sandbox", "scopes": ["events:write"]}

    (full,) = shown(platform.post("/admin/tenants/apikey/add/", wish))

    assert keys.find(prefix=full.split("_")[2]).tenant == bolt.sandbox


def test_all_pages_of_the_platform_open(platform, acme):
    key = ApiKey.objects.filter(tenant=acme).get()
    with context.in_public():
        petra = Staff.objects.get()
    assert platform.get("/admin/").headers["Location"] == "/admin/tenants/tenant/"
    for page in (
        "tenants/tenant/",
        "tenants/tenant/add/",
        f"tenants/tenant/{acme.id}/change/",
        "tenants/domain/",
        "tenants/domain/add/",
        "tenants/apikey/",
        "tenants/apikey/add/",
        f"tenants/apikey/{key.id}/change/",
        "staff/staff/",
        "staff/staff/add/",
        f"staff/staff/{petra.id}/change/",
        "staff/auditentry/",
    ):
        assert platform.get(f"/admin/{page}").status_code == 200, page


# A tenant's


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


def test_a_tenants_admin_revokes_a_key_by_post_only(admin, acme):
    key = ApiKey.objects.get(tenant=acme)

    admin.get(f"/admin/tenants/apikey/{key.id}/revoke/")
    assert ApiKey.objects.get(id=key.id).revoked_at is None

    admin.post(f"/admin/tenants/apikey/{key.id}/revoke/")
    assert ApiKey.objects.get(id=key.id).revoked_at is not None


def test_a_tenant_sees_no_key_of_another_and_cannot_revoke_it(admin, bolt):
    theirs = ApiKey.objects.get(tenant=bolt)

    admin.post(f"/admin/tenants/apikey/{theirs.id}/revoke/")

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


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
@pytest.mark.parametrize("page", ["tenants/apikey/", "tenants/apikey/add/", "staff/staff/", "staff/auditentry/"])
def test_keys_staff_and_the_log_are_the_admins(client_of, acme, role, page):
    assert browser(client_of, "acme", role).get(f"/admin/{page}").status_code == 403


def test_an_admin_adds_somebody_with_a_role(admin):
    answer = admin.post(
        "/admin/staff/staff/add/",
        {"username": "maria", "email": "", "role": "marketer", "password1": PASSWORD, "password2": PASSWORD},
    )

    assert answer.status_code == 302
    with context.in_tenant("t_acme"):
        maria = Staff.objects.get(username="maria")
        assert (roles.find(staff=maria), maria.is_staff, maria.is_superuser) == ("marketer", True, False)
        assert maria.check_password(PASSWORD)
        assert PASSWORD not in str(AuditEntry.objects.values_list("changes", flat=True))


def test_an_admin_changes_somebodys_role_and_nobody_becomes_a_superuser(admin):
    with context.in_tenant("t_acme"):
        maria = roles.add_staff(username="maria", password_hash="!", role="marketer", at=NOON)
    form = {"username": "maria", "role": "analyst", "is_active": "on", "language": "en", "time_zone": "Asia/Shanghai"}

    answer = admin.post(
        f"/admin/staff/staff/{maria.id}/change/",
        {**form, "is_superuser": "on", "groups": [1], "user_permissions": [1]},
    )

    assert answer.status_code == 302
    with context.in_tenant("t_acme"):
        maria = Staff.objects.get(username="maria")
        assert (roles.find(staff=maria), maria.is_superuser, maria.language) == ("analyst", False, "en")
        assert maria.groups.count() == 1
        assert not maria.user_permissions.exists()


def test_an_admin_cannot_lock_oneself_out(admin):
    me = admin.session["_auth_user_id"]

    answer = admin.post(
        f"/admin/staff/staff/{me}/change/", {"username": "the-admin", "role": "analyst", "email": "a@b.co"}
    )

    assert answer.status_code == 302
    with context.in_tenant("t_acme"):
        found = Staff.objects.get(id=me)
        assert (roles.find(staff=found), found.is_active, found.email) == ("admin", True, "a@b.co")


def test_all_pages_of_a_tenant_open(admin, acme):
    admin.post("/admin/tenants/apikey/add/", {"name": "Bot", "environment": "live", "scopes": ["events:write"]})
    with context.in_tenant("t_acme"):
        entry = AuditEntry.objects.get()
    key = ApiKey.objects.filter(tenant=acme).first()
    me = admin.session["_auth_user_id"]
    for page in (
        "tenants/apikey/",
        "tenants/apikey/add/",
        f"tenants/apikey/{key.id}/change/",
        "staff/staff/",
        "staff/staff/add/",
        f"staff/staff/{me}/change/",
        f"staff/staff/{me}/password/",
        "staff/auditentry/",
        f"staff/auditentry/{entry.id}/change/",
    ):
        assert admin.get(f"/admin/{page}").status_code == 200, page


def test_nobody_writes_into_the_log(admin):
    assert admin.get("/admin/staff/auditentry/add/").status_code == 403


# Between tenants


@pytest.mark.parametrize("host", ["bolt.localhost", "acme-sandbox.localhost", "localhost"])
def test_the_cookie_of_one_tenant_means_nothing_elsewhere(admin, host):
    assert admin.get("/admin/staff/staff/").status_code == 200

    answer = admin.get("/admin/staff/staff/", headers={"host": host})

    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_the_platforms_cookie_means_nothing_at_a_tenants(platform):
    answer = platform.get("/admin/", headers={"host": "acme.localhost"})

    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_somebody_of_one_tenant_cannot_log_in_at_another(client_of, stage):
    def log_in(host: str):
        form = {"username": "admin", "password": stage["acme"].admin_password}
        return client_of(host).post("/admin/login/", form).status_code

    assert [log_in(host) for host in ("acme.localhost", "bolt.localhost", "localhost")] == [302, 200, 200]


def test_the_tenants_site_has_no_page_of_tenants(admin):
    assert admin.get("/admin/tenants/tenant/").status_code == 404


def test_groups_have_no_page():
    from core.backoffice import platform_site, tenant_site  # noqa: PLC0415

    assert not tenant_site.is_registered(Group)
    assert not platform_site.is_registered(Group)


# Keys: of what kind, from where, and for how long


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


def test_the_platform_gives_a_key_more_than_is_usual(platform, bolt, settings):
    settings.API_REQUESTS_A_SECOND = 100
    wish = {"tenant": bolt.id, "name": "Bot", "environment": "live", "scopes": ["events:write"]}

    (full,) = shown(platform.post("/admin/tenants/apikey/add/", wish | {"requests_a_second_max": 500}))

    assert keys.find(prefix=full.split("_")[2]).requests_a_second_max == 500


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


def test_the_list_shows_what_is_in_force_and_what_was_tried_after_its_end(admin, acme):
    valid, wish = ApiKey.objects.get(tenant=acme), {"environment": "live", "scopes": ["events:write"]}
    ended, __ = keys.issue(tenant=acme, name="Old", **wish, expires_at=NOON, at=NOON)

    def listed(show: str) -> set[int]:
        found = admin.get(f"/admin/tenants/apikey/?environment=live&show={show}").context["cl"].result_list
        return {key.id for key in found}

    assert (listed("valid"), listed("ended"), listed("tried")) == ({valid.id}, {ended.id}, set())
    key_uses.note_refused(key=keys.find(prefix=ended.prefix), address="203.0.113.7", at=NOON)
    assert listed("tried") == {ended.id}


def test_the_platform_gives_a_tenant_and_its_sandbox_quotas(platform, acme):
    form = {"name": "Acme", "time_zone": "Europe/Moscow", "language": "ru", "events_a_day_max": "7"}

    answer = platform.post(f"/admin/tenants/tenant/{acme.id}/change/", form | {"requests_a_day_max": "9"})

    assert answer.status_code == 302
    quotas = Tenant.objects.filter(slug__startswith="acme").values_list("requests_a_day_max", "events_a_day_max")
    assert list(quotas) == [(9, 7), (9, 7)]
    with context.in_public():
        assert AuditEntry.objects.get().changes["events_a_day_max"] == ["", "7"]
