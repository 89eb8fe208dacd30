"""Wherever a member's own id is told, it is the one they go by now: no former one, and none once they are erased."""

import csv
import io
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from analytics.exports.catalogue import EXPORTS
from antifraud.models import Case
from config.reference import document
from core.db import transaction
from events.models import Event
from members import erasing, merging, people
from members.models import Identity
from referrals.models import Referral
from rewards import payout_sheets
from rewards.actors import Actor
from rewards.models import Adjustment, Asset, Entitlement, Gift, Redemption, Reward
from rewards.tests import gifts, hands
from tenants import keys
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag
from tests.programs import Program, program_of

pytestmark = pytest.mark.django_db

# Of two who are merged, whoever goes comes first in every order.
AWAY, STAYS = "aaron", "zoe"
INVITER, FRIEND = "clara", "max"
ROOT = "/api/v1/"

ADDRESSES = (
    "adjustments",
    "adjustments/{adjustment_id}",
    "cases",
    "cases/{case_id}",
    "certificates",
    "certificates/{certificate_id}",
    "entitlements/{entitlement_id}",
    "events",
    "events/{event_id}",
    "leaderboards/inviters",
    "leaderboards/inviters/{external_id}",
    "members",
    "members/{external_id}",
    "members/{external_id}/entitlements",
    "members/{external_id}/inviter",
    "members/{external_id}/referrals",
    "members/{external_id}/referrals/tree",
    "members/{external_id}/rewards",
    "payouts",
    "payouts/{payout_id}",
    "purchases",
    "purchases/{purchase_id}",
    "redemptions",
    "redemptions/{redemption_id}",
    "referrals",
    "referrals/{referral_id}",
    "rewards",
    "rewards/{reward_id}",
)
# Whoever is erased is found by no id, and stands on no board.
AFTER_ERASURE = tuple(each for each in ADDRESSES if "{external_id}" not in each and "leaderboards" not in each)
BOARD = {"by": "joined", "period": "all"}


@pytest.fixture
def shop(acme) -> Shop:
    make_campaign(rule={"recipient": "both"})
    shop = Shop()
    shop.joins(INVITER)
    return shop


@pytest.fixture
def program(acme) -> Program:
    return program_of(acme, *keys.ALL_SCOPES)


def fill(shop: Shop, who: str) -> dict[str, Any]:
    """Give somebody a row of everything, and return what to ask for."""
    shop.joins({"external_id": who, "card": f"token-{who}"}, invited_by=INVITER)
    shop.pays(who, "500")
    flag(shop, inviter=who, friend=FRIEND)
    member, points = people.get_by_external_id(who), Asset.objects.get(code="points")
    mug = gifts.gift("product", asset=points, price=5)
    brand = Gift.objects.create(code="coffee", kind="certificate", name="Coffee")
    (given,) = gifts.give(gifts.gift("privilege"), member)
    certificate = Entitlement.objects.create(
        key="coffee-1", kind="certificate", gift=brand, member=member, status="waiting", created_at=NOON
    )
    hands.give(member, 100)
    shop.clicks(who)
    usual = {"member": member, "asset": points, "amount": 5}
    adjustment = Adjustment.objects.create(
        key="a-1", reason="Sorry", status="waiting", asked_by="marta", asked_at=NOON, **usual
    )
    spent = {**usual, "created_at": NOON}
    held = Redemption.objects.create(key="r-1", purpose="order", status="reserved", **spent)
    payout = Redemption.objects.create(key="r-2", purpose="payout", status="reserved", **spent)
    bought = Redemption.objects.create(
        key="r-3", purpose="purchase", status="captured", gift=mug, captured=5, settled_at=NOON, **spent
    )
    return {
        "external_id": who,
        "adjustment_id": adjustment.pk,
        "case_id": Case.objects.latest("pk").pk,
        "certificate_id": certificate.pk,
        "entitlement_id": given.pk,
        "event_id": Event.objects.filter(member=member, source="api").latest("pk").pk,
        "payout_id": payout.pk,
        "purchase_id": bought.pk,
        "redemption_id": held.pk,
        "referral_id": Referral.objects.get(inviter=member).pk,
        "reward_id": Reward.objects.filter(member=member).latest("pk").pk,
    }


def merge(away: str, *, into: str) -> None:
    both = people.get_by_external_id(into), people.get_by_external_id(away)
    with transaction():
        merging.merge(into=both[0], away=both[1], actor_kind="staff", actor="marta", at=NOON)
    # Whoever stays comes last in the order of the table, too: what asks for any id of theirs finds the other.
    Identity.objects.filter(lookup=into).update(value=into)


