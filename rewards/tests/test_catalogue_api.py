import pytest

from rewards import ledger
from rewards.models import Entitlement, Level, Redemption, Standing
from rewards.tests.selling import ADDRESS, earn, put_on_sale
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import put
from tenants import context
from tests.programs import program_of

CATALOGUE, PURCHASES, REDEMPTIONS = "/api/v1/catalogue", "/api/v1/purchases", "/api/v1/redemptions"


@pytest.fixture
def bot(acme):
    return program_of(acme, "rewards:read", "redemptions:write")


@pytest.fixture
def mug(scene):
    return put_on_sale(code="mug", stock=3, position=1, description="Holds tea.")


def buy(program, **told):
    return program.post({"member": "anna", "gift": "mug", "key": "k-1", **told}, PURCHASES)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


# The catalogue


def test_the_catalogue_says_what_there_is(bot, mug):
    (item,) = bot.get(CATALOGUE).json()["data"]

    assert item == {
        "code": "mug",
        "kind": "product",
        "name": "Mug",
        "description": "Holds tea.",
        "terms_of_use": "",
        "picture": None,
        "asset": "points",
        "price": 100,
        "usual_price": 100,
        "prices_by_level": {},
        "left": 3,
        "per_member": None,
        "available_from": None,
        "available_until": None,
        "needs_address": False,
        "position": 1,
        "available": True,
        "affordable": None,
        "missing": None,
        "why_not": None,
    }


def test_the_catalogue_tells_a_member_what_it_costs_them_and_why_not(bot, mug, anna):
    level = Level.objects.create(code="gold", name="Gold", threshold=500)
    Standing.objects.create(member=anna, level=level, since=NOON)
    mug.prices = {"gold": 80}
    mug.save()
    earn(anna, 50)

    item = bot.get(f"{CATALOGUE}/mug", member="anna").json()

    assert {name: item[name] for name in ("price", "usual_price", "available", "affordable", "missing")} == {
        "price": 80,
        "usual_price": 100,
        "available": True,
        "affordable": False,
        "missing": 30,
    }
    assert item["why_not"]["code"] == "insufficient_balance"


def test_what_is_sold_out_is_there_and_says_so(bot, mug):
    mug.stock = 0
    mug.save()

    item = bot.get(f"{CATALOGUE}/mug").json()

    assert (item["available"], item["why_not"]["code"]) == (False, "sold_out")


def test_the_catalogue_is_read_in_its_own_order_page_by_page(bot, scene):
    for code, position in (("c", 2), ("a", 0), ("b", 1)):
        put_on_sale(code=code, position=position)
    put_on_sale(code="not-for-sale", price=None)
    put_on_sale(code="out-of-use", is_active=False)

    first = bot.get(CATALOGUE, limit=2).json()
    second = bot.get(CATALOGUE, limit=2, cursor=first["next_cursor"]).json()

    assert [[item["code"] for item in page["data"]] for page in (first, second)] == [["a", "b"], ["c"]]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "YXQ6MQ", "aWQ6MQ", "YXQ6OTk5OTk6MQ"])
def test_a_cursor_that_is_none_is_refused(bot, cursor):
    assert bot.get(CATALOGUE, cursor=cursor).json()["code"] == "invalid_cursor"


def test_the_catalogue_is_asked_for_one_kind(bot, mug):
    put_on_sale(code="chat", kind="privilege", terms={"days": 3})

    assert [item["code"] for item in bot.get(CATALOGUE, kind="privilege").json()["data"]] == ["chat"]


def test_a_gift_that_is_not_there_is_not_found(bot, mug):
    assert bot.get(f"{CATALOGUE}/cup").json()["code"] == "unknown_gift"
    assert bot.get(CATALOGUE, member="nobody").json()["code"] == "unknown_member"


# Purchases


def test_a_purchase_by_api_is_made_and_found(bot, mug, anna):
    earn(anna, 150)

    answer = buy(bot, price=100)

    made = answer.json()
    assert (answer.status_code, made["gift"], made["amount"], made["status"]) == (201, "mug", 100, "captured")
    assert [(item["kind"], item["status"]) for item in made["items"]] == [("product", "placed")]
    assert bot.get(f"{PURCHASES}/{made['id']}").json() == made
    assert bot.get(PURCHASES, member="anna", gift="mug", status="captured", key="k-1").json()["data"] == [made]
    assert bot.get(PURCHASES, member="nobody").json()["data"] == []
    assert (balance_of(anna), Redemption.objects.get().actor[:5]) == (50, "test ")


