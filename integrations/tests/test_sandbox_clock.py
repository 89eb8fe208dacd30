"""The sandbox's clock: what it brings is done on the way, in order, and at its own time."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from antifraud.models import Case
from core.db import transaction
from events.models import Event
from integrations.sandbox import clock
from integrations.sandbox.clock import InvalidAdvance, OnlyForward, TooFarAhead
from integrations.tests.programs import ADDRESS, trying_out
from rewards import ledger, night
from rewards.actors import Actor
from rewards.models import Asset, Lot, Reward
from tenants import clock as clocks
from tenants import context, keys, sandboxes
from tenants.models import Tenant
from tenants.sandboxes import SandboxOnly
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, flag, staff_of
from tests.programs import Program

pytestmark = pytest.mark.django_db

BY = Actor("key", "till")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def sandbox(acme):
    """Give Acme's sandbox, which is current."""
    with context.in_tenant("t_acme_sandbox") as found:
        yield found


@pytest.fixture
def shop(sandbox) -> Shop:
    shop = Shop()
    # The night of the day that it is has been done.
    night.run(schema="t_acme_sandbox", at=NOON)
    return shop


def advance(span: timedelta, *, at=NOON) -> clock.Advanced:
    return clock.advance(to=at + span, by=BY, at=at)


def ahead():
    return Tenant.objects.get(schema_name="t_acme_sandbox").clock_ahead


# Over HTTP


def test_seven_days_later_what_was_pending_is_granted(acme):
    program = trying_out(acme)
    with context.in_tenant("t_acme_sandbox"):
        make_campaign(at=clocks.now() - HOUR, rule={"recipient": "actor", "order_number": "any", "hold_days": 7})
    order = {"order_id": "1001", "amount_minor": 50_000, "currency": "RUB"}
    program.post({"key": "1", "kind": "order.paid", "member": {"external_id": "anna"}, "data": order})

    before = program.get(f"{ADDRESS}clock").json()
    answer = program.post({"advance_days": 6}, f"{ADDRESS}clock")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["is_there"], answer.json()["matured"], answer.json()["nights"] >= 6) == (True, 0, True)
    balance = balance_of(program, "anna")
    answer = program.post({"advance_hours": 25}, f"{ADDRESS}clock").json()

    assert before["ahead_seconds"] == 0
    assert (answer["matured"], answer["facts"]["reward.granted"]) == (1, 1)
    assert answer["ahead_seconds"] == 7 * 24 * 3600 + 3600
    assert (balance, balance_of(program, "anna")) == (0, 100)
    # Whoever else asks is told the same, at once.
    assert program.get(f"{ADDRESS}clock").json()["ahead_seconds"] == answer["ahead_seconds"]


def balance_of(program, member):
    """Return how many points a program is told that a member has."""
    return program.get(f"/api/v1/members/{member}").json()["balances"]["points"]["available"]


def test_an_instant_may_be_given_instead(acme):
    program = trying_out(acme)
    with context.in_tenant("t_acme_sandbox"):
        to = (clocks.now() + 3 * DAY).replace(microsecond=0)

    answer = program.post({"to": to.isoformat()}, f"{ADDRESS}clock").json()

    assert answer["is_there"] is True
    assert datetime.fromisoformat(answer["now"]) == to
    again = program.post({"to": to.isoformat()}, f"{ADDRESS}clock")
    assert (again.status_code, again.json()["code"]) == (409, "only_forward")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_advance"),
        ({"advance_days": 1, "advance_hours": 1}, 400, "invalid_advance"),
        ({"advance_days": 0}, 400, "invalid"),
        ({"advance_days": 367}, 400, "invalid"),
        ({"advance_days": -1}, 400, "invalid"),
        ({"advance_hours": 24 * 366 + 1}, 400, "invalid"),
        ({"to": "yesterday"}, 400, "invalid"),
        ({"to": "2020-01-01T00:00:00Z"}, 409, "only_forward"),
        ({"to": "2100-01-01T00:00:00Z"}, 400, "invalid_advance"),
    ],
)
def test_what_makes_no_sense_moves_nothing(acme, body, status, code):
    answer = trying_out(acme).post(body, f"{ADDRESS}clock")

    assert answer.status_code == status, answer.content
    assert answer.json()["code"] in {code, "validation_error"}
    assert ahead() == timedelta()


# On the way


def test_what_matures_is_granted_when_it_is_due_and_not_when_the_clock_arrives(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 2})
    shop.pays("anna", "500")

    told = advance(10 * DAY)

    (reward,) = shop.rewards_of("anna")
    assert (reward.status, reward.granted_at) == ("granted", NOON + 2 * DAY)
    assert (told.is_there, told.nights, told.facts["reward.granted"]) == (True, 10, 1)
    assert ahead() == 10 * DAY


def test_points_that_were_granted_on_the_way_expire_on_the_way(shop):
    Asset.objects.filter(code="points").update(expiry="days", expiry_count=3)
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 2})
    shop.pays("anna", "500")

    told = advance(10 * DAY)

    assert shop.balance_of("anna") == 0
    assert told.expired == {"points": 100}
    assert ledger.verify() == []
    granted, expired = (Event.objects.get(kind=kind).occurred_at for kind in ("reward.granted", "points.expired"))
    assert granted == NOON + 2 * DAY
    # The night after the third whole day, by Moscow's clock.
    assert expired == NOON.replace(hour=21) + 5 * DAY


