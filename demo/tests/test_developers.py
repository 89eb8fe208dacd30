"""What the shop's developers do, against everything real: the API over HTTP, their site, and what is sent to it."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from antifraud.models import Decision
from campaigns.models import Campaign
from demo import access, developers, setup, stories, tenants, window
from demo.businesses import RECORD_SHOP
from demo.cheats import BUSY
from demo.history import name_of
from demo.storefront import site
from demo.tests.test_feeding import handle, tell
from demo.tests.test_storefront import free_port
from integrations.models import Delivery, Endpoint
from integrations.webhooks import secrets
from rewards import ledger
from tenants import context
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry
from tests.webhooks import send_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def path(tmp_path, settings):
    """Set the demo up, and give its file. No address of this machine may be called but that of the site."""
    settings.DEMO_SHOP_PORT = free_port()
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    settings.OUTBOUND_ALLOWED_STARTS = (f"http://{site.HOST}:{settings.DEMO_SHOP_PORT}/",)
    path = tmp_path / "demo.json"
    setup.ensure(path=path, at=timezone.now())
    return path


@pytest.fixture
def address(live_server):
    return f"http://127.0.0.1:{live_server.thread.port}"


def set_up(path, address):
    developers.set_up(path=path, address=address, await_handled=handle)


def secret_in(path):
    return access.read(path)["shop"]["webhook_secret"]


def counted():
    with context.in_tenant("t_demo"):
        return [model.objects.count() for model in (Endpoint, Delivery, AuditEntry, Decision)]


def test_the_site_is_told_and_the_sandbox_a_case_and_an_export_are_tried_out_once(path, address, settings):
    days = tenants.days_of(business=RECORD_SHOP, tenant=tenants.find(business=RECORD_SHOP))
    busy = [
        act
        for act in stories.tell(RECORD_SHOP, days=days)
        if act.who["external_id"] == name_of(BUSY) or act.who["external_id"].startswith("sim-busy")
    ]
    with context.in_tenant("t_demo"):
        tell(busy, address=address, key=access.read(path)["keys"]["live"])
    with site.opened(port=settings.DEMO_SHOP_PORT, notes=path):
        set_up(path, address)
        before = counted()
        set_up(path, address)
        assert counted() == before

        with context.in_tenant("t_demo"):
            send_due(at=timezone.now())
            send_due(at=timezone.now() + timedelta(minutes=1))
        shown = requests.get(f"http://{site.HOST}:{settings.DEMO_SHOP_PORT}/messages.json", timeout=5)

    came = [(each["status"], each["signatures"]) for each in reversed(shown.json()["messages"])]
    # One was refused at first. In this test all is sent at the end, when the secret has been replaced.
    assert came == [(503, 2)] + [(204, 2)] * (len(came) - 1)
    assert [each["kind"] for each in shown.json()["messages"]].count("reward.granted") >= len(developers.REVIEWERS)
    with context.in_tenant("t_demo"):
        assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
        assert sorted(Delivery.objects.values_list("attempts", flat=True))[-1] == 2
        assert [each.by.get_username()[:8] for each in Decision.objects.select_related("by")] == ["API key "] * 2
        assert AuditEntry.objects.filter(action="export.read", actor_kind="key").count() == 1
        assert AuditEntry.objects.filter(action="webhook.rotated").count() == 1
        assert ledger.verify() == []
    with context.in_tenant("t_demo_sandbox"):
        assert Campaign.objects.filter(name__endswith="(fixture)").count() == len(developers.FIXTURES)


def test_a_secret_that_was_lost_is_replaced_and_another_port_is_another_address(path, address, settings):
    set_up(path, address)
    first = secret_in(path)
    access.note_webhook_secret(path, secret="")
    settings.DEMO_SHOP_PORT = free_port()
    settings.OUTBOUND_ALLOWED_STARTS = (f"http://{site.HOST}:{settings.DEMO_SHOP_PORT}/",)
    setup.ensure(path=path, at=timezone.now())

    set_up(path, address)

    assert secret_in(path) not in {"", first}
    with context.in_tenant("t_demo"):
        assert Endpoint.objects.get().url == f"http://{site.HOST}:{settings.DEMO_SHOP_PORT}/webhooks"
    assert ApiKey.objects.get(name=window.KEY_NAME).allowed_origins == [window.origin()]
    assert access.read(path)["shop"]["url"] == window.origin()


def test_whoever_loses_the_file_three_times_a_day_has_a_site_that_is_told_all_the_same(path, address):
    for _time in range(3):
        set_up(path, address)
        access.note_webhook_secret(path, secret="")
    set_up(path, address)

    with context.in_tenant("t_demo"):
        (newest, *older) = secrets.in_force(Endpoint.objects.get(), at=timezone.now())
    assert (secret_in(path), len(older)) == (newest, 2)


def test_the_page_reads_what_is_on_offer_with_its_key_and_from_another_origin_nobody_does(path, address):
    shop = access.read(path)["shop"]

    def read(what, origin):
        headers = {"Authorization": f"Bearer {shop['publishable_key']}", "Origin": origin}
        return requests.get(f"{address}/api/v1/{what}", headers=headers, timeout=10)

    answers = [read(what, shop["url"]) for what in ("catalogue", "campaigns")]
    elsewhere = read("catalogue", "http://localhost:1")
    private = read("members", shop["url"])

    assert [each.status_code for each in answers] == [200, 200]
    assert {each.headers["Access-Control-Allow-Origin"] for each in answers} == {shop["url"]}
    assert all(each.json()["data"] for each in answers)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in elsewhere.headers
    assert private.status_code == 403
    assert ApiKey.objects.filter(name=window.KEY_NAME).count() == 1