def test_a_purchase_sent_twice_is_answered_alike(bot, mug, anna):
    earn(anna, 250)

    assert buy(bot).json() == buy(bot).json()
    assert buy(bot, price=100).json()["code"] == "key_reused"
    assert balance_of(anna) == 150


@pytest.mark.parametrize(
    ("columns", "told", "refusal"),
    [
        ({"stock": 0}, {}, (409, "sold_out")),
        ({"price": 151}, {}, (409, "insufficient_balance")),
        ({"audience": {"levels": ["gold"]}}, {}, (403, "not_for_this_member")),
        ({}, {"price": 99}, (409, "price_changed")),
        ({"available_to": NOON}, {}, (409, "not_for_sale")),
        ({}, {"gift": "cup"}, (404, "unknown_gift")),
        ({}, {"member": "nobody"}, (404, "unknown_member")),
        ({"terms": {"needs_address": True}}, {}, (400, "invalid_address")),
        ({}, {"key": ""}, (400, "invalid")),
        ({}, {"price": -1}, (400, "invalid")),
        ({}, {"address": {"name": "Anna"}}, (400, "invalid")),
    ],
)
def test_a_purchase_that_cannot_be_is_refused_and_takes_nothing(bot, mug, anna, columns, told, refusal):
    earn(anna, 150)
    type(mug).objects.filter(pk=mug.pk).update(**columns)

    answer = buy(bot, **told)

    assert (answer.status_code, answer.json()["code"]) == refusal
    assert (balance_of(anna), Redemption.objects.count(), Entitlement.objects.count()) == (150, 0, 0)


def test_a_purchase_never_tells_an_address_again(bot, mug, anna):
    earn(anna, 100)
    type(mug).objects.update(terms={"needs_address": True})

    made = buy(bot, address=ADDRESS)

    assert made.status_code == 201
    assert "Tverskaya" not in made.content.decode() + bot.get(PURCHASES).content.decode()


def test_a_discount_is_told_with_its_code_and_content_with_its_link(bot, scene, anna):
    earn(anna, 200)
    put_on_sale(code="mug", kind="discount", terms={"type": "percent", "rate_bps": 1000, "pattern": "MUG-####"})
    put_on_sale(code="notes", kind="content", terms={"url": "https://example.com/notes"})

    (coupon,), (notes,) = (buy(bot, gift=code, key=code).json()["items"] for code in ("mug", "notes"))

    assert (coupon["code"][:4], coupon["link"]) == ("MUG-", None)
    assert (notes["code"], notes["link"]) == (None, "https://example.com/notes")


def test_a_purchase_is_called_off_by_api(bot, mug, anna):
    earn(anna, 100)
    made = buy(bot).json()

    answer = bot.post({"reason": "Changed her mind"}, f"{PURCHASES}/{made['id']}/cancellation")

    assert (answer.status_code, answer.json()["status"], answer.json()["note"]) == (200, "returned", "Changed her mind")
    assert balance_of(anna) == 100
    assert bot.post({}, f"{PURCHASES}/{made['id']}/cancellation").status_code == 400
    assert bot.post({"reason": "x"}, f"{PURCHASES}/{10**30}/cancellation").status_code == 404


# Orders paid partly with points


def test_an_order_is_quoted_reserved_captured_and_given_back(bot, scene, anna):
    earn(anna, 80)
    asked = {"member": "anna", "amount_minor": 10_000, "currency": "RUB", "share_bps": 5_000}
    quote = bot.post(asked, f"{REDEMPTIONS}/quote").json()
    assert quote == {
        "asset": "points",
        "scale": 0,
        "available": 80,
        "units": 50,
        "worth_minor": 5_000,
        "to_pay_minor": 5_000,
        "currency": "RUB",
    }

    made = bot.post({"member": "anna", "amount": 50, "key": "o-1", "order_id": "1001"}, REDEMPTIONS)
    path = f"{REDEMPTIONS}/{made.json()['id']}"
    captured = bot.post({"amount": 40}, f"{path}/capture").json()
    returned = bot.post({"amount": 15, "key": "refund-1"}, f"{path}/return").json()

    assert (made.status_code, made.json()["status"], made.json()["order_id"]) == (201, "reserved", "1001")
    assert (captured["status"], captured["captured"], captured["given_back"]) == ("captured", 40, 0)
    assert (returned["status"], returned["given_back"]) == ("captured", 15)
    assert bot.get(path).json() == returned
    assert bot.get(REDEMPTIONS, member="anna", order_id="1001", status="captured").json()["data"] == [returned]
    assert balance_of(anna) == 55
    assert ledger.verify() == []