def erase(who: str) -> None:
    with transaction():
        erasing.erase(member=people.get_by_external_id(who), actor_kind="staff", actor="marta", at=NOON)


def ask(program: Program, address: str, values: dict[str, Any]) -> Any:
    # Whom they brought is told of in the tree of whoever brought them.
    values = values | {"external_id": INVITER} if address.endswith("/tree") else values
    query = BOARD if "leaderboards" in address else {}
    answer = program.get(ROOT + address.format(**values), **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


IDS = ("external_id", "member", "inviter", "invitee")


def told_in(answer: Any) -> Iterator[str | None]:
    """Yield every own id of a member that an answer tells."""
    parts = answer.items() if isinstance(answer, dict) else enumerate(answer)
    for name, value in parts:
        if isinstance(value, dict | list):
            yield from told_in(value)
        elif str(name).endswith(IDS):
            yield value


def told_of_them(answer: Any) -> set[str | None]:
    return {*told_in(answer)} - {INVITER, FRIEND}


@pytest.mark.parametrize("address", ADDRESSES)
def test_of_two_who_are_one_the_id_of_whoever_stays_is_told(shop, program, address):
    values = fill(shop, AWAY)
    shop.joins(STAYS)
    merge(AWAY, into=STAYS)

    told = told_of_them(ask(program, address, values))

    # Among the members whoever went has a row of their own still.
    assert told == ({STAYS, None} if address == "members" else {STAYS})


@pytest.mark.parametrize("address", AFTER_ERASURE)
def test_of_whoever_is_erased_no_id_is_told(shop, program, address):
    values = fill(shop, STAYS)
    erase(STAYS)

    assert told_of_them(ask(program, address, values)) == {None}


def test_every_address_that_tells_an_id_is_asked():
    paths = document()["paths"]

    tell = {path for path, item in paths.items() if "get" in item and _tells_an_id(item["get"])}

    assert tell == {ROOT + address for address in ADDRESSES}


def _tells_an_id(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    return any(
        name in IDS and "string" in shape.get("type", ())
        for body in content.values()
        for name, shape in _properties(body.get("schema", {}), seen=())
    )


def _properties(shape: dict[str, Any], *, seen: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    if (name := shape.get("$ref", "").rpartition("/")[2]) and name not in seen:
        yield from _properties(document()["components"]["schemas"][name], seen=(*seen, name))
    yield from shape.get("properties", {}).items()
    parts = [shape[of] for of in ("allOf", "anyOf", "oneOf") if of in shape]
    items = [shape["items"]] if "items" in shape else []
    for inner in (*shape.get("properties", {}).values(), *items, *chain.from_iterable(parts)):
        yield from _properties(inner, seen=seen)


# What is no JSON object


EXPORTED = [name for name, each in EXPORTS.items() if any(column.name.endswith(IDS[0]) for column in each.columns)]


@pytest.mark.parametrize("what", EXPORTED)
def test_exports_tell_the_same(shop, program, what):
    fill(shop, AWAY)
    shop.joins(STAYS)
    merge(AWAY, into=STAYS)

    merged = told_of_them(_rows(program, what))
    erase(STAYS)

    assert merged - {None} == {STAYS}
    assert told_of_them(_rows(program, what)) == {None}


def _rows(program: Program, what: str) -> list[Any]:
    answer = program.get(f"{ROOT}exports/{what}")
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def test_the_table_for_the_bank_tells_the_same(shop):
    fill(shop, AWAY)
    shop.joins(STAYS)
    merge(AWAY, into=STAYS)

    merged = _table()
    erase(STAYS)

    assert [row["member"] for row in merged] == [STAYS]
    assert [row["member"] for row in _table()] == [""]


def _table() -> list[dict[str, str]]:
    with transaction():
        asset = Asset.objects.get(code="points")
        text = payout_sheets.export(asset=asset, by=Actor("staff", "marta"), at=NOON)
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_whoever_is_found_by_a_former_id_is_told_by_their_own(shop, program):
    fill(shop, AWAY)
    shop.joins(STAYS)
    merge(AWAY, into=STAYS)

    found = program.post({"external_id": AWAY}, f"{ROOT}members/search")

    assert (found.status_code, found.json()["external_id"]) == (200, STAYS)
