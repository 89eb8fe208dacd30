"""The page of a certificate: who looks sees no code, who presses the button does, and it is written down."""

from datetime import timedelta

import pytest
from django.test import Client

from core import sealing
from events.models import Event
from rewards.certificates import barcodes, page, settling
from rewards.models import Entitlement, Gift
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import brand_of, give, put, stop
from tenants import context
from tests.races import race

pytestmark = pytest.mark.django_db

CODE = "AAA-1"


@pytest.fixture
def coffee(acme):
    gift = brand_of()
    Gift.objects.filter(pk=gift.pk).update(conditions_text="One for each table.\n<b>Not</b> for cash.")
    put(gift, CODE)
    return gift


@pytest.fixture
def row(coffee, anna):
    return give(coffee, anna, "k")[0]


def path_of(row):
    return f"/c/{page.token_of(row.pk)}"


def browser(language="en", host="acme.localhost"):
    return Client(
        headers={"host": host, "accept-language": language, "user-agent": "Safari"}, REMOTE_ADDR="203.0.113.77"
    )


def shown():
    return list(Event.objects.filter(kind="entitlement.shown").order_by("pk"))


def test_looking_shows_the_brand_and_a_button_and_counts_nothing(row):
    response = browser().get(path_of(row))

    text = response.content.decode()
    assert response.status_code == 200
    assert "Show my certificate" in text
    assert "RUB" in text or "₽" in text
    assert CODE not in text
    row.refresh_from_db()
    assert (row.shown_at, shown()) == (None, [])


def test_pressing_shows_the_code_with_its_picture_and_terms_and_it_is_written_down(row):
    response = browser().post(path_of(row), {"show": "1"})

    text = response.content.decode()
    assert CODE in text
    assert barcodes.picture_of(CODE, kind="qr")[:40] in text
    assert "&lt;b&gt;Not&lt;/b&gt; for cash." in text
    row.refresh_from_db()
    assert row.shown_at is not None
    (fact,) = shown()
    assert (fact.data["entitlement_id"], fact.data["seen_from"], fact.data["agent"]) == (
        row.pk,
        "203.0.113.0/24",
        "Safari",
    )
    assert fact.member_id == row.member_id
    assert CODE not in str(fact.data)


def looks(row, *, address="203.0.113.77", at=NOON):
    return page.show(entitlement=Entitlement.objects.get(pk=row.pk), address=address, agent="Safari", at=at)


def test_whoever_looks_again_is_written_down_once_an_hour_and_place(row):
    looks(row, at=NOON)
    looks(row, at=NOON + timedelta(minutes=59))
    looks(row, address="203.0.113.5", at=NOON + timedelta(minutes=59))
    assert [each.occurred_at for each in shown()] == [NOON]

    looks(row, at=NOON + timedelta(hours=1))
    looks(row, address="2001:db8::1", at=NOON)
    looks(row, address=None, at=NOON)

    row.refresh_from_db()
    assert row.shown_at == NOON
    assert [each.data["seen_from"] for each in shown()] == ["203.0.113.0/24", "203.0.113.0/24", "2001:db8::/48", ""]


def test_of_one_certificate_so_many_looks_are_written_down_and_no_more(row):
    for hour in range(page.VIEWS_MAX + 3):
        assert looks(row, at=NOON + timedelta(hours=hour)).text == CODE

    assert len(shown()) == page.VIEWS_MAX
    row.refresh_from_db()
    assert row.details["views"] == page.VIEWS_MAX


@pytest.mark.django_db(transaction=True)
def test_of_many_looks_at_once_from_one_place_one_is_written_down(row):
    undecorated = page.show.__wrapped__
    entitlement = Entitlement.objects.select_related("gift").get()

    codes = race(*[lambda: undecorated(entitlement=entitlement, address="203.0.113.7", agent="Safari", at=NOON)] * 6)

    assert {code.text for code in codes} == {CODE}
    assert len(shown()) == 1


def test_behind_a_proxy_it_is_the_caller_who_is_written_down(row, settings):
    settings.HTTPS = True

    browser().post(path_of(row), headers={"x-forwarded-for": "6.6.6.6, 198.51.100.9"})

    assert [each.data["seen_from"] for each in shown()] == ["198.51.100.0/24"]


def test_nothing_keeps_or_finds_the_page(row):
    for response in (browser().get(path_of(row)), browser().post(path_of(row)), browser().get("/c/1.x")):
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["X-Robots-Tag"] == "noindex"
        assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("barcode", ["code128", "none"])
