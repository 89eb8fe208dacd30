"""What each role may do."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission

from tenants import roles
from tenants.staff.models import Staff

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)

# Permission → the roles that have it.
TABLE = {
    "campaigns.view_campaign": {"admin", "marketer", "moderator", "analyst"},
    "campaigns.change_campaign": {"admin", "marketer"},
    "campaigns.add_rule": {"admin", "marketer"},
    "referrals.change_attributionpolicy": {"admin", "marketer"},
    "referrals.change_referral": {"admin"},
    "antifraud.decide_case": {"admin", "moderator"},
    "antifraud.view_case": {"admin", "marketer", "moderator", "analyst"},
    "antifraud.change_fraudpolicy": {"admin"},
    "members.view_member": {"admin", "marketer", "moderator", "analyst"},
    "staff.view_staff": {"admin"},
    "staff.change_staff": {"admin"},
    "staff.view_auditentry": {"admin"},
    "staff.change_auditentry": set(),
    "staff.manage_keys": {"admin"},
    "auth.change_group": set(),
}


@pytest.fixture
def staff(acme) -> dict[str, Staff]:
    return {
        role: roles.add_staff(username=f"the-{role}", password_hash="!", role=role, at=NOON) for role in roles.NAMES
    }


@pytest.mark.parametrize("permission", TABLE)
def test_a_permission_belongs_to_these_roles(staff, permission):
    assert {role for role, person in staff.items() if person.has_perm(permission)} == TABLE[permission]


def test_a_role_takes_the_place_of_the_one_before(staff):
    roles.assign(staff=staff["admin"], role=roles.ANALYST)

    demoted = Staff.objects.get(username="the-admin")
    assert roles.find(staff=demoted) == "analyst"
    assert not demoted.has_perm("staff.manage_keys")


def test_syncing_mends_a_group_that_was_changed(acme):
    analysts = Group.objects.get(name="analyst")
    before = set(analysts.permissions.all())
    analysts.permissions.set(Permission.objects.filter(codename="decide_case"))

    roles.sync_roles()

    assert set(analysts.permissions.all()) == before


def test_syncing_writes_nothing_where_all_agrees(acme, django_assert_max_num_queries):
    roles.sync_roles()

    with django_assert_max_num_queries(3) as captured:
        roles.sync_roles()

    assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)
