"""The platform's pages: of tenants, their domains and their quotas."""

import pytest

from tenants import context, keys
from tenants.models import ApiKey, Domain, Tenant
from tenants.staff.models import AuditEntry, Staff
from tenants.tests.browsers import shown

pytestmark = pytest.mark.django_db

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

    asked = platform.post(f"/admin/tenants/tenant/{acme.id}/suspend/").content.decode()
    assert "Suspend “Acme”?" in asked
    assert Tenant.objects.get(id=acme.id).status == "active"

    platform.post(f"/admin/tenants/tenant/{acme.id}/suspend/", {"confirmed": "yes"})
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


def test_the_platform_gives_a_tenant_and_its_sandbox_quotas(platform, acme):
    form = {"name": "Acme", "time_zone": "Europe/Moscow", "language": "ru", "events_a_day_max": "7"}

    answer = platform.post(f"/admin/tenants/tenant/{acme.id}/change/", form | {"requests_a_day_max": "9"})

    assert answer.status_code == 302
    quotas = Tenant.objects.filter(slug__startswith="acme").values_list("requests_a_day_max", "events_a_day_max")
    assert list(quotas) == [(9, 7), (9, 7)]
    with context.in_public():
        assert AuditEntry.objects.get().changes["events_a_day_max"] == ["", "7"]


def test_the_platform_issues_a_key_for_a_tenant(platform, bolt):
    wish = {"tenant": bolt.id, "name": "Bot", "environment": "sandbox", "scopes": ["events:write"]}

    (full,) = shown(platform.post("/admin/tenants/apikey/add/", wish))

    assert keys.find(prefix=full.split("_")[2]).tenant == bolt.sandbox


def test_the_platform_gives_a_key_more_than_is_usual(platform, bolt, settings):
    settings.API_REQUESTS_A_SECOND = 100
    wish = {"tenant": bolt.id, "name": "Bot", "environment": "live", "scopes": ["events:write"]}

    (full,) = shown(platform.post("/admin/tenants/apikey/add/", wish | {"requests_a_second_max": 500}))

    assert keys.find(prefix=full.split("_")[2]).requests_a_second_max == 500


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