def test_the_brand_says_which_bars_its_tills_read(row, coffee, barcode):
    Gift.objects.filter(pk=coffee.pk).update(terms={**coffee.terms, "barcode": barcode})

    text = browser().post(path_of(row)).content.decode()

    assert CODE in text
    assert ("data:image/svg+xml;base64" in text) == (barcode == "code128")
    assert barcodes.picture_of("Код", kind="code128") is None


@pytest.mark.parametrize(
    ("language", "button"),
    [("en-GB", "Show my certificate"), ("de, en;q=0.5", "Show my certificate")],
)
def test_the_page_speaks_the_browsers_language(row, language, button):
    response = browser(language).get(path_of(row))

    assert button in response.content.decode()
    assert response.headers["Content-Language"] == "en"


def test_without_a_language_of_ours_it_speaks_the_tenants(row):
    assert browser("de").get(path_of(row)).headers["Content-Language"] == "ru"
    assert browser("zh-CN").get(path_of(row)).headers["Content-Language"] == "zh-hans"


def test_a_link_is_signed_and_its_tenants_own(row, bolt):
    token = page.token_of(row.pk)
    with context.in_tenant("t_bolt"):
        forged = page.token_of(row.pk)

    assert forged != token
    for host, path in [
        ("acme.localhost", f"/c/{row.pk}"),
        ("acme.localhost", f"/c/{row.pk + 1}.{token.partition('.')[2]}"),
        ("acme.localhost", f"/c/{forged}"),
        ("acme-sandbox.localhost", f"/c/{token}"),
        ("bolt.localhost", f"/c/{token}"),
        ("bolt.localhost", f"/c/{forged}"),
    ]:
        for method in ("get", "post"):
            response = getattr(browser(host=host), method)(path)
            assert (host, path, response.status_code) == (host, path, 404)
    assert shown() == []


def test_a_cancelled_certificate_shows_no_code(row):
    stop(row)

    response = browser().post(path_of(row))

    assert response.status_code == 409
    assert "has been cancelled" in response.content.decode()
    assert CODE not in response.content.decode()
    assert shown() == []


def test_what_is_over_shows_no_code_before_the_night_has_noticed(row):
    Entitlement.objects.update(valid_until=NOON)

    response = browser().post(path_of(row))

    assert (response.status_code, CODE in response.content.decode(), shown()) == (409, False, [])


def test_what_is_not_there_yet_says_so(coffee, anna):
    _first, second = give(coffee, anna, "k1", "k2")

    assert "is being prepared" in browser().get(path_of(second)).content.decode()


def test_a_used_one_says_so_and_can_still_be_read(row):
    Entitlement.objects.update(status="used", used_at=NOON)

    text = browser().post(path_of(row)).content.decode()

    assert CODE in text
    assert "has been used" in text


def test_of_a_pool_the_member_chooses_on_the_page(coffee, anna):
    brand_of("books", denominations=[100_000])
    pool = Gift.objects.create(code="any", kind="pool", name="Any", terms={"brands": ["coffee", "books"]})
    (row,) = give(pool, anna, "k")
    before = browser().get(path_of(row)).content.decode()

    after = browser().post(path_of(row), {"brand": "coffee"}).content.decode()

    assert "Choose the brand" in before
    assert 'value="coffee"' in before
    assert 'value="books"' not in before
    assert "Show my certificate" in after
    row.refresh_from_db()
    assert (row.status, row.gift_id, row.shown_at) == ("issued", coffee.pk, None)
    refused = browser().post(path_of(row), {"brand": "books"})
    assert (refused.status_code, "chosen already" in refused.content.decode()) == (409, True)


def test_pin_and_pdf_of_the_provider_are_shown(row):
    details = {
        "pin": sealing.seal(schema="t_acme", kind=settling.PIN_SEALED_AS, value="0042"),
        "pdf": sealing.seal(schema="t_acme", kind=settling.PDF_SEALED_AS, value="https://example.com/a.pdf"),
    }
    Entitlement.objects.update(details=details)

    text = browser().post(path_of(row)).content.decode()

    assert "0042" in text
    assert 'href="https://example.com/a.pdf"' in text


def test_what_is_no_certificate_has_no_page(row):
    Entitlement.objects.update(kind="discount")

    assert browser().get(path_of(row)).status_code == 404
