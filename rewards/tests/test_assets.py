"""What a tenant counts in, and what staff may change of it."""

import pytest

from core.db import savepoint, transaction
from rewards import assets, expiry, ledger
from rewards.models import Account, Asset
from rewards.tests.hands import give
from rewards.tests.stage import NOON
from tenants import context
from tenants.staff.models import AuditEntry
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

KINDS = ["issue", "escrow", "spend", "expiry", "writeoff"]
STARS = {
    "name": "Stars",
    "code": "stars",
    "kind": "points",
    "currency": "",
    "scale": 0,
    "rounding": "down",
    "minor_per_unit": 100,
    "balance_max": "",
    "expiry": "never",
    "expiry_count": "",
    "payout_min": "",
    "is_active": "on",
}


@pytest.fixture
def marta(acme):
    return browser_of(staff_of("marketer"))


def add(browser, **fields):
    return browser.post("/admin/rewards/asset/add/", STARS | fields)


def change(browser, asset, **fields):
    told = {name: getattr(asset, name) for name in STARS} | fields
    told = {name: "" if value is None else value for name, value in told.items()}
    return browser.post(f"/admin/rewards/asset/{asset.pk}/change/", told)


def errors_of(response):
    return {name: [*errors] for name, errors in response.context["adminform"].form.errors.items()}


# Making


def test_a_new_asset_has_all_the_accounts_that_are_posted_to(acme):
    with transaction():
        asset = assets.create(asset=Asset(code="stars", name="Stars"))

    accounts = Account.objects.filter(asset=asset).order_by("pk")
    assert [(each.kind, each.member, each.balance) for each in accounts] == [(kind, None, 0) for kind in KINDS]
    assert assets.lines()[asset.pk].code == "stars"


def test_points_have_them_from_the_beginning(acme, bolt):
    for tenant in (acme, bolt):
        with context.in_tenant(tenant.schema_name):
            found = Account.objects.filter(asset__code="points", member=None).values_list("kind", flat=True)
            assert sorted(found) == sorted(KINDS)


def test_an_asset_is_used_once_something_is_owed_in_it(scene, anna, stars):
    assert not assets.is_used(asset_id=stars.pk)
    scene.owe(anna, asset_id=stars.pk, status="pending")
    assert assets.is_used(asset_id=stars.pk)

    assert not assets.is_used(asset_id=0)
    give(anna, 5)
    assert assets.is_used(asset_id=scene.points.pk)


# Staff


def test_a_marketer_adds_an_asset_that_can_be_posted_at_once(marta, anna):
    assert add(marta, scale=2, expiry="days", expiry_count=30, balance_max=5000).status_code == 302

    asset = Asset.objects.get(code="stars")
    assert (asset.name, asset.scale, asset.expiry, asset.expiry_count, asset.balance_max) == (
        "Stars",
        2,
        "days",
        30,
        5000,
    )
    give(anna, 7, asset="stars")
    assert ledger.balances(member_id=anna.pk) == {"stars": 7}
    assert ledger.verify() == []
    assert AuditEntry.objects.get().action == "asset.added"


def test_money_counts_in_the_smallest_unit_of_its_currency(marta):
    assert add(marta, code="rub", name="Roubles", kind="money", currency="rub", payout_min=10000).status_code == 302
    assert add(marta, code="yen", name="Yen", kind="money", currency="JPY", scale=2).status_code == 302

    found = Asset.objects.filter(kind="money").order_by("pk")
    assert [(each.currency, each.scale, each.payout_min) for each in found] == [("RUB", 2, 10000), ("JPY", 0, None)]


