"""What a key in the source of a page may read: what is on offer, and nothing of anybody."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rewards.models import Level
from rewards.tests.selling import put_on_sale
from tests.programs import program_of

pytestmark = pytest.mark.django_db
CATALOGUE = "/api/v1/catalogue"


@pytest.fixture
def page(acme):
    return program_of(acme, "public:read")


def test_a_page_shows_the_ladder(page, acme):
    Level.objects.create(code="gold", name="Gold", threshold=500)

    assert [each["code"] for each in page.get("/api/v1/levels").json()["levels"]] == ["gold"]


def test_a_page_shows_the_catalogue(page, scene):
    put_on_sale(code="mug")

    assert [each["code"] for each in page.get(CATALOGUE).json()["data"]] == ["mug"]
    assert page.get(f"{CATALOGUE}/mug").json()["price"] == 100


def test_a_page_learns_that_a_gift_is_sold_out_and_not_how_many_are_left(page, scene, acme):
    put_on_sale(code="mug", stock=7)
    put_on_sale(code="cap", stock=0)

    found = {each["code"]: each for each in page.get(CATALOGUE).json()["data"]}

    assert {code: gift["left"] for code, gift in found.items()} == {"mug": None, "cap": None}
    assert {code: gift["available"] for code, gift in found.items()} == {"mug": True, "cap": False}
    assert found["cap"]["why_not"]["code"] == "sold_out"
    assert page.get(f"{CATALOGUE}/mug").json()["left"] is None
    shop = program_of(acme, "rewards:read", "public:read")
    assert [each["left"] for each in shop.get(CATALOGUE).json()["data"]] == [7, 0]


def test_a_page_sees_what_is_on_now_and_neither_what_begins_later_nor_what_is_over(page, scene, acme):
    hour, at = timedelta(hours=1), timezone.now()
    put_on_sale(code="now", available_from=at - hour, available_to=at + hour)
    put_on_sale(code="later", available_from=at + hour)
    put_on_sale(code="over", available_to=at - hour)
    shop = program_of(acme, "rewards:read")

    assert [each["code"] for each in page.get(CATALOGUE).json()["data"]] == ["now"]
    assert [page.get(f"{CATALOGUE}/{code}").status_code for code in ("now", "later", "over")] == [200, 404, 404]
    assert page.get(f"{CATALOGUE}/later").json()["code"] == "unknown_gift"
    assert [each["code"] for each in shop.get(CATALOGUE).json()["data"]] == ["now", "later", "over"]


@pytest.mark.parametrize("path", ["", "/mug"])
def test_a_page_learns_nothing_of_a_member(page, scene, anna, path):
    put_on_sale(code="mug")

    answer = page.get(f"{CATALOGUE}{path}", member="anna")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert answer.json()["required_scope"] == "rewards:read"
    assert "missing" not in answer.json()
