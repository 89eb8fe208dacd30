import json
import stat

import pytest
from django.core.management import CommandError, call_command

from antifraud.models import StopRule
from campaigns import lint
from campaigns.models import Campaign, CampaignVersion
from demo import access, setup, tenants
from demo.businesses import BUSINESSES, COFFEE_CHAIN, RECORD_SHOP, ROLES
from demo.tests.conftest import NOW
from rewards.models import Asset
from tenants import context
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry, Staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var" / "demo.json"


def told(path):
    return json.loads(path.read_text(encoding="utf-8"))


def in_demo(business=RECORD_SHOP):
    return context.in_tenant(tenants.find(business=business).schema_name)


def test_the_file_says_how_to_get_in_and_nobody_else_may_read_it(path, settings):
    settings.PORT = 8123

    assert setup.ensure(path=path, at=NOW) == ["Needle & Groove", "Bean There"]

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file = told(path)
    other = file.pop("second_tenant")
    assert set(file) == {"base_url", "host", "keys", "shop", "staff", "platform"}
    assert set(other) == {"base_url", "host", "keys", "staff"}
    assert (file["base_url"], file["host"]) == ("http://localhost:8123", "demo.localhost:8123")
    assert (other["base_url"], other["host"]) == ("http://localhost:8123", "bean.localhost:8123")
    assert [word[:8] for word in file["keys"].values()] == ["sk_live_", "sk_test_"]
    assert file["staff"][1] == {"role": "marketer", "username": "marketer", "password": RECORD_SHOP.password}
    assert [each["role"] for each in other["staff"]] == list(ROLES)
    assert file["platform"]["host"] == "localhost:8123"


def test_the_log_ins_work_and_each_business_has_its_own(path):
    setup.ensure(path=path, at=NOW)

    for business in BUSINESSES:
        for schema_name in (f"t_{business.slug}", f"t_{business.slug}_sandbox"):
            with context.in_tenant(schema_name):
                assert [log_in_of(role, business.password) for role in ROLES] == list(ROLES)
    assert RECORD_SHOP.password != COFFEE_CHAIN.password
    with context.in_public():
        operator = Staff.objects.get(username=told(path)["platform"]["username"])
    assert operator.is_superuser
    assert operator.check_password(told(path)["platform"]["password"])


def test_a_second_time_changes_nothing(path, settings):
    setup.ensure(path=path, at=NOW)
    first = told(path)
    with in_demo():
        Campaign.objects.filter(name="Vinyl Fridays").update(name="Vinyl Saturdays")
        Staff.objects.filter(username="analyst").delete()
        counts = counted()
    settings.PORT = 8456

    assert setup.ensure(path=path, at=NOW) == []

    second = told(path)
    assert second["host"] == "demo.localhost:8456"
    assert second["keys"] == first["keys"]
    assert second["second_tenant"]["keys"] == first["second_tenant"]["keys"]
    assert second["shop"]["publishable_key"] == first["shop"]["publishable_key"]
    with in_demo():
        assert counted() == counts
        assert not Campaign.objects.filter(name="Vinyl Fridays").exists()


def test_keys_that_are_lost_are_replaced(path):
    setup.ensure(path=path, at=NOW)
    first = told(path)
    demo = tenants.find(business=RECORD_SHOP)

    for content in ("", "no json", "[]", '{"keys": 5}', '{"second_tenant": []}', '{"keys": {"live": "sk_live_x"}}'):
        path.write_text(content, encoding="utf-8")
        setup.ensure(path=path, at=NOW)
        second = told(path)
        assert second["keys"]["live"] != first["keys"]["live"]
        assert access.keys_in(second, tenant=demo, at=NOW) == second["keys"]

    with in_demo():
        assert AuditEntry.objects.filter(action="apikey.added", actor="demo_setup").count() == 12 + 7
    swapped = {"keys": {"live": first["second_tenant"]["keys"]["live"], "test": first["keys"]["live"]}}
    assert access.keys_in(swapped, tenant=demo, at=NOW) == {}


def test_the_campaigns_show_what_campaigns_can_do(path):
    setup.ensure(path=path, at=NOW)

    with in_demo():
        offered = sorted(Campaign.objects.values_list("name", "status"))
        assert {status for _name, status in offered} == {"active", "paused", "ended", "draft"}
        assert Asset.objects.get(code="points").minor_per_unit == 1
        assert list(StopRule.objects.filter(campaign__name__contains="fair").values_list("threshold", flat=True)) == [
            25
        ]
        rates = CampaignVersion.objects.filter(campaign__name="Cashback 5%").order_by("number")
        assert [version.definition["rules"][0]["rate_bps"] for version in rates] == [300, 500]
    with context.in_tenant("t_demo_sandbox"):
        assert sorted(Campaign.objects.values_list("name", "status")) == offered
    for business in BUSINESSES:
        with in_demo(business):
            for campaign in Campaign.objects.filter(status="active"):
                assert [each for each in lint.problems(campaign=campaign, at=NOW) if each.is_error] == []


def test_where_the_demo_is_off_nothing_is_made(settings):
    settings.DEMO_ENABLED = False

    with pytest.raises(CommandError, match="DEMO_ENABLED is off"):
        call_command("demo_setup")

    assert tenants.find(business=RECORD_SHOP) is None


def log_in_of(username, password):
    """Return the role of somebody who can log in so."""
    staff = Staff.objects.get(username=username)
    assert staff.check_password(password)
    assert not staff.is_superuser
    return staff.groups.get().name


def counted():
    models = (Campaign, CampaignVersion, AuditEntry, ApiKey, Staff)
    return [model.objects.count() for model in models]