def test_a_case_that_nobody_decides_escalates_on_the_way_and_pays_nothing(shop):
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    told = advance(5 * DAY)

    case = Case.objects.get()
    assert told.facts["case.escalated"] == 1
    assert (case.status, case.escalated_at) == ("open", case.due_at)
    assert set(Reward.objects.values_list("status", flat=True)) == {"flagged"}


def test_an_event_that_waits_is_scored_before_the_clock_moves(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 1})
    event = shop.report("order.paid", "anna", order_id="1", amount_minor=50_000, currency="RUB")

    advance(2 * DAY)

    event.refresh_from_db()
    assert (event.status, event.handled_at) == ("handled", NOON)
    assert shop.balance_of("anna") == 100


def test_it_can_be_a_year_at_once_and_five_in_all(shop):
    with pytest.raises(InvalidAdvance):
        advance(366 * DAY + timedelta(seconds=1))
    sandboxes_at(timedelta(days=5 * 365))
    at = NOON + timedelta(days=5 * 365)
    with pytest.raises(TooFarAhead):
        advance(25 * HOUR, at=at)
    assert ahead() == timedelta(days=5 * 365)

    advance(23 * HOUR, at=at)

    assert ahead() == timedelta(days=5 * 365, hours=23)


@transaction
def sandboxes_at(span: timedelta) -> None:
    sandboxes.set_clock(sandbox=sandboxes.get_current(), ahead=span)


def test_back_it_does_not_go(shop):
    with pytest.raises(OnlyForward):
        advance(timedelta())

    assert ahead() == timedelta()


def test_what_is_more_than_a_request_has_time_for_goes_on_when_asked_again(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 2})
    shop.pays("anna", "500")

    told = clock.advance(to=NOON + 3 * DAY, by=BY, seconds_max=0, at=NOON)

    midnight = NOON.replace(hour=21)
    assert (told.is_there, told.time.now, ahead()) == (False, midnight, midnight - NOON)
    told = clock.advance(to=NOON + 3 * DAY, by=BY, at=told.time.now)
    assert (told.is_there, shop.balance_of("anna"), ahead()) == (True, 100, 3 * DAY)


def test_ninety_days_of_three_hundred_members_pass(shop):
    make_campaign(at=NOON - 3 * DAY, rule={"recipient": "actor", "order_number": "any", "hold_days": 7})
    Asset.objects.filter(code="points").update(expiry="days", expiry_count=30)
    for number in range(300):
        shop.report(
            "order.paid", f"member-{number}", order_id=f"{number}", amount_minor=50_000, currency="RUB",
            occurred_at=NOON - number * HOUR / 20,
        )  # fmt: skip
    shop.handle()

    parts = [advance(90 * DAY)]
    # A slow machine needs more than one request for it.
    while not parts[-1].is_there:
        parts.append(clock.advance(to=NOON + 90 * DAY, by=BY, at=parts[-1].time.now))

    assert sum(each.nights for each in parts) == 90
    assert sum(each.facts.get("reward.granted", 0) for each in parts) == 300
    assert sum(each.expired.get("points", 0) for each in parts) == 30_000
    assert ledger.verify() == []
    assert Lot.objects.filter(remaining__gt=0).count() == 0


def test_each_advance_is_in_the_log(shop):
    advance(1 * DAY)

    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.target) == ("till", "sandbox.clock_advanced", "sandbox:acme-sandbox")
    assert entry.changes == {"clock": [NOON.isoformat(), (NOON + DAY).isoformat()]}


# Whose clock it is


def test_a_live_tenants_clock_cannot_be_advanced(acme):
    with pytest.raises(SandboxOnly):
        advance(1 * DAY)
    with transaction():
        sandboxes.set_clock(sandbox=acme, ahead=DAY)

    assert set(Tenant.objects.values_list("clock_ahead", flat=True)) == {timedelta()}


def test_only_the_sandbox_is_ahead(acme, bolt):
    with context.in_tenant("t_acme_sandbox"):
        sandboxes_at(400 * DAY)

    told = {}
    for schema in ("t_acme", "t_acme_sandbox", "t_bolt", "t_bolt_sandbox"):
        with context.in_tenant(schema):
            told[schema] = clocks.ahead()

    assert told == {
        "t_acme": timedelta(),
        "t_acme_sandbox": 400 * DAY,
        "t_bolt": timedelta(),
        "t_bolt_sandbox": timedelta(),
    }


def test_keys_and_sessions_go_by_real_time(acme):
    tomorrow = timezone.now() + DAY
    ends = {"expires_at": tomorrow, "at": timezone.now()}
    _row, key = keys.issue(tenant=acme, environment="sandbox", name="x", scopes=keys.ALL_SCOPES, **ends)
    with context.in_tenant("t_acme_sandbox"):
        browser = browser_of(staff_of("admin", username="eva"), host="acme-sandbox.localhost")
        sandboxes_at(125 * DAY)

    # A session of two weeks, and a key that ends tomorrow, hold.
    assert Program(key, host="acme.localhost").get(f"{ADDRESS}clock").json()["ahead_seconds"] == 125 * 24 * 3600
    assert browser.get("/admin/members/member/").status_code == 200


def test_sent_again_with_its_key_an_advance_is_not_done_again(acme):
    program = trying_out(acme)
    told = {**program.headers, "Idempotency-Key": "a-week"}

    first, second = (
        program.client.post(f"{ADDRESS}clock", {"advance_days": 7}, content_type="application/json", headers=told)
        for _time in range(2)
    )

    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.json(), second.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert ahead() == 7 * DAY
