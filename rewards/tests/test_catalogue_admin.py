from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from core.db import transaction
from rewards import ledger, reservations
from rewards.models import Asset, Entitlement, Gift, Level, Redemption
from rewards.reservations import Wanted
from rewards.tests.selling import ADDRESS, BOT, buy, earn, put_on_sale
from rewards.tests.stage import NOON
from tenants.staff.models import AuditEntry
from tests.people import browser_of, staff_of

GIFTS, REDEMPTIONS = "/admin/rewards/gift/", "/admin/rewards/redemption/"
PARCELS = f"{REDEMPTIONS}fulfilment/"


@pytest.fixture
def marta(acme):
    return browser_of(staff_of("marketer"))


def painted():
    found = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(found, "PNG")
    return SimpleUploadedFile("my mug.jpg", found.getvalue(), content_type="image/png")


def filled_in(**told):
    points = Asset.objects.get(code="points").pk
    return {"name": "Mug", "code": "mug", "is_active": "on", "asset": points, "price": 100, "position": 0, **told}


def add(browser, kind, **told):
    return browser.post(f"{GIFTS}add/?kind={kind}", filled_in(**told))


def errors_of(response):
    return {name: [str(each) for each in found] for name, found in response.context["adminform"].form.errors.items()}


# Adding


def test_somebody_who_adds_a_gift_says_first_of_which_kind(marta):
    page = marta.get(f"{GIFTS}add/").content.decode()

    assert [f"?kind={kind}" in page for kind in Gift.Kind.values] == [True] * 6


@pytest.mark.parametrize(
    ("kind", "told", "terms"),
    [
        ("product", {"needs_address": "on"}, {"needs_address": True}),
        ("privilege", {"privilege_days": 30}, {"days": 30}),
        ("content", {"content_url": "https://example.com/a"}, {"url": "https://example.com/a"}),
        (
            "discount",
            {
                "discount_type": "percent",
                "discount_percent": "12.5",
                "discount_order_min": "1000",
                "discount_days": 60,
                "discount_pattern": "mug-####-????-##",
            },
            {
                "type": "percent",
                "rate_bps": 1250,
                "order_min_minor": 100_000,
                "valid_days": 60,
                "pattern": "MUG-####-????-##",
            },
        ),
        (
            "discount",
            {"discount_type": "sum", "discount_amount": "50.50"},
            {"type": "sum", "amount_minor": 5050, "order_min_minor": None, "valid_days": None, "pattern": ""},
        ),
        (
            "certificate",
            {"denominations": "500; 1 000,50", "certificate_days": 365, "barcode": "code128", "sold": "500"},
            {
                "denominations": [50_000, 100_050],
                "valid_days": 365,
                "providers": [],
                "barcode": "code128",
                "sold_minor": 50_000,
            },
        ),
    ],
)
def test_each_kind_keeps_its_own_terms(marta, kind, told, terms):
    response = add(marta, kind, **told)

    gift = Gift.objects.get()
    assert (response.status_code, gift.kind, gift.terms, gift.price) == (302, kind, terms, 100)
    page = marta.get(f"{GIFTS}{gift.pk}/change/")
    assert page.status_code == 200
    form = page.context["adminform"].form
    shown = {name: form.initial[name] for name in told if name in form.initial}
    saved = marta.post(
        f"{GIFTS}{gift.pk}/change/", {**filled_in(), **{k: v for k, v in shown.items() if v is not None}}
    )
    gift.refresh_from_db()
    assert (saved.status_code, gift.terms) == (302, terms)
    assert AuditEntry.objects.filter(action="gift.added").count() == 1


def test_a_pool_chooses_among_brands(marta):
    for code in ("cafe", "cinema"):
        Gift.objects.create(code=code, kind="certificate", name=code, terms={"denominations": [50_000]})

    add(marta, "pool", brands=["cafe", "cinema"], sold="500")

    assert Gift.objects.get(kind="pool").terms == {"brands": ["cafe", "cinema"], "sold_minor": 50_000}


