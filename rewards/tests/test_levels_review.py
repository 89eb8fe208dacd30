from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import NoTransaction, current_schema, transaction
from events import facts
from events.models import Event
from members import people
from rewards import ledger
from rewards.levels import review
from rewards.levels.review import rise
from rewards.models import Level, Reward, Standing
from rewards.tests.climbing import MIDNIGHT, choose, earn, level_of, make_levels, night, raise_them, told
from rewards.tests.stage import NOON, Stage
from tests.races import race

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def levels(acme):
    return make_levels()


# Up


def test_earning_leads_up_at_once_over_several_steps(scene, anna, levels):
    scene.owe(anna, status="granted", given=700)

    facts = raise_them(anna)

    standing = Standing.objects.get(member=anna)
    assert (standing.level, standing.since, standing.measured) == (levels["gold"], NOON, 700)
    assert [(fact.kind, fact.member_id) for fact in facts] == [("level.reached", anna.pk)] * 2
    assert [fact.data for fact in facts] == [
        {"level_id": levels["silver"].pk, "code": "silver", "measured": 700, "from": None},
        {"level_id": levels["gold"].pk, "code": "gold", "measured": 700, "from": "silver"},
    ]


def test_rising_again_tells_from_where(scene, anna, levels):
    scene.owe(anna, status="granted", given=100)
    raise_them(anna)
    scene.owe(anna, status="granted", given=400)

    (fact,) = raise_them(anna, at=NOON + DAY)

    assert (fact.data["code"], fact.data["from"]) == ("gold", "silver")
    assert raise_them(anna, at=NOON + DAY) == []


def test_what_is_only_promised_or_flagged_is_not_earned(scene, anna, levels):
    scene.owe(anna, status="pending", given=700)
    scene.owe(anna, status="flagged", given=700)

    assert raise_them(anna) == []
    assert not Standing.objects.exists()


def test_rising_takes_three_statements_for_any_number_of_members(scene, levels):
    members = [scene.member(f"member-{nth}") for nth in range(50)]
    for member in members:
        scene.owe(member, status="granted", given=700)

    with transaction(), CaptureQueriesContext(connection) as statements:
        facts = rise(member_ids=[member.pk for member in members], at=NOON)

    # Each of them of two levels.
    assert (len(facts), len(statements)) == (100, 3)
    assert Standing.objects.filter(level=levels["gold"]).count() == 50


def test_where_nobody_rises_two_statements_tell_and_without_levels_one(scene, anna):
    with transaction(), CaptureQueriesContext(connection) as statements:
        assert rise(member_ids=[anna.pk], at=NOON) == []
    assert len(statements) == 1

    make_levels()
    with transaction(), CaptureQueriesContext(connection) as statements:
        assert rise(member_ids=[anna.pk], at=NOON) == []
        assert rise(member_ids=[], at=NOON) == []
    assert len(statements) == 2


@pytest.mark.django_db(transaction=True)
def test_rising_is_part_of_somebodys_transaction(acme):
    with pytest.raises(NoTransaction):
        rise(member_ids=[1], at=NOON)


def test_an_event_lets_nobody_fall(scene, anna, levels):
    choose(fall="match", grace_days=0)
    Standing.objects.create(member=anna, level=levels["gold"], since=NOON, measured=500)

    assert raise_them(anna) == []
    assert level_of(anna) == "gold"


# Down


def test_a_night_announces_the_fall_with_what_is_missing_and_by_when(scene, anna, levels):
    choose(window="month", fall="match", grace_days=10, notice_days=3)
    scene.owe(anna, status="granted", given=600)
    raise_them(anna)
    begins = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
    earn(scene, anna, 150, at=begins)

    counts = [night(begins + days * DAY) for days in range(11)]

    by = "2026-04-10T21:00:00+00:00"
    assert counts == [0] * 7 + [1] + [0] * 2 + [1]
    gold = {"level_id": levels["gold"].pk, "code": "gold", "measured": 150, "to": "silver"}
    assert told() == [
        ("level.will_fall", anna.pk, gold | {"missing": 350, "by": by}),
        ("level.fallen", anna.pk, gold),
    ]
    assert level_of(anna) == "silver"


def test_who_falls_below_the_first_level_stands_on_none(scene, anna, levels):
    choose(window="month", fall="step", grace_days=0)
    Standing.objects.create(member=anna, level=levels["silver"], since=NOON, measured=100)

    assert night() == 1

    assert not Standing.objects.exists()
    assert told() == [
        ("level.fallen", anna.pk, {"level_id": levels["silver"].pk, "code": "silver", "measured": 0, "to": None})
    ]


