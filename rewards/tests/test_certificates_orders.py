"""Certificates that are bought online: whatever the provider does, one is bought, and it reaches its member."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from core import outbound, sealing
from core.db import current_schema, transaction
from events.models import Event
from rewards import entitlements
from rewards.certificates import calls, orders, settling
from rewards.models import Entitlement, Gift, Provider
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import brand_of, give, put, stop
from tests.stand_ins.certificates import StandIn

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def partner():
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def giftly(acme, partner):
    return provider_at(partner)


@pytest.fixture
def coffee(giftly):
    return brand_of(providers=["giftly"], valid_days=30)


def provider_at(partner, code="giftly"):
    secret = sealing.seal(schema=current_schema(), kind=orders.SEALED_AS, value=partner.provider.secret)
    return Provider.objects.create(code=code, name=code.title(), url=partner.url, secret=secret)


def work(at=NOON, *, times=6, every=timedelta(0)):
    """Do what the worker does: claim, call, settle."""
    for nth in range(times):
        moment = at + nth * every
        claimed = orders.claim(schema=current_schema(), limit=8, at=moment)
        settling.settle(schema=current_schema(), outcomes=calls.make(claimed), at=moment)


def again(row):
    return Entitlement.objects.select_related("gift").get(pk=row.pk)


def troubles():
    return [each.data["problem"] for each in Event.objects.filter(kind="provider.trouble").order_by("pk")]


def test_an_order_is_queued_asked_for_and_issued(anna, coffee, partner):
    (row,) = give(coffee, anna, "k")
    assert (row.status, row.next_attempt_at) == ("waiting", NOON)

    work(every=timedelta(seconds=5))

    row = again(row)
    key = orders.key_of(schema="t_acme", entitlement_id=row.pk, turn=0)
    assert (row.status, row.provider.code, row.provider_order, row.next_attempt_at) == (
        "issued",
        "giftly",
        "1000",
        None,
    )
    assert entitlements.code_of(row).startswith("GIFT-1000")
    assert row.valid_until.isoformat() == "2027-06-30T21:00:00+00:00"
    assert sealing.unseal(schema="t_acme", kind=settling.PIN_SEALED_AS, value=row.details["pin"]) == "0042"
    assert partner.provider.bought == {key: 1}
    assert [each.kind for each in Event.objects.filter(source="sarafan")] == ["entitlement.issued"]


def test_the_stock_comes_before_the_provider(anna, coffee, partner):
    put(coffee, "AAA-1")

    (row,) = give(coffee, anna, "k")
    work()

    assert (row.status, partner.provider.calls) == ("issued", [])


def test_a_provider_that_sells_at_once_is_not_asked_again(anna, coffee, partner):
    partner.provider.mode = "at once"
    (row,) = give(coffee, anna, "k")

    work()

    assert (again(row).status, partner.provider.calls) == ("issued", ["POST /orders"])


def test_no_answer_is_unknown_and_nothing_is_ordered_before_the_status_is_known(anna, coffee, partner):
    partner.provider.mode = "loses the answer"
    (row,) = give(coffee, anna, "k")

    work(times=1)
    assert (again(row).status, again(row).problem) == ("unknown", "unknown")
    work(NOON + MINUTE, every=MINUTE)

    assert again(row).status == "issued"
    assert sum(partner.provider.bought.values()) == 1
    assert partner.provider.calls.count("POST /orders") == 1


def test_a_provider_that_sells_after_we_gave_up_waiting_is_asked_and_not_ordered_from_again(
    anna, coffee, partner, monkeypatch
):
    monkeypatch.setattr(outbound, "READ_SECONDS", 0.2)
    partner.provider.delay_seconds = 0.6
    (row,) = give(coffee, anna, "k")

    work(times=1)
    assert (again(row).status, sum(partner.provider.bought.values())) == ("unknown", 0)
    assert partner.provider.ordered.wait(timeout=5)
    partner.provider.delay_seconds = 0.0
    work(NOON + MINUTE, every=MINUTE)

    assert (again(row).status, partner.provider.calls.count("POST /orders")) == ("issued", 1)
    assert sum(partner.provider.bought.values()) == 1


def test_a_provider_that_stays_mute_is_asked_later_and_later_and_staff_is_told(anna, coffee, partner):
    partner.provider.mode = "mute"
    (row,) = give(coffee, anna, "k")

    work(times=40, every=timedelta(seconds=30))

    assert again(row).status == "unknown"
    assert again(row).next_attempt_at > NOON + 20 * MINUTE
    assert partner.provider.calls.count("POST /orders") == 1
    assert len(partner.provider.calls) < 12
    assert troubles() == ["unknown"]


def test_an_order_that_never_arrived_is_placed_again_under_the_same_key(anna, coffee, partner):
    partner.provider.mode = "crashes"
    (row,) = give(coffee, anna, "k")
    work(times=1)
    assert again(row).status == "unknown"

    partner.provider.mode = "fine"
    work(NOON + MINUTE, every=MINUTE)

    assert again(row).status == "issued"
    assert partner.provider.bought == {orders.key_of(schema="t_acme", entitlement_id=row.pk, turn=0): 1}


def test_the_same_answer_twice_is_one_certificate(anna, coffee, partner):
    partner.provider.mode = "at once"
    (row,) = give(coffee, anna, "k")
    claimed = orders.claim(schema="t_acme", limit=8, at=NOON)
    outcomes = calls.make(claimed)

    settling.settle(schema="t_acme", outcomes=outcomes, at=NOON)
    issued = again(row)
    settling.settle(schema="t_acme", outcomes=[*outcomes, *calls.make(claimed)], at=NOON + MINUTE)

    assert again(row).code == issued.code
    assert (again(row).issued_at, sum(partner.provider.bought.values())) == (NOON, 1)
    assert Event.objects.filter(kind="entitlement.issued").count() == 1


@pytest.mark.parametrize(("mode", "problem"), [("no funds", "no_funds"), ("off", "off"), ("limit", "limit")])
def test_a_refused_one_waits_and_staff_is_told_once(anna, coffee, giftly, partner, mode, problem):
    partner.provider.mode = mode
    first, second = give(coffee, anna, "k1", "k2")

    work(times=3)

    assert (again(first).status, again(first).problem, again(second).problem) == ("waiting", problem, problem)
    assert again(first).next_attempt_at == NOON + MINUTE
    giftly.refresh_from_db()
    assert (giftly.problem, troubles()) == (problem, [problem])
    assert not partner.provider.bought


def test_what_was_refused_is_bought_when_the_provider_sells_again(anna, coffee, giftly, partner):
    partner.provider.mode = "no funds"
    (row,) = give(coffee, anna, "k")
    work(times=3)

    partner.provider.mode = "at once"
    orders.try_again(schema="t_acme", provider=giftly, at=NOON + MINUTE)
    work(NOON + MINUTE)

    giftly.refresh_from_db()
    assert (again(row).status, again(row).problem, giftly.problem) == ("issued", "", "")
    assert partner.provider.bought == {orders.key_of(schema="t_acme", entitlement_id=row.pk, turn=1): 1}


def test_the_next_provider_of_the_brand_is_tried(anna, giftly, partner):
    partner.provider.mode = "no funds"
    with StandIn() as other:
        other.provider.mode = "at once"
        provider_at(other, code="other")
        (row,) = give(brand_of(providers=["giftly", "other"]), anna, "k")

        work()

        assert (again(row).status, again(row).provider.code) == ("issued", "other")
        assert (sum(other.provider.bought.values()), sum(partner.provider.bought.values())) == (1, 0)


def test_a_provider_that_cannot_be_reached_has_sold_nothing(anna, partner):
    with StandIn() as gone:
        provider_at(gone, code="gone")
    provider_at(partner)
    partner.provider.mode = "at once"

    (row,) = give(brand_of(providers=["gone", "giftly"]), anna, "k")
    work()

    assert (again(row).status, again(row).provider.code, troubles()) == ("issued", "giftly", ["unreachable"])


def test_a_code_that_somebody_has_is_given_to_nobody_else(anna, coffee, partner):
    partner.provider.mode = "at once"
    first, second = give(coffee, anna, "k1", "k2")
    claimed = orders.claim(schema="t_acme", limit=8, at=NOON)
    outcomes = calls.make(claimed)
    same = [(call, outcomes[0][1]) for call, _outcome in outcomes]

    settling.settle(schema="t_acme", outcomes=same, at=NOON)

    statuses = {again(first).status, again(second).status}
    assert (statuses, troubles()) == ({"issued", "unknown"}, ["code_taken"])


def test_one_provider_with_odd_settings_does_not_hold_up_the_others(anna, giftly, partner):
    partner.provider.mode = "at once"
    provider_at(partner, code="odd")
    Provider.objects.filter(code="odd").update(settings={"paths": {"order": "/{nonsense}"}}, secret="not sealed")
    (stuck,) = give(brand_of("odd-one", providers=["odd"]), anna, "k1")
    (row,) = give(brand_of(providers=["giftly"]), anna, "k2")

    work()

    assert (again(row).status, again(stuck).status, again(stuck).problem) == ("issued", "unknown", "unknown")


def test_what_nobody_has_seen_is_given_back_to_the_provider(anna, coffee, partner):
    partner.provider.mode = "at once"
    (row,) = give(coffee, anna, "k")
    work()

    assert stop(row) == {}
    work()

    assert (again(row).status, again(row).details["return"]) == ("cancelled", "done")
    assert "POST /orders/1000/cancellation" in partner.provider.calls


def test_what_the_provider_does_not_take_back_is_told(anna, coffee, partner):
    partner.provider.mode = "at once"
    partner.provider.takes_back = False
    (row,) = give(coffee, anna, "k")
    work()

    stop(row)
    work()

    assert (again(row).status, again(row).details["return"]) == ("cancelled", "refused")
    assert (again(row).problem, troubles()) == ("not_taken_back", ["not_taken_back"])


def test_an_order_that_is_cancelled_while_it_is_on_its_way_is_given_back(anna, coffee, partner):
    (row,) = give(coffee, anna, "k")
    claimed = orders.claim(schema="t_acme", limit=8, at=NOON)
    stop(row)

    settling.settle(schema="t_acme", outcomes=calls.make(claimed), at=NOON)
    work(NOON + 2 * MINUTE, every=MINUTE)

    assert (again(row).status, again(row).details["return"]) == ("cancelled", "done")
    assert sum(partner.provider.bought.values()) == 1
    assert partner.provider.calls[-1] == "POST /orders/1000/cancellation"


def test_what_was_never_ordered_is_cancelled_without_a_call(anna, coffee, partner):
    (row,) = give(coffee, anna, "k")

    stop(row)
    work()

    assert (again(row).status, again(row).next_attempt_at, partner.provider.calls) == ("cancelled", None, [])


@pytest.mark.parametrize("path", ["@elsewhere.example/x", ".elsewhere.example/x", ":1@elsewhere.example/x", "//x", "x"])
def test_no_setting_sends_the_secret_to_another_host(giftly, monkeypatch, path):
    Provider.objects.update(url="https://giftly.example", settings={"paths": {"balance": path}})
    called = []
    monkeypatch.setattr(outbound, "call", lambda *, url, **_how: called.append(url) or outbound.Answer(500, None))

    orders.ask_balance(schema="t_acme", provider_id=giftly.pk, at=NOON)

    assert [urlsplit(url).hostname for url in called] == ["giftly.example"]


@pytest.mark.parametrize("balance", ["NaN", "Infinity", "much", None])
def test_a_balance_that_is_no_number_changes_nothing(giftly, monkeypatch, balance):
    monkeypatch.setattr(outbound, "call", lambda **_how: outbound.Answer(200, {"balance": balance}))

    orders.ask_balance(schema="t_acme", provider_id=giftly.pk, at=NOON)

    giftly.refresh_from_db()
    assert (giftly.balance_minor, giftly.balance_at) == (None, None)


def test_a_provider_says_its_balance(giftly):
    orders.ask_balance(schema="t_acme", provider_id=giftly.pk, at=NOON)

    giftly.refresh_from_db()
    assert (giftly.balance_minor, giftly.balance_at) == (125_050, NOON)


def test_nothing_on_our_own_machine_is_called_unless_it_may_be(anna, coffee, partner, settings):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    (row,) = give(coffee, anna, "k")

    work()

    assert (again(row).status, again(row).problem, partner.provider.calls) == ("waiting", "unreachable", [])


def test_a_brand_whose_providers_are_switched_off_waits_for_stock(anna, coffee, giftly, partner):
    Provider.objects.update(is_active=False)
    (row,) = give(coffee, anna, "k")

    work()

    assert (again(row).status, again(row).problem, again(row).next_attempt_at) == ("waiting", "out_of_stock", None)
    assert Gift.objects.get().pk == coffee.pk


def test_the_key_of_another_tenants_certificate_is_another(acme):
    with transaction():
        keys = {orders.key_of(schema=schema, entitlement_id=7, turn=0) for schema in ("t_acme", "t_bolt")}

    assert keys == {"cert:t_acme:7:0", "cert:t_bolt:7:0"}