def test_what_does_not_apply_is_cleared(marta):
    add(marta, currency="RUB", payout_min=500, expiry="month_end", expiry_count=9)

    asset = Asset.objects.get(code="stars")
    assert (asset.currency, asset.payout_min, asset.expiry, asset.expiry_count) == ("", None, "month_end", None)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"code": "points"}, {"code": ["Asset with this Code already exists."]}),
        ({"code": "Stars!"}, {"code": ["Small letters, digits and underscores, a letter first."]}),
        ({"code": "_stars"}, {"code": ["Small letters, digits and underscores, a letter first."]}),
        ({"code": "звёзды"}, {"code": ["Small letters, digits and underscores, a letter first."]}),
        ({"kind": "money"}, {"currency": ["Money has a currency, such as RUB, USD or CNY."]}),
        ({"kind": "money", "currency": "XYZ"}, {"currency": ["Money has a currency, such as RUB, USD or CNY."]}),
        ({"scale": 5}, {"scale": ["At most 4."]}),
        ({"minor_per_unit": 0}, {"minor_per_unit": ["At least 1, or empty where it may be."]}),
        ({"balance_max": 0}, {"balance_max": ["At least 1, or empty where it may be."]}),
        ({"balance_max": -5}, {"balance_max": ["At least 1, or empty where it may be."]}),
        ({"expiry": "days"}, {"expiry_count": ["How many days or months?"]}),
        ({"expiry": "idle", "expiry_count": 0}, {"expiry_count": ["At least 1, or empty where it may be."]}),
        (
            {"kind": "money", "currency": "RUB", "payout_min": 0},
            {"payout_min": ["At least 1, or empty where it may be."]},
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_made(marta, fields, wrong):
    response = add(marta, **fields)

    assert (response.status_code, errors_of(response)) == (200, wrong)
    assert Asset.objects.count() == 1
    assert Account.objects.filter(member=None).count() == len(KINDS)


def test_what_amounts_mean_is_settled_once_something_is_owed(marta, anna, stars):
    assert change(marta, stars, scale=2, kind="spin", code="other").status_code == 302
    stars.refresh_from_db()
    assert (stars.code, stars.scale, stars.kind) == ("stars", 2, "spin")

    give(anna, 5, asset="stars")
    assert change(marta, stars, name="Bonuses", scale=0, kind="points").status_code == 302

    stars.refresh_from_db()
    assert (stars.name, stars.scale, stars.kind) == ("Bonuses", 2, "spin")


def test_points_stay_points_and_in_use(marta, scene):
    response = change(marta, scene.points, is_active="", scale=2)

    assert errors_of(response) == {"is_active": ["Points are always in use: campaigns count in them."]}
    assert change(marta, scene.points, name="Bonuses", minor_per_unit=10, scale=2).status_code == 302
    scene.points.refresh_from_db()
    assert (scene.points.name, scene.points.minor_per_unit, scene.points.scale) == ("Bonuses", 10, 0)


def test_a_new_expiry_is_for_what_is_earned_from_then_on(marta, scene, anna):
    give(anna, 100)

    assert change(marta, scene.points, expiry="days", expiry_count=1).status_code == 302

    assert expiry.expire_due(schema="t_acme", limit=10, at=NOON.replace(year=2030)) == 0
    assert ledger.balance_of(member_id=anna.pk) == 100


def test_rest_does_not_begin_to_count_for_what_was_to_stay(marta, scene, anna):
    assert change(marta, scene.points, expiry="idle", expiry_count=90).status_code == 302
    give(anna, 100)

    assert [*errors_of(change(marta, scene.points, expiry="idle", expiry_count=30))] == ["expiry"]
    assert change(marta, scene.points, expiry="idle", expiry_count=120).status_code == 302
    assert change(marta, scene.points, expiry="never", expiry_count="").status_code == 302
    assert [*errors_of(change(marta, scene.points, expiry="idle", expiry_count=365))] == ["expiry"]

    scene.points.refresh_from_db()
    assert (scene.points.expiry, scene.points.expiry_count) == ("never", None)


def test_nobody_deletes_an_asset(acme, stars):
    admin = browser_of(staff_of("admin"))

    assert admin.post(f"/admin/rewards/asset/{stars.pk}/delete/", {"post": "yes"}).status_code == 403

    assert Asset.objects.filter(pk=stars.pk).exists()


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_read(acme, stars, role):
    browser = browser_of(staff_of(role))

    assert browser.get(f"/admin/rewards/asset/{stars.pk}/change/").status_code == 200
    assert add(browser, code="other").status_code == 403
    assert change(browser, stars, name="Mine").status_code == 403

    stars.refresh_from_db()
    assert (stars.name, Asset.objects.count()) == ("Stars", 2)


def test_the_list_says_how_long_each_lives_and_what_it_is_worth(marta, stars):
    for kind, count, words in [
        ("days", 1, "after 1 day"),
        ("months", 6, "after 6 months"),
        ("idle", 90, "after 90 days of rest"),
        ("quarter_end", None, "At the end of the quarter"),
    ]:
        Asset.objects.filter(pk=stars.pk).update(expiry=kind, expiry_count=count, balance_max=1250, scale=2)
        page = marta.get("/admin/rewards/asset/").content.decode()
        assert words in page
        assert "12.50" in page


def test_two_of_one_name_are_refused_whole(acme):
    with transaction(), pytest.raises(Exception, match="rewards_asset_code"), savepoint():
        assets.create(asset=Asset(code="points", name="Again"))

    assert Account.objects.filter(member=None).count() == len(KINDS)
