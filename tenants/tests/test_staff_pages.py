"""A tenant's pages of its staff and its log, which are the admin's."""

import pytest

from tenants import context, roles
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry, Staff
from tenants.tests.browsers import PASSWORD, browser
from tests.cast import NOON

pytestmark = pytest.mark.django_db


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
