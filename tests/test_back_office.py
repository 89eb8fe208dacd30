"""Who may see and change what in a tenant's back office; and that another tenant's staff is nobody here."""

import pytest
from django.apps import apps

from campaigns.models import Campaign
from core.backoffice import tenant_site
from members import people
from rewards.tests import gifts
from tenants import context
from tenants.staff.models import AuditEntry, Staff
from tests.cast import Shop, make_campaign
from tests.people import browser_of, flag, staff_of

ROLES = ("admin", "marketer", "moderator", "analyst")
EVERYBODY = set(ROLES)

# The list of a model → who may read it, and who may add or change rows.
PAGES = {
    "antifraud/case": (EVERYBODY, set()),
    "antifraud/trip": (EVERYBODY, set()),
    "antifraud/stoprule": (EVERYBODY, {"admin", "marketer"}),
    "antifraud/listing": (EVERYBODY, {"admin"}),
    "campaigns/campaign": (EVERYBODY, {"admin", "marketer"}),
    "campaigns/limit": (EVERYBODY, {"admin", "marketer"}),
    "members/member": (EVERYBODY, set()),
    "events/event": (EVERYBODY, set()),
    "referrals/referral": (EVERYBODY, set()),
    "rewards/reward": (EVERYBODY, set()),
    "rewards/entitlement": (EVERYBODY, set()),
    "rewards/posting": (EVERYBODY, set()),
    "rewards/account": (EVERYBODY, set()),
    "rewards/adjustment": (EVERYBODY, {"admin", "marketer"}),
    "rewards/gift": (EVERYBODY, {"admin", "marketer"}),
    "rewards/redemption": (EVERYBODY, set()),
    "rewards/level": (EVERYBODY, {"admin", "marketer"}),
    "rewards/standing": (EVERYBODY, {"admin", "marketer"}),
    "rewards/stockcode": (EVERYBODY, {"admin", "marketer"}),
    "rewards/provider": (EVERYBODY, {"admin"}),
    "rewards/asset": (EVERYBODY, {"admin", "marketer"}),
    "integrations/endpoint": ({"admin"}, {"admin"}),
    "integrations/delivery": ({"admin"}, set()),
    "staff/staff": ({"admin"}, {"admin"}),
    "staff/auditentry": ({"admin"}, set()),
}
# Pages of one row: who may change it.
POLICIES = {
    "antifraud/fraudpolicy": (
        {"admin"},
        {"flag_from": 60, "refuse_from": 150, "undo_minutes": 5, "due_hours": 24, "on_reject": "both"},
    ),
    "rewards/rewardpolicy": (
        {"admin", "marketer"},
        {
            "level_measure": "spent",
            "level_window": "rolling",
            "level_window_days": 90,
            "level_fall": "step",
            "level_grace_days": 10,
            "level_notice_days": 5,
            "four_eyes_from": 500,
            "reserve_minutes": 20,
        },
    ),
    "referrals/attributionpolicy": (
        {"admin", "marketer"},
        {"window_days": 7, "touch": "first", "landing_url": "https://example.com/"},
    ),
}
# What only the machine writes.
READ_ONLY = [
    "antifraud/case",
    "members/member",
    "events/event",
    "referrals/referral",
    "rewards/reward",
    "rewards/entitlement",
    "rewards/posting",
]


@pytest.fixture
def shop(acme) -> Shop:
    """Return a shop where every list has a row."""
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    shop.joins("clara", invited_by="anna")
    shop.pays("clara", "500")
    gifts.give(gifts.gift("content"), people.get_by_external_id("clara"))
    return shop


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reads_its_lists(shop, role):
    browser = browser_of(staff_of(role))

    for name, (readers, _writers) in PAGES.items():
        assert (name, browser.get(f"/admin/{name}/").status_code) == (name, 200 if role in readers else 403)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_adds_what_it_may(shop, role):
    browser = browser_of(staff_of(role))

    for name, (_readers, writers) in PAGES.items():
        assert (name, browser.get(f"/admin/{name}/add/").status_code) == (name, 200 if role in writers else 403)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_changed_by_who_may_and_the_log_tells_from_what_to_what(shop, role, name):
    writers, values = POLICIES[name]
    model = apps.get_model(name.replace("/", "."))
    row = model.objects.get()
    browser = browser_of(staff_of(role))
    page = browser.get(f"/admin/{name}/").headers["Location"]
    assert browser.get(page).status_code == 200

    status = browser.post(page, values).status_code

    first = next(iter(values))
    before, after = getattr(row, first), values[first]
    row.refresh_from_db()
    if role in writers:
        assert (status, getattr(row, first)) == (302, after)
        assert AuditEntry.objects.get().changes[first] == [str(before), str(after)]
    else:
        assert (status, getattr(row, first)) == (403, before)
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", READ_ONLY)
def test_not_even_a_superuser_changes_what_the_machine_wrote(shop, name):
    root = Staff.objects.create_superuser("root", password=None, language="en")
    row = apps.get_model(name.replace("/", ".")).objects.first()
    browser = browser_of(root)

    assert browser.get(f"/admin/{name}/{row.pk}/change/").status_code == 200
    assert browser.post(f"/admin/{name}/{row.pk}/change/", {}).status_code in {200, 403}
    assert browser.get(f"/admin/{name}/add/").status_code == 403
    assert browser.post(f"/admin/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_a_moderator_cannot_edit_a_campaign(shop):
    campaign = Campaign.objects.get()

    status = browser_of(staff_of("moderator")).post(
        f"/admin/campaigns/campaign/{campaign.pk}/change/", {"name": "Mine"}
    )

    campaign.refresh_from_db()
    assert (status.status_code, campaign.name) == (403, "Bring a friend")


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_has_what_a_role_may_see_in_the_order_of_use(shop, role):
    page = browser_of(staff_of(role)).get("/admin/").content.decode()

    seen = [name for name, (readers, _writers) in PAGES.items() if f'href="/admin/{name}/"' in page]
    assert set(seen) == {name for name, (readers, _writers) in PAGES.items() if role in readers}
    assert page.index('"/admin/antifraud/case/"') < page.index('"/admin/campaigns/campaign/"')
    assert page.index('"/admin/campaigns/campaign/"') < page.index('"/admin/events/event/"')


def test_every_page_of_the_menu_is_in_this_file():
    known = {*PAGES, *POLICIES}
    registered = {f"{model._meta.app_label}/{model._meta.model_name}" for model in tenant_site._registry}

    assert registered - known <= {"tenants/apikey"}


@pytest.mark.parametrize("name", [*PAGES, *POLICIES])
def test_a_cookie_of_another_tenant_leads_to_the_log_in_page(shop, bolt, name):
    with context.in_tenant("t_bolt"):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")
    cookie = stranger.cookies["sessionid"].value
    here = browser_of(staff_of("admin"))
    here.cookies["sessionid"] = cookie

    response = here.get(f"/admin/{name}/")

    assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/admin/login/")


def test_logging_in_leads_to_the_dashboard(acme, client):
    person = staff_of("analyst")
    person.set_password("correct horse battery")
    person.save()

    response = client.post(
        "/admin/login/",
        {"username": person.username, "password": "correct horse battery"},
        headers={"host": "acme.localhost"},
    )

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_the_sandbox_says_so_on_every_page(acme):
    with context.in_tenant("t_acme_sandbox"):
        browser = browser_of(staff_of("analyst"), host="acme-sandbox.localhost")

    page = browser.get("/admin/").content.decode()

    assert "Sandbox: nothing here is real" in page
    assert "[Sandbox]" in page
