"""Two sites, the platform's and a tenant's: who is logged in at one is a stranger at each other."""

import pytest
from django.contrib.auth.models import Group

pytestmark = pytest.mark.django_db


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