def test_a_night_twice_is_a_night_once(scene, anna, boris, levels):
    choose(fall="step", grace_days=0)
    Standing.objects.create(member=anna, level=levels["platinum"], since=NOON, measured=0)
    scene.owe(boris, status="granted", given=600)

    # One has fallen, the other is on the second level now.
    assert night() == 3
    first = standings(), told()

    assert night() == 0
    assert night(MIDNIGHT + timedelta(hours=1)) == 0
    assert (standings(), told()) == first
    assert (level_of(anna), level_of(boris)) == ("gold", "gold")


def test_a_night_reviews_everybody_a_batch_at_a_time(scene, levels):
    members = [scene.member(f"member-{nth}") for nth in range(7)]
    for member in members:
        scene.owe(member, status="granted", given=100)

    assert night(size=3) == 7

    assert {level_of(member) for member in members} == {"silver"}


def test_a_step_of_the_night_is_called_like_the_others(scene, anna, levels):
    scene.owe(anna, status="granted", given=100)

    review.night(schema=current_schema(), day=date(2026, 3, 18), at=MIDNIGHT)

    assert level_of(anna) == "silver"


def test_a_batch_takes_few_statements(scene, levels):
    for nth in range(30):
        scene.owe(scene.member(f"member-{nth}"), status="granted", given=100)

    with CaptureQueriesContext(connection) as statements:
        night()

    own = [each for each in statements if "SAVEPOINT" not in each["sql"]]
    # The ladder; lock, page, ladder, read, write, facts; lock and an empty page.
    assert len(own) == 9


def test_of_a_tenant_without_levels_nothing_is_asked(acme):
    night()

    with CaptureQueriesContext(connection) as statements:
        assert night() == 0

    assert len(statements) == 1


# Edited thresholds, refunds


def test_raising_a_threshold_takes_nothing_from_whoever_stands_there(scene, anna, levels):
    scene.owe(anna, status="granted", given=600)
    raise_them(anna)
    Level.objects.filter(code="gold").update(threshold=1_000)

    assert [night(MIDNIGHT + days * DAY) for days in (0, 40, 400)] == [0, 0, 0]
    assert level_of(anna) == "gold"

    # Where members fall, the grace period begins with the night that finds them short, and they are told.
    choose(fall="match", grace_days=5, notice_days=2)
    began = MIDNIGHT + 500 * DAY
    assert [night(began + days * DAY) for days in range(6)] == [0, 0, 0, 1, 0, 1]
    assert level_of(anna) == "silver"


def test_lowering_a_threshold_raises_with_the_next_night(scene, anna, levels):
    scene.owe(anna, status="granted", given=300)
    raise_them(anna)
    Level.objects.filter(code="gold").update(threshold=300)

    assert night() == 1
    assert level_of(anna) == "gold"


def test_a_refund_takes_no_level_at_once_but_with_the_next_night_grace_begins(scene, anna, levels):
    choose(fall="match", grace_days=2, notice_days=1)
    reward_id = scene.owe(anna, status="granted", given=600)
    raise_them(anna)
    Reward.objects.filter(pk=reward_id).update(status="reversed", reversed=600)

    assert raise_them(anna) == []
    assert level_of(anna) == "gold"

    assert [night(MIDNIGHT + days * DAY) for days in range(3)] == [0, 1, 1]
    assert level_of(anna) is None


def test_earning_enough_in_the_grace_period_ends_it_at_once(scene, anna, levels):
    choose(fall="match", grace_days=10)
    Standing.objects.create(member=anna, level=levels["silver"], since=NOON, measured=100)
    night()
    assert Standing.objects.get().falls_at is not None

    scene.owe(anna, status="granted", given=100)
    assert raise_them(anna) == []

    assert Standing.objects.get().falls_at is None


# Races


@pytest.mark.django_db(transaction=True)
def test_who_rises_while_being_reviewed_is_raised_once(acme):
    scene = Stage()
    make_levels()
    members = [scene.member(f"member-{nth}") for nth in range(5)]
    for member in members:
        scene.owe(member, status="granted", given=600)
    schema = current_schema()
    ids = [member.pk for member in members]

    def earn_more():
        people.lock(schema)
        return tell(rise(member_ids=ids, at=NOON))

    def be_reviewed():
        people.lock(schema)
        return tell(review.review(member_ids=ids, at=NOON))

    counts = race(earn_more, be_reviewed, earn_more, be_reviewed)

    assert sorted(counts) == [0, 0, 0, 10]
    assert Standing.objects.filter(level__code="gold").count() == 5
    assert Event.objects.filter(kind="level.reached", data__code="gold").count() == 5
    assert ledger.verify() == []


# Helpers


def tell(told):
    facts.record(facts=told, at=NOON)
    return len(told)


def standings():
    return list(Standing.objects.order_by("pk").values())
