"""What each kind of reward says of itself: choices, amounts, problems, words."""

import inspect
from importlib import import_module

import pytest
from django.conf import settings

from campaigns import giving
from campaigns.giving import Ask
from rewards.models import Asset, Gift, StockCode
from tests.things import make_provider, make_things, stock

pytestmark = pytest.mark.django_db

KINDS = [*settings.REWARD_KINDS]


@pytest.fixture(autouse=True)
def things(acme):
    """Give one of everything."""
    return make_things()


def says(kind, what, amount=1):
    return giving.words(kind=kind, what=what, amount=amount)


def wrong(kind, what, amount=1):
    return giving.problem(kind=kind, what=what, amount=amount)


def advice(kind, what, amount=1):
    return list(giving.advice(kind=kind, what=what, amount=amount))


def test_what_can_be_given_is_grouped_by_kind():
    assert giving.choices() == [
        ("Points and assets", [("points:", "Points"), ("points:stars", "Stars")]),
        ("Money", [("money:cash", "Cash (RUB)")]),
        ("Spins and tickets", [("spin:spin", "Spins"), ("spin:gold", "Gold draw")]),
        (
            "Certificates",
            [
                ("certificate:books", "Books"),
                ("certificate:coffee", "Coffee House"),
                ("certificate:any", "Presents: of the member's choice"),
            ],
        ),
        ("Discounts", [("discount:tenth", "Tenth (10% off)")]),
        ("Privileges", [("privilege:vip", "VIP chat")]),
        ("Products", [("product:stickers", "Sticker pack")]),
        ("Content", [("content:notes", "Notes")]),
    ]


def test_what_is_not_in_use_is_no_choice_and_an_empty_kind_no_group():
    Asset.objects.filter(code="stars").update(is_active=False)
    Gift.objects.exclude(code="vip").update(is_active=False)

    assert giving.choices()[0] == ("Points and assets", [("points:", "Points")])
    assert [label for label, _group in giving.choices()] == [
        "Points and assets",
        "Money",
        "Spins and tickets",
        "Privileges",
    ]


@pytest.mark.parametrize(
    ("kind", "what", "amount", "words"),
    [
        ("points", "", 500, "500 points"),
        ("points", "points", 1, "1 point"),
        ("points", "stars", 1_500, "1,500 (Stars)"),
        ("money", "cash", 125_050, "RUB\N{NO-BREAK SPACE}1,250.50"),
        ("money", "cash", 125_000, "RUB\N{NO-BREAK SPACE}1,250"),
        ("spin", "spin", 1, "1 spin"),
        ("spin", "spin", 3, "3 spins"),
        ("spin", "gold", 2, "2 tickets of “Gold draw”"),
        ("certificate", "coffee", 50_000, "a certificate of Coffee House for RUB\N{NO-BREAK SPACE}500"),
        ("certificate", "any", 100_000, "a certificate for RUB\N{NO-BREAK SPACE}1,000 of a brand of their choice"),
        ("discount", "tenth", 1, "a discount code: 10% off"),
        ("privilege", "vip", 1, "the privilege “VIP chat” for 30 days"),
        ("product", "stickers", 1, "“Sticker pack”"),
        ("content", "notes", 1, "access to “Notes”"),
        ("product", "gone", 1, "“gone”"),
        ("points", "gone", 7, "7 (gone)"),
        ("moon", "dust", 7, "7"),
    ],
)
def test_it_is_said_as_a_part_of_a_sentence(kind, what, amount, words):
    assert says(kind, what, amount) == words


def test_an_asset_with_digits_is_read_with_its_point():
    Asset.objects.filter(code__in=["points", "stars"]).update(scale=2)

    assert (says("points", "", 1_250), says("points", "stars", 1_200)) == ("12.50 (Points)", "12 (Stars)")
    assert giving.ask(kind="points", what="") == Ask("Points", 2)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"type": "sum", "amount_minor": 30_000}, "a discount code: RUB\N{NO-BREAK SPACE}300 off"),
        ({"type": "free_delivery"}, "a discount code: free delivery"),
        ({}, "a discount code: Tenth"),
    ],
)
def test_a_discount_says_what_it_is_worth(terms, words):
    Gift.objects.filter(code="tenth").update(terms=terms)

    assert says("discount", "tenth") == words


def test_a_privilege_without_days_is_for_ever():
    Gift.objects.filter(code="vip").update(terms={"days": None})

    assert says("privilege", "vip") == "the privilege “VIP chat”"


