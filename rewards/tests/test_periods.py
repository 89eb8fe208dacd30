"""The filters `since` and `until` of what was made: the first instant counts, the last one does not."""

from datetime import datetime, timedelta

import pytest

from members.models import Member
from rewards.models import Adjustment, Entitlement, Redemption
from rewards.tests import gifts
from rewards.tests.stage import NOON, Stage
from rewards.tests.units import make_asset
from tenants import clock
from tests.programs import Program, program_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LISTS = ("rewards", "adjustments", "redemptions", "purchases", "certificates", "payouts")


@pytest.fixture
def program(acme) -> Program:
    return program_of(acme, "rewards:read", "payouts:write")


def make(what: str, *ats: datetime, scene: Stage, member: Member) -> list[int]:
    """Make one at each of these instants, and return their numbers."""
    usual = {"member": member, "asset": scene.points, "amount": 5}
    if what == "rewards":
        return [scene.owe(member, created_at=at) for at in ats]
    if what == "adjustments":
        said = {"reason": "Sorry", "status": "waiting", "asked_by": "marta", **usual}
        return [Adjustment.objects.create(key=f"a-{at}", asked_at=at, **said).pk for at in ats]
    if what == "certificates":
        given = {"kind": "certificate", "gift": gifts.gift("certificate"), "member": member, "status": "waiting"}
        return [Entitlement.objects.create(key=f"c-{at}", created_at=at, **given).pk for at in ats]
    if what == "purchases":
        spent = {"purpose": "purchase", "gift": gifts.gift("product"), "captured": 5, "status": "captured"}
        return [
            Redemption.objects.create(key=f"p-{at}", created_at=at, settled_at=at, **spent, **usual).pk for at in ats
        ]
    purpose = {"redemptions": "order", "payouts": "payout"}[what]
    held = {"purpose": purpose, "status": "reserved", **usual}
    return [Redemption.objects.create(key=f"r-{at}", created_at=at, **held).pk for at in ats]


def numbers_of(program: Program, what: str, **asked: datetime | str) -> list[int]:
    query = {name: each.isoformat() if isinstance(each, datetime) else each for name, each in asked.items()}
    answer = program.get(f"/api/v1/{what}", **query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize("what", LISTS)
def test_a_list_is_asked_for_a_time(scene, anna, program, what):
    before, first, last = make(what, NOON - HOUR, NOON, NOON + HOUR, scene=scene, member=anna)

    assert numbers_of(program, what) == [last, first, before]
    assert numbers_of(program, what, since=NOON) == [last, first]
    assert numbers_of(program, what, until=NOON) == [before]
    assert numbers_of(program, what, since=NOON, until=NOON + HOUR) == [first]
    assert numbers_of(program, what, since=NOON, until=NOON) == []


@pytest.mark.parametrize("what", [each for each in LISTS if each != "payouts"])
def test_beside_a_time_the_other_filters_hold(scene, anna, boris, program, what):
    _early, late = make(what, NOON - HOUR, NOON, scene=scene, member=anna)
    make(what, NOON + HOUR, scene=scene, member=boris)

    assert numbers_of(program, what, since=NOON, member="anna") == [late]
    assert numbers_of(program, what, until=NOON, member="boris") == []


def test_payouts_of_one_asset_are_asked_for_a_time(scene, anna, program):
    of_points = make("payouts", NOON - HOUR, NOON, scene=scene, member=anna)
    cash = make_asset("cash")
    usual = {"member": anna, "amount": 5, "purpose": "payout", "status": "reserved", "created_at": NOON}
    of_cash = Redemption.objects.create(key="cash", asset=cash, **usual)

    assert numbers_of(program, "payouts", since=NOON) == [of_cash.pk, of_points[1]]
    assert numbers_of(program, "payouts", since=NOON, asset="cash") == [of_cash.pk]


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("value", ["yesterday", "1969-07-20T20:17:40Z"])
def test_what_is_no_instant_of_ours_is_refused(program, what, name, value):
    answer = program.get(f"/api/v1/{what}", **{name: value})

    assert (answer.status_code, [each["parameter"] for each in answer.json()["errors"]]) == (400, [name])


@pytest.mark.parametrize("what", LISTS)
def test_a_beginning_still_to_come_is_refused(program, what):
    answer = program.get(f"/api/v1/{what}", since=(clock.now() + HOUR).isoformat())

    assert (answer.status_code, [each["parameter"] for each in answer.json()["errors"]]) == (400, ["since"])


@pytest.mark.parametrize("what", LISTS)
def test_another_tenant_finds_nothing_of_that_time(scene, anna, bolt, what):
    make(what, NOON, scene=scene, member=anna)

    assert numbers_of(program_of(bolt, "rewards:read", "payouts:write"), what, since=NOON - HOUR) == []