@pytest.mark.parametrize(
    ("kind", "told", "field"),
    [
        ("product", {"price": -1}, "price"),
        ("product", {"asset": ""}, "asset"),
        ("product", {"stock": -1}, "stock"),
        ("product", {"per_member": 0}, "per_member"),
        ("product", {"code": "Mug!"}, "__all__"),
        (
            "product",
            {
                "available_from_0": "2026-03-02",
                "available_from_1": "10:00",
                "available_to_0": "2026-03-01",
                "available_to_1": "10:00",
            },
            "available_to",
        ),
        ("product", {"picture": SimpleUploadedFile("a.png", b"<svg/>")}, "picture"),
        ("discount", {"discount_type": "percent"}, "discount_percent"),
        ("discount", {"discount_type": "sum"}, "discount_amount"),
        ("discount", {"discount_type": "free_delivery", "discount_pattern": "A-##"}, "discount_pattern"),
        ("certificate", {"denominations": "5; x", "barcode": "qr"}, "denominations"),
        ("certificate", {"denominations": "500", "barcode": "qr", "sold": "400"}, "sold"),
        ("certificate", {"denominations": "", "barcode": "qr"}, "denominations"),
        ("pool", {}, "brands"),
        ("content", {"content_url": "javascript:alert(1)"}, "content_url"),
        ("privilege", {"privilege_days": 0}, "privilege_days"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(marta, kind, told, field):
    response = add(marta, kind, **told)

    assert (response.status_code, [*errors_of(response)]) == (200, [field])
    assert not Gift.objects.exists()


def test_prices_by_level_and_an_audience_are_kept(marta):
    for code, threshold in (("silver", 100), ("gold", 200)):
        Level.objects.create(code=code, name=code.title(), threshold=threshold)

    told = {"price_on_silver": "", "price_on_gold": 0, "audience_levels": ["gold"], "orders_min": 1, "invited": "yes"}
    add(marta, "product", **told)

    gift = Gift.objects.get()
    assert gift.prices == {"gold": 0}
    assert gift.audience == {
        "levels": ["gold"],
        "conditions": [
            {"field": "member.orders", "operator": "at_least", "value": 1},
            {"field": "member.invited", "operator": "is", "value": True},
        ],
    }
    form = marta.get(f"{GIFTS}{gift.pk}/change/").context["adminform"].form
    assert {name: form.initial[name] for name in ("price_on_gold", "orders_min", "invited", "audience_levels")} == {
        "price_on_gold": 0,
        "orders_min": 1,
        "invited": "yes",
        "audience_levels": ["gold"],
    }


def test_an_audience_that_the_form_cannot_say_is_kept(marta):
    row = {"field": "member.days", "operator": "equals", "value": 7}
    gift = put_on_sale(code="mug", audience={"conditions": [row]})

    marta.post(f"{GIFTS}{gift.pk}/change/", filled_in())

    gift.refresh_from_db()
    assert gift.audience == {"conditions": [row]}


def test_a_picture_is_stored_under_another_name_than_it_came_with(marta):
    add(marta, "product", picture=painted())

    name = Gift.objects.get().picture.name
    assert (name.startswith("gifts/product"), name.endswith(".png")) == (True, True)


def test_pieces_bought_while_the_form_was_open_stay_bought(marta, scene, anna):
    earn(anna, 300)
    mug = put_on_sale(code="mug", stock=10)
    buy(anna, mug)
    buy(anna, mug)

    marta.post(f"{GIFTS}{mug.pk}/change/", filled_in(stock=10, stock_seen=10))
    assert Gift.objects.get().stock == 8
    marta.post(f"{GIFTS}{mug.pk}/change/", filled_in(stock=15, stock_seen=10))
    assert Gift.objects.get().stock == 13


def test_the_code_of_a_gift_stays(marta):
    gift = put_on_sale(code="mug")

    marta.post(f"{GIFTS}{gift.pk}/change/", filled_in(code="cup"))

    assert Gift.objects.get().code == "mug"


# The list


def test_the_list_tells_of_each_gift_what_is_left_and_sold(marta, scene, anna):
    earn(anna, 100)
    mug = put_on_sale(stock=3, low_stock=5)
    buy(anna, mug)
    put_on_sale(name="A chat", kind="privilege", terms={}, price=None)

    page = marta.get(GIFTS).content.decode()

    assert "Mug" in page
    assert "mark-bad" in page
    assert "A chat" in page
    assert "A chat" not in marta.get(f"{GIFTS}?show=low").content.decode()
    assert "A chat" not in marta.get(f"{GIFTS}?show=catalogue").content.decode()
    assert "A chat" in marta.get(f"{GIFTS}?show=given").content.decode()


def test_a_page_of_gifts_takes_as_many_statements_however_many_there_are(marta, scene, django_assert_max_num_queries):
    for _ in range(12):
        put_on_sale(stock=3)

    with django_assert_max_num_queries(40):
        marta.get(GIFTS)


def test_a_copy_is_another_gift_that_is_not_in_use(marta):
    gift = put_on_sale(code="mug", stock=3)

    response = marta.post(f"{GIFTS}{gift.pk}/copy/")

    copy = Gift.objects.exclude(pk=gift.pk).get()
    assert response.headers["Location"] == f"{GIFTS}{copy.pk}/change/"
    assert (copy.code, copy.name, copy.is_active, copy.price, copy.stock) == ("mug-2", "Mug (copy)", False, 100, 3)
    assert AuditEntry.objects.get().action == "gift.copied"


def test_the_export_has_no_formulas(marta):
    put_on_sale(code="mug", name="=HYPERLINK(1)")

    answer = marta.post(f"{GIFTS}export/")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "mug,product,'=HYPERLINK(1),points,100,,0,0,1" in answer.content.decode()


# Purchases


def test_a_purchase_is_called_off_with_a_reason(marta, scene, anna):
    earn(anna, 100)
    made = buy(anna, put_on_sale(stock=1))
    path = f"{REDEMPTIONS}{made.pk}/call-off/"

    asked = marta.post(path)
    assert (asked.status_code, "Call the purchase" in asked.content.decode()) == (200, True)
    assert Redemption.objects.get().status == "captured"
    done = marta.post(path, {"reason": "Broken"})

    assert (done.status_code, Redemption.objects.get().status, Redemption.objects.get().note) == (
        302,
        "returned",
        "Broken",
    )
    assert ledger.balance_of(member_id=anna.pk) == 100


def test_the_lists_and_pages_of_purchases_and_orders_open(marta, scene, anna):
    earn(anna, 200)
    made = buy(anna, put_on_sale(name="Mug with a view"))
    with transaction():
        wanted = Wanted(key="o", member_id=anna.pk, amount=10, order_number="ord-1001")
        held = reservations.reserve(wanted=wanted, actor=BOT, at=NOON)

    assert "Mug with a view" in marta.get(REDEMPTIONS).content.decode()
    orders = marta.get(f"{REDEMPTIONS}?show=orders").content.decode()
    assert "ord-1001" in orders
    assert "Mug with a view</a>" not in orders
    assert [marta.get(f"{REDEMPTIONS}{each.pk}/change/").status_code for each in (made, held)] == [200, 200]
    marta.post(f"{REDEMPTIONS}{held.pk}/release/")
    held.refresh_from_db()
    assert (held.status, AuditEntry.objects.get().action) == ("released", "redemption.released")


# Parcels


@pytest.fixture
def parcel(scene, anna):
    earn(anna, 100)
    buy(anna, put_on_sale(stock=1, terms={"needs_address": True}), address=ADDRESS)
    return Entitlement.objects.get()


@pytest.mark.parametrize(
    ("role", "sees"), [("admin", True), ("marketer", True), ("moderator", True), ("analyst", False)]
)
def test_where_somebody_lives_is_shown_to_those_who_need_it(parcel, role, sees):
    page = browser_of(staff_of(role)).get(PARCELS)

    assert (page.status_code, "Tverskaya" in page.content.decode()) == (200, sees)


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_who_only_looks_changes_nothing(parcel, role):
    browser = browser_of(staff_of(role))
    gift, made = Gift.objects.get(), Redemption.objects.get()
    paths = [
        f"{PARCELS}sent/",
        f"{PARCELS}delivered/",
        f"{PARCELS}{parcel.pk}/call-off/",
        f"{PARCELS}{parcel.pk}/came-back/",
        f"{PARCELS}export/",
        f"{REDEMPTIONS}{made.pk}/call-off/",
        f"{REDEMPTIONS}{made.pk}/release/",
        f"{GIFTS}{gift.pk}/copy/",
        f"{GIFTS}{gift.pk}/change/",
        f"{GIFTS}add/?kind=product",
    ]

    statuses = [browser.post(path, {"parcel": parcel.pk, "reason": "x"}).status_code for path in paths]

    assert statuses == [403] * len(paths)
    parcel.refresh_from_db()
    assert (parcel.status, Gift.objects.count(), Redemption.objects.get().status) == ("placed", 1, "captured")


def test_a_parcel_is_sent_and_delivered_from_the_queue(marta, parcel):
    told = {"parcel": parcel.pk, "partner": "Post", "tracking": "RA1", "note": ""}

    marta.post(f"{PARCELS}sent/", told)
    page = marta.get(f"{PARCELS}?show=sent").content.decode()
    marta.post(f"{PARCELS}delivered/", {"parcel": parcel.pk})

    parcel.refresh_from_db()
    assert ("RA1" in page, parcel.status, parcel.details["partner"]) == (True, "delivered", "Post")


def test_many_parcels_are_sent_at_once(marta, scene, anna, parcel):
    earn(anna, 100)
    buy(anna, put_on_sale())
    ids = [*Entitlement.objects.values_list("pk", flat=True)]

    marta.post(f"{PARCELS}sent/", {"parcel": [*ids, "x", "9" * 30], "partner": "Courier"})

    assert [*Entitlement.objects.values_list("status", "details__partner")] == [("sent", "Courier")] * 2


def test_a_parcel_is_called_off_or_comes_back_from_the_queue(marta, parcel, anna):
    marta.post(f"{PARCELS}sent/", {"parcel": parcel.pk})
    marta.post(f"{PARCELS}{parcel.pk}/call-off/", {"reason": "Too late"})
    parcel.refresh_from_db()
    assert parcel.status == "sent"

    marta.post(f"{PARCELS}{parcel.pk}/came-back/", {"reason": "Nobody at home"})

    parcel.refresh_from_db()
    assert (parcel.status, parcel.ended_why) == ("cancelled", "Nobody at home")
    assert ledger.balance_of(member_id=anna.pk) == 100
    assert "Nobody at home" in marta.get(f"{PARCELS}?show=cancelled").content.decode()


def test_the_export_of_the_queue_is_in_the_audit_log(marta, parcel):
    answer = marta.post(f"{PARCELS}export/", {"show": "placed"})

    assert "Tverskaya 1, flat 2" in answer.content.decode()
    assert [*AuditEntry.objects.values_list("action", flat=True)] == ["parcel.exported"]


def test_a_discounts_period_and_a_low_stock_are_seen_in_the_list(marta):
    put_on_sale(available_from=NOON - timedelta(days=30), available_to=NOON - timedelta(days=1))

    assert "Not on sale now" in marta.get(GIFTS).content.decode()


def test_a_gift_is_never_deleted_because_campaigns_name_it(acme, scene):
    gift = put_on_sale()
    admin = browser_of(staff_of("admin"))

    assert admin.post(f"{GIFTS}{gift.pk}/delete/", {"post": "yes"}).status_code == 403

    assert Gift.objects.filter(pk=gift.pk).exists()
