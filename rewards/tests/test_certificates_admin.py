"""Stock and providers in the back office: uploads, who may read a code, secrets that are never shown again."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core import sealing
from core.db import current_schema
from rewards.certificates import orders, uploads
from rewards.models import Entitlement, Gift, Provider, StockCode
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import brand_of, give, put
from rewards.tests.test_certificates_orders import provider_at
from tenants.staff.models import AuditEntry
from tests.people import browser_of, staff_of
from tests.stand_ins.certificates import StandIn

pytestmark = pytest.mark.django_db

STOCK = "/admin/rewards/stockcode/"
PROVIDERS = "/admin/rewards/provider/"
CODE = "AAA-1234"


@pytest.fixture
def admin(acme):
    return browser_of(staff_of("admin"))


@pytest.fixture
def coffee(acme):
    return brand_of()


def upload(browser, gift, text, **changed):
    file = SimpleUploadedFile("codes.csv", text.encode())
    return browser.post(f"{STOCK}add/", {"gift": gift.pk, "file": file, "value": "500", **changed})


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_file_is_looked_through_shown_and_put_into_the_stock_by_a_click(admin, coffee):
    response = upload(admin, coffee, "A-0001\nA-0002\nA-0001\n")
    page = response.headers["Location"]

    text = admin.get(page).content.decode()
    assert "Put them into the stock" in text
    assert "The code stands in the file twice." in text
    assert "A-0002" not in text
    assert not StockCode.objects.exists()

    admin.post(f"{page}start/")
    told = admin.get(f"{page}progress/").json()
    assert told == {"state": "working", "done": 0, "good": 2, "served": 0}
    uploads.fill(schema=current_schema(), upload_id=page.rstrip("/").rpartition("/")[2], at=NOON)
    assert admin.get(f"{page}progress/").json() == {"state": "done", "done": 2, "good": 2, "served": 0}
    assert "To the stock" in admin.get(page).content.decode()
    assert StockCode.objects.count() == 2
    assert actions() == ["stock.uploaded"]


def test_what_is_no_list_is_said_at_the_field(admin, coffee):
    response = upload(admin, coffee, "")

    assert response.status_code == 200
    assert not StockCode.objects.exists()


def test_a_marketer_uploads_and_reads_no_code_and_an_analyst_does_neither(acme, coffee):
    put(coffee, CODE)
    row = StockCode.objects.get()
    marketer, analyst = browser_of(staff_of("marketer")), browser_of(staff_of("analyst"))

    assert upload(marketer, coffee, "B-1").status_code == 302
    assert upload(analyst, coffee, "B-2").status_code == 403
    for browser in (marketer, analyst):
        assert browser.get(STOCK).status_code == 200
        assert CODE not in browser.get(STOCK).content.decode()
        assert browser.post(f"{STOCK}{row.pk}/show/").status_code == 403
    assert analyst.get(f"{STOCK}upload/{'0' * 16}/").status_code == 403
    assert analyst.get(f"{STOCK}upload/{'0' * 16}/progress/").status_code == 403
    assert actions() == []


def test_who_reads_a_code_is_written_down(admin, coffee):
    put(coffee, CODE)
    row = StockCode.objects.get()

    assert "••••1234" in admin.get(STOCK).content.decode()
    assert CODE not in admin.get(f"{STOCK}{row.pk}/change/").content.decode()
    assert admin.get(f"{STOCK}{row.pk}/show/").status_code == 302
    assert actions() == []
    response = admin.post(f"{STOCK}{row.pk}/show/")

    assert CODE in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert (actions(), CODE in str(AuditEntry.objects.get().changes)) == (["stockcode.shown"], False)


def test_a_given_code_stays_and_a_free_one_may_be_thrown_away(admin, coffee, anna):
    put(coffee, "A-1", "A-2")
    give(coffee, anna, "k")
    given, free = StockCode.objects.order_by("pk")

    assert admin.post(f"{STOCK}{given.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{STOCK}{free.pk}/delete/", {"post": "yes"}).status_code == 302

    assert list(StockCode.objects.all()) == [given]


def test_the_list_says_what_is_left_and_who_waits(admin, coffee, anna):
    Gift.objects.filter(pk=coffee.pk).update(low_stock=5)
    put(coffee, "A-1")
    give(coffee, anna, "k1", "k2")

    text = admin.get(STOCK).content.decode()

    assert "Low" in text
    assert "mark-warn" in text


def test_an_upload_that_nobody_remembers_says_so(admin):
    text = admin.get(f"{STOCK}upload/{'0' * 16}/").content.decode()

    assert "There is no such upload" in text
    assert admin.get(f"{STOCK}upload/{'0' * 16}/progress/").status_code == 404


# Providers


def form(**changed):
    return {
        "name": "Giftly",
        "code": "giftly",
        "adapter": "http",
        "url": "https://giftly.example/",
        "new_secret": "hush-hush",
        "settings": "{}",
        "is_active": "on",
        **changed,
    }


def test_a_secret_is_sealed_and_never_shown_again(admin):
    assert admin.post(f"{PROVIDERS}add/", form()).status_code == 302

    provider = Provider.objects.get()
    assert sealing.unseal(schema="t_acme", kind=orders.SEALED_AS, value=provider.secret) == "hush-hush"
    page = admin.get(f"{PROVIDERS}{provider.pk}/change/").content.decode()
    assert "hush-hush" not in page
    assert provider.secret not in page
    assert "hush-hush" not in str(AuditEntry.objects.get().changes)


def test_an_empty_secret_leaves_it_as_it_was(admin):
    admin.post(f"{PROVIDERS}add/", form())
    before = Provider.objects.get()

    admin.post(f"{PROVIDERS}{before.pk}/change/", form(new_secret="", name="Giftly 2"))

    after = Provider.objects.get()
    assert (after.name, after.secret) == ("Giftly 2", before.secret)


def test_a_secret_does_not_follow_to_another_address(admin):
    admin.post(f"{PROVIDERS}add/", form())
    before = Provider.objects.get()
    elsewhere = "https://elsewhere.example/"

    admin.post(f"{PROVIDERS}{before.pk}/change/", form(new_secret="", url=elsewhere))
    assert Provider.objects.get().url == before.url

    admin.post(f"{PROVIDERS}{before.pk}/change/", form(new_secret="another", url=elsewhere))
    assert Provider.objects.get().url == elsewhere


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": '{"nonsense": 1}'},
        {"settings": '{"paths": "x"}'},
        {"settings": '{"paths": {"order": 1}}'},
        {"settings": '{"amounts": 2}'},
        {"settings": "[1]"},
        {"url": "ftp://giftly.example/"},
        {"adapter": "another"},
    ],
)
def test_what_makes_no_sense_is_refused(admin, changed):
    assert admin.post(f"{PROVIDERS}add/", form(**changed)).status_code == 200

    assert not Provider.objects.exists()


def test_trouble_is_told_in_words_and_tried_again_by_a_click(admin, anna):
    with StandIn() as partner:
        provider = provider_at(partner)
    (row,) = give(brand_of(providers=["giftly"]), anna, "k")
    Provider.objects.update(problem="no_funds", problem_at=NOON)
    Entitlement.objects.update(next_attempt_at=None)

    text = admin.get(PROVIDERS).content.decode()
    admin.post(f"{PROVIDERS}{provider.pk}/try/")

    row.refresh_from_db()
    provider.refresh_from_db()
    assert "Our account at the provider is empty." in text
    assert (provider.problem, row.next_attempt_at is not None) == ("", True)
    assert actions() == ["provider.tried"]


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_only_an_admin_changes_providers(acme, role):
    with StandIn() as partner:
        provider = provider_at(partner)
    browser = browser_of(staff_of(role))

    assert browser.post(f"{PROVIDERS}add/", form(code="other")).status_code == 403
    assert browser.post(f"{PROVIDERS}{provider.pk}/try/").status_code == 403
    assert browser.post(f"{PROVIDERS}{provider.pk}/balance/").status_code == 403
    assert (Provider.objects.count(), actions()) == (1, [])
