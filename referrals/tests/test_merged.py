"""Of two members who are one, codes and referrals are the one's who stayed."""

import pytest

from core.db import transaction
from members import merging, people
from referrals import codes
from tests.cast import NOON, Shop
from tests.programs import program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(acme) -> Shop:
    """Anna and Ann are one: Ines brought Ann, Ann brought Boris, Boris brought Gleb, and Anna brought Vera."""
    shop = Shop()
    shop.joins("ines")
    shop.joins("anna")
    shop.joins("ann", invited_by="ines")
    shop.joins("boris", invited_by="ann")
    shop.joins("gleb", invited_by="boris")
    shop.joins("vera", invited_by="anna")
    with transaction():
        codes.choose(member_id=shop.id_of("ann"), text="ANN26", key="bot", at=NOON)
    return shop


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:read", "members:write", "exports:read")


def merge(into: str, away: str) -> None:
    with transaction():
        merging.merge(
            into=people.get_by_external_id(into),
            away=people.get_by_external_id(away),
            actor_kind="key",
            actor="bot",
            at=NOON,
        )


def test_the_one_who_stayed_has_the_codes_of_both_and_shares_the_chosen_one(shop, bot):
    own, other = shop.code_of("anna"), codes.list_of(member_id=shop.id_of("ann"))[1].text

    merge("anna", "ann")

    told = bot.get("/api/v1/members/anna/code").json()
    assert [each["code"] for each in told["codes"]] == ["ANN26", own, other]
    assert bot.put({"code": "ann26"}, "/api/v1/members/anna/code").json()["code"] == "ANN26"
    assert shop.joins("late", code=other).trace[0]["code"] == "referred"


def test_the_one_who_stayed_has_brought_the_friends_of_both(shop, bot):
    merge("anna", "ann")

    lists = ["/api/v1/members/anna/referrals", "/api/v1/referrals?inviter=anna"]

    for address in lists:
        found = bot.get(address).json()["data"]
        assert [(each["inviter"], each["invitee"]) for each in found] == [("anna", "vera"), ("anna", "boris")]


def test_the_tree_goes_through_them(shop, bot):
    merge("anna", "ann")

    found = bot.get("/api/v1/members/ines/referrals/tree").json()

    number = {name: shop.id_of(name) for name in ("ines", "anna", "boris")}
    assert [(each["depth"], each["inviter_id"], each["invitee"]) for each in found["nodes"]] == [
        (1, number["ines"], "anna"),
        (2, number["anna"], "boris"),
        (2, number["anna"], "vera"),
        (3, number["boris"], "gleb"),
    ]


def test_the_one_who_stayed_was_invited_by_whoever_invited_the_other(shop, bot):
    merge("anna", "ann")

    assert bot.get("/api/v1/members/anna/inviter").json()["referral"]["inviter"] == "ines"


def test_of_two_who_were_merged_neither_has_invited_the_other(shop, bot):
    merge("ines", "ann")

    assert bot.get("/api/v1/members/ines/inviter").json() == {"referral": None}
    found = bot.get("/api/v1/members/ines/referrals/tree").json()["nodes"]
    assert [(each["depth"], each["invitee"]) for each in found] == [(1, "boris"), (2, "gleb")]


def test_the_export_tells_of_both(shop, bot):
    numbers = [shop.id_of("anna"), shop.id_of("ann")]
    merge("anna", "ann")

    told = b"".join(bot.get("/api/v1/members/anna/export")).decode()

    assert [f'"id":{number},"status"' in told for number in numbers] == [True, True]
    assert '"value":"ann"' in told
    assert "ANN26" in told
