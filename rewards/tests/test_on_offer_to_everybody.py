"""What a key in the source of a page may read: what is on offer, and nothing of anybody."""

import pytest

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


@pytest.mark.parametrize("path", ["", "/mug"])
def test_a_page_learns_nothing_of_a_member(page, scene, anna, path):
    put_on_sale(code="mug")

    answer = page.get(f"{CATALOGUE}{path}", member="anna")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert answer.json()["required_scope"] == "rewards:read"
    assert "missing" not in answer.json()