@pytest.mark.parametrize(
    ("kind", "what", "asked"),
    [
        ("points", "", Ask("Points")),
        ("points", "stars", Ask("Stars")),
        ("money", "cash", Ask("Amount, RUB", 2)),
        ("spin", "gold", Ask("How many")),
        ("certificate", "coffee", Ask("For how much, RUB", 2, (50_000, 100_000))),
        ("certificate", "any", Ask("For how much, RUB", 2, (50_000, 100_000))),
        ("discount", "tenth", None),
        ("privilege", "vip", None),
        ("product", "stickers", None),
        ("content", "notes", None),
    ],
)
def test_an_amount_is_asked_for_where_there_is_one(kind, what, asked):
    assert giving.ask(kind=kind, what=what) == asked


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_or_not_in_use_is_a_problem(kind, things):
    [(_label, group)] = [each for each in giving.choices() if each[1][0][0].startswith(f"{kind}:")]
    what = giving.split(group[0][0])[1]
    amount = 50_000 if kind == "certificate" and what == "coffee" else 100_000 if kind == "certificate" else 1
    assert wrong(kind, what, amount) is None

    Asset.objects.update(is_active=False)
    Gift.objects.update(is_active=False)

    named = "asset" if giving.is_counted(kind) else "gift"
    assert wrong(kind, "gone") == f"There is no {named} “gone”: choose another."
    name = things[what].name if what else "Points"
    assert wrong(kind, what, amount) == f"“{name}” is not in use: switch the {named} on, or choose another."


@pytest.mark.parametrize(
    ("kind", "what", "amount", "problem"),
    [
        ("points", "", 0, "How many? At least the smallest part of one."),
        ("points", "cash", 1, "There is no asset “cash”: choose another."),
        ("product", "vip", 1, "There is no gift “vip”: choose another."),
        ("product", "stickers", 2, "Of “Sticker pack” one is given at a time: the amount is 1."),
        (
            "certificate",
            "coffee",
            70_000,
            "Offered are RUB\N{NO-BREAK SPACE}500 and RUB\N{NO-BREAK SPACE}1,000.",
        ),
        ("certificate", "books", 50_000, "Offered are RUB\N{NO-BREAK SPACE}1,000."),
        ("moon", "", 1, "There is no such kind of reward: choose another."),
    ],
)
def test_a_wrong_choice_is_told_what_to_do(kind, what, amount, problem):
    assert wrong(kind, what, amount) == problem


def test_a_brand_needs_denominations_and_a_pool_brands():
    Gift.objects.filter(code="books").update(terms={})
    assert wrong("certificate", "books", 1) == "“Books” has no denominations: say first what there is."

    Gift.objects.filter(code__in=["books", "coffee"]).update(is_active=False)
    assert wrong("certificate", "any", 50_000) == "“Presents” has no brand in use: put one into it."


def test_a_certificate_without_codes_or_a_provider_will_wait():
    StockCode.objects.all().delete()
    waits = (
        "There are no codes in stock and no provider for a certificate of Coffee House for RUB\N{NO-BREAK SPACE}500: "
        "it will wait for them."
    )
    assert advice("certificate", "coffee", 50_000) == [waits]
    assert len(advice("certificate", "any", 100_000)) == 1

    provider = make_provider()
    Gift.objects.filter(code="coffee").update(terms={"denominations": [50_000, 100_000], "providers": ["giftery"]})
    assert advice("certificate", "coffee", 50_000) == []
    assert advice("certificate", "any", 100_000) == []

    provider.is_active = False
    provider.save()
    assert advice("certificate", "coffee", 50_000) == [waits]


def test_a_code_of_another_denomination_does_not_help(things):
    StockCode.objects.filter(gift=things["coffee"], value_minor=50_000).delete()

    assert len(advice("certificate", "coffee", 50_000)) == 1
    assert advice("certificate", "coffee", 100_000) == []


def test_a_discount_without_a_pattern_needs_codes(things):
    Gift.objects.filter(code="tenth").update(terms={"type": "percent", "rate_bps": 1_000, "pattern": ""})
    assert advice("discount", "tenth") == ["“Tenth” has no pattern and no codes in stock: it will wait for them."]

    stock(things["tenth"])
    assert advice("discount", "tenth") == []


def test_an_empty_shelf_and_empty_content_are_pointed_out():
    Gift.objects.filter(code="stickers").update(stock=0)
    Gift.objects.filter(code="notes").update(terms={})

    assert advice("product", "stickers") == ["Of “Sticker pack” there are no pieces left."]
    assert advice("content", "notes") == ["“Notes” has neither a file nor an address yet."]


def test_only_an_asset_may_be_owed():
    Asset.objects.filter(code="stars").update(may_owe=True)

    assert giving.may_owe(kind="points", what="stars")
    assert not giving.may_owe(kind="points", what="")
    assert not giving.may_owe(kind="product", what="stickers")


def test_what_there_is_is_read_once(django_assert_max_num_queries):
    with django_assert_max_num_queries(2), giving.at_hand():
        for _time in range(3):
            giving.choices()
            says("product", "stickers")


def test_what_was_at_hand_is_forgotten():
    with giving.at_hand():
        assert says("product", "stickers") == "“Sticker pack”"
    Gift.objects.filter(code="stickers").update(name="Badge")

    assert says("product", "stickers") == "“Badge”"


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_look_alike(kind):
    module = import_module(f"{settings.REWARD_KINDS[kind]}.terms")
    protocol = {name for name, _member in inspect.getmembers(giving.Terms, inspect.isfunction) if name[0] != "_"}

    assert module.__name__ == f"rewards.kinds.{kind}.terms"
    for name in protocol:
        told = inspect.signature(getattr(module.TERMS, name))
        assert [*told.parameters] == [*inspect.signature(getattr(giving.Terms, name)).parameters][1:]
