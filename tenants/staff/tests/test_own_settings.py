"""Everybody chooses a language and a time zone for themselves."""

import pytest
from django.test import Client

from tenants.models import Tenant
from tenants.staff.models import AuditEntry, Staff
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

PATH = "/admin/staff/staff/me/"


@pytest.mark.parametrize("role", ["admin", "marketer", "moderator", "analyst"])
def test_everybody_chooses_a_language_whatever_their_role(acme: Tenant, role: str) -> None:
    client = browser_of(staff_of(role))

    client.post(PATH, {"language": "zh-hans", "time_zone": "Asia/Shanghai"})

    assert client.get(PATH).headers["Content-Language"] == "zh-hans"
    assert AuditEntry.objects.filter(action="staff.settings_changed").count() == 1


def test_an_unknown_time_zone_is_refused_at_its_field_and_nothing_changes(acme: Tenant) -> None:
    client = browser_of(staff_of("analyst"))

    answer = client.post(PATH, {"language": "", "time_zone": "Mars/Olympus"})

    assert list(answer.context["form"].errors) == ["time_zone"]
    assert not Staff.objects.filter(time_zone="Mars/Olympus").exists()


def test_nobody_has_settings_without_logging_in(acme: Tenant, client: Client) -> None:
    answer = client.get(PATH, HTTP_HOST="acme.localhost")

    assert answer.status_code == 302
    assert "/admin/login/" in answer.headers["Location"]