def test_what_was_set_aside_is_released_by_api(bot, scene, anna):
    earn(anna, 80)
    made = bot.post({"member": "anna", "amount": 50, "key": "o-1"}, REDEMPTIONS).json()

    released = bot.post({}, f"{REDEMPTIONS}/{made['id']}/release").json()

    assert (released["status"], balance_of(anna)) == ("released", 80)
    assert bot.post({}, f"{REDEMPTIONS}/{made['id']}/capture").json()["code"] == "not_set_aside"


def test_no_more_is_set_aside_than_there_is(bot, scene, anna):
    earn(anna, 80)

    answer = bot.post({"member": "anna", "amount": 81, "key": "o-1"}, REDEMPTIONS)

    assert (answer.status_code, answer.json()["code"], balance_of(anna)) == (409, "insufficient_balance", 80)


# Who may


READS = [CATALOGUE, f"{CATALOGUE}/mug", PURCHASES, f"{PURCHASES}/1", REDEMPTIONS, f"{REDEMPTIONS}/1"]
WRITES = [
    PURCHASES,
    f"{PURCHASES}/1/cancellation",
    REDEMPTIONS,
    f"{REDEMPTIONS}/quote",
    *(f"{REDEMPTIONS}/1/{verb}" for verb in ("capture", "release", "return")),
]


@pytest.mark.parametrize("path", READS)
def test_reading_needs_its_scope(acme, path):
    assert program_of(acme, "redemptions:write").get(path).json()["code"] == "missing_scope"


@pytest.mark.parametrize("path", WRITES)
def test_writing_needs_its_scope(acme, path):
    assert program_of(acme, "rewards:read").post({}, path).json()["code"] == "missing_scope"


def test_another_tenants_program_finds_and_changes_nothing(bot, bolt, mug, anna):
    earn(anna, 200)
    bought = buy(bot).json()["id"]
    set_aside = bot.post({"member": "anna", "amount": 50, "key": "o-1"}, REDEMPTIONS).json()["id"]
    stranger = program_of(bolt, "rewards:read", "redemptions:write")

    reads = [f"{CATALOGUE}/mug", f"{PURCHASES}/{bought}", f"{REDEMPTIONS}/{set_aside}"]
    assert [stranger.get(path).status_code for path in reads] == [404, 404, 404]
    lists = [stranger.get(path).json()["data"] for path in (CATALOGUE, PURCHASES, REDEMPTIONS)]
    assert lists == [[], [], []]
    answers = [
        stranger.post({"reason": "x"}, f"{PURCHASES}/{bought}/cancellation"),
        stranger.post({}, f"{REDEMPTIONS}/{set_aside}/capture"),
        stranger.post({}, f"{REDEMPTIONS}/{set_aside}/release"),
        stranger.post({"amount": 1, "key": "x"}, f"{REDEMPTIONS}/{set_aside}/return"),
        buy(stranger, key="k-2"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    with context.in_tenant("t_acme"):
        assert sorted(Redemption.objects.values_list("status", flat=True)) == ["captured", "reserved"]
        assert balance_of(anna) == 50


# What a program was told of is out


@pytest.mark.parametrize("kind", ["discount", "content"])
def test_what_a_program_has_seen_is_not_called_off(bot, scene, anna, kind):
    terms = {"discount": {"type": "percent", "rate_bps": 1_000}, "content": {"url": "https://example.com/notes"}}
    gift = put_on_sale(code="once", kind=kind, terms=terms[kind])
    if kind == "discount":
        put(gift, "ONLY-1", value_minor=0)
    earn(anna, 100)
    bought = buy(bot, gift="once").json()
    (item,) = bought["items"]
    assert (item["code"], item["link"]) == (("ONLY-1", None) if kind == "discount" else (None, terms[kind]["url"]))
    assert Entitlement.objects.get().shown_at is not None

    answer = bot.post({"reason": "A mistake"}, f"{PURCHASES}/{bought['id']}/cancellation")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_returnable")
    assert (Entitlement.objects.get().status, balance_of(anna)) == ("issued", 0)


def test_a_code_that_was_called_off_is_told_no_more(bot, scene, anna):
    terms = {"type": "percent", "rate_bps": 1_000, "pattern": "TEA-####-????"}
    put_on_sale(code="tea", kind="discount", terms=terms)
    earn(anna, 100)
    bought = buy(bot, gift="tea").json()
    assert bought["items"][0]["code"].startswith("TEA-")

    ended = bot.post({"reason": "A mistake"}, f"{PURCHASES}/{bought['id']}/cancellation").json()

    assert (ended["status"], ended["items"][0]["status"], ended["items"][0]["code"]) == ("returned", "cancelled", None)
    assert bot.get(PURCHASES).json()["data"][0]["items"][0]["code"] is None
