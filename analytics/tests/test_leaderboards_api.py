"""Who brings the most."""

from datetime import UTC, datetime, timedelta

import pytest

from antifraud.lists import bans
from core.db import transaction
from members import people
from members.models import Member
from referrals.models import Referral
from tenants import context
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag, staff_of
from tests.programs import program_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/leaderboards/inviters"
ALL = {"period": "all"}


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def program(acme):
    return program_of(acme, "campaigns:read")


@pytest.fixture
def friends(shop):
    """Let Anna bring three who pay, Boris and Clara two each, Boris first, and Denis one who only joins."""
    campaign = make_campaign()
    for name in ("anna", "boris", "clara", "denis"):
        shop.joins(name)
    for inviter, count in (("anna", 3), ("boris", 2), ("clara", 2)):
        for number in range(count):
            shop.at += timedelta(minutes=1)
            shop.joins(f"{inviter}-{number}", invited_by=inviter)
            shop.pays(f"{inviter}-{number}", "500", order=f"{inviter}-order-{number}")
    shop.joins("denis-0", invited_by="denis")
    return campaign


def board(program, **query):
    answer = program.get(ADDRESS, **query)
    assert answer.status_code == 200, answer.json()
    return [(each["place"], each["member"]["external_id"], each["figure"]) for each in answer.json()["data"]]


def test_equals_share_a_place_and_whoever_was_there_first_comes_first(program, friends):
    assert board(program, **ALL) == [(1, "anna", 3), (2, "boris", 2), (2, "clara", 2)]


def test_friends_who_joined_and_points_are_counted_too(program, friends):
    assert board(program, by="joined", **ALL)[-1] == (4, "denis", 1)
    assert board(program, by="points", **ALL) == [(1, "anna", 300), (2, "boris", 200), (2, "clara", 200)]


def test_a_board_is_cut_where_one_asks_and_says_how_many_there_are(program, friends):
    answer = program.get(ADDRESS, limit=1, **ALL).json()

    assert ([each["place"] for each in answer["data"]], answer["total"]) == ([1], 3)
    assert program.get(ADDRESS, limit=101).status_code == 400


def test_a_window_counts_what_happened_in_it(program, friends):
    begin = NOON + timedelta(minutes=4)
    window = {"since": begin.isoformat(), "until": (begin + timedelta(minutes=2)).isoformat()}

    assert board(program, **window) == [(1, "boris", 2)]
    assert board(program, by="points", **window) == [(1, "boris", 200)]
    assert board(program, by="joined", **window) == [(1, "boris", 2)]


def test_a_period_begins_by_the_tenants_clock(program, friends):
    answer = program.get(ADDRESS, period="quarter").json()

    since = datetime.fromisoformat(answer["since"])
    assert since.astimezone(context.zone()).strftime("%d %H:%M") == "01 00:00"
    assert (answer["data"], answer["until"]) == ([], None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"period": "week", "since": NOON.isoformat()}, "period_and_window"),
        ({"since": NOON.isoformat(), "until": NOON.isoformat()}, "window_is_empty"),
        ({"period": "fortnight"}, "invalid"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(program, query, code):
    answer = program.get(ADDRESS, **query)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_campaign_counts_only_what_it_gave(program, friends, shop):
    other = make_campaign(name="Another", at=shop.at, rule={"order_number": "repeat"})
    shop.pays("clara-0", "500")

    assert board(program, by="points", campaign=other.pk, **ALL) == [(1, "clara", 100)]
    assert board(program, by="points", campaign=friends.pk, **ALL)[0] == (1, "anna", 300)
    assert board(program, by="qualified", campaign=other.pk, **ALL) == [(1, "clara", 1)]
    assert board(program, by="joined", campaign=other.pk, **ALL) == []


def test_what_waits_for_a_moderator_counts_nothing(program, shop):
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    assert Referral.objects.exclude(qualified_at=None).count() == 1
    assert board(program, **ALL) == board(program, by="points", **ALL) == []


def test_what_a_refund_has_taken_back_counts_nothing(program, friends, shop):
    shop.refunds("anna-0", "500", order="anna-order-0")

    assert board(program, **ALL) == [(1, "anna", 2), (1, "boris", 2), (1, "clara", 2)]
    assert board(program, by="points", **ALL)[0][2] == 200


def test_whoever_is_blocked_stands_on_no_board(program, friends, shop):
    by, anna = staff_of("moderator"), people.get_by_external_id("anna")
    with transaction():
        bans.ban(member=anna, by=by, note="x", takes=bans.PENDING, at=NOON)

    assert [name for _place, name, _figure in board(program, **ALL)] == ["boris", "clara"]


def test_what_a_member_brought_before_a_merge_is_the_other_ones(program, friends, shop):
    Member.objects.filter(pk=shop.id_of("clara")).update(status="merged", merged_into=shop.id_of("boris"))

    assert board(program, **ALL) == [(1, "boris", 4), (2, "anna", 3)]


def test_a_member_sees_where_they_stand_and_who_is_near(program, friends):
    found = program.get(f"{ADDRESS}/boris", **ALL).json()

    assert (found["place"], found["figure"], found["total"]) == (2, 2, 3)
    assert [each["member"]["external_id"] for each in found["neighbours"]] == ["anna", "boris", "clara"]


def test_of_many_only_two_above_and_two_below_are_told(program, shop):
    make_campaign()
    for place in range(6):
        shop.joins(f"inviter-{place}")
        for number in range(6 - place):
            shop.joins(f"friend-{place}-{number}", invited_by=f"inviter-{place}")

    found = program.get(f"{ADDRESS}/inviter-3", by="joined", **ALL).json()

    assert [each["member"]["external_id"] for each in found["neighbours"]] == [f"inviter-{n}" for n in range(1, 6)]


def test_who_has_brought_nobody_has_no_place(program, friends):
    found = program.get(f"{ADDRESS}/denis", **ALL).json()

    assert (found["place"], found["figure"], found["neighbours"], found["total"]) == (None, 0, [], 3)
    assert program.get(f"{ADDRESS}/nobody", **ALL).json()["code"] == "unknown_member"


def test_a_board_takes_as_many_statements_for_many_as_for_one(program, friends, django_assert_num_queries):
    program.get(ADDRESS, **ALL)
    with django_assert_num_queries(1):
        assert len(program.get(ADDRESS, **ALL).json()["data"]) == 3


def test_another_tenant_has_a_board_of_its_own(bolt, friends):
    stranger = program_of(bolt, "campaigns:read")

    assert board(stranger, **ALL) == []
    assert stranger.get(f"{ADDRESS}/anna", **ALL).status_code == 404


def test_a_board_wants_the_scope_to_read_campaigns(acme):
    answer = program_of(acme, "members:read", "public:read").get(ADDRESS)

    assert (answer.status_code, answer.json()["required_scope"]) == (403, "campaigns:read")


def test_the_window_is_told(program, friends):
    found = program.get(ADDRESS, since="2026-03-01T00:00:00Z", until="2026-04-01T00:00:00Z").json()

    assert datetime.fromisoformat(found["since"]) == datetime(2026, 3, 1, tzinfo=UTC)
    assert datetime.fromisoformat(found["until"]) == datetime(2026, 4, 1, tzinfo=UTC)
