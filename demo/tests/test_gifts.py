import io

import pytest
from PIL import Image

from core.db import transaction
from demo import gifts, pictures, shopping
from demo.client import Client
from rewards import assets
from rewards.certificates import stock
from rewards.models import Account, Gift, Level
from tests.cast import NOON


@pytest.fixture
def made(acme, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with transaction():
        gifts.make(at=NOON)


@pytest.mark.usefixtures("made")
def test_there_is_one_of_every_kind_and_a_ladder():
    assert set(Gift.objects.values_list("kind", flat=True)) == set(Gift.Kind.values)
    assert [level.name for level in Level.objects.order_by("threshold")] == ["Listener", "Collector", "Curator"]
    assert {line.kind for line in assets.lines().values()} == {"points", "money", "spin"}
    assert Account.objects.filter(member=None, asset__code="cash").count() == 5


@pytest.mark.usefixtures("made")
def test_each_denomination_of_a_brand_has_codes():
    cafe = Gift.objects.get(code="blue-room-cafe")

    assert stock.free(cafe, at=NOON) == {1_000: 30, 2_500: 30}


@pytest.mark.usefixtures("made")
def test_what_members_wish_for_is_in_the_catalogue():
    for wish in shopping.WISHES:
        assert Gift.objects.get(code=wish).price is not None


def test_a_picture_is_the_same_each_time_and_no_large_one():
    drawn = pictures.gift("Sticker pack")

    assert drawn == pictures.gift("Sticker pack")
    assert len(drawn) < 20_000
    assert Image.open(io.BytesIO(drawn)).size == (480, 320)


def test_a_story_hands_its_number_on():
    told = []

    class Told(Client):
        def tell(self, path, body):
            told.append((path, body.get("member", "")))
            return {"id": 41}

    richest = {f"anna-{number}": 1_000 for number in range(shopping.BUYERS_MAX + 1)}
    shopping.shop(client=Told(address="", key=""), holders=richest)

    assert told[shopping.BUYERS_MAX : shopping.BUYERS_MAX + 2] == [
        ("/api/v1/redemptions", f"anna-{shopping.BUYERS_MAX}"),
        ("/api/v1/redemptions/41/capture", ""),
    ]
    assert len(told) == shopping.BUYERS_MAX + 2 + 2
