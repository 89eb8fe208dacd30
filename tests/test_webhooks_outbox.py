"""What is to be told outside is written with the fact, by the same statement, or not at all."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import transaction
from events import facts
from events.facts import Fact
from events.models import Event
from integrations.models import Delivery
from integrations.webhooks import endpoints, kinds, lanes
from tenants import context
from tests import webhooks
from tests.cast import NOON, Shop, make_campaign
from tests.races import at_once
from tests.stand_ins.receivers import StandIn

URL = "https://shop.example.com/hooks"
GRANTED = Fact("reward.granted", "reward:1:granted", {"reward_id": 1, "kind": "points", "what": ""})
FLAGGED = Fact("reward.flagged", "reward:2:flagged", {"reward_id": 2, "kind": "points", "what": "", "given": 5})


@transaction
def record(*told: Fact, at=NOON) -> None:
    facts.record(facts=told, at=at)


@transaction
def record_and_fail() -> None:
    facts.record(facts=[GRANTED], at=NOON)
    raise ZeroDivisionError


def kinds_sent(endpoint) -> list[str]:
    return list(Delivery.objects.filter(endpoint=endpoint).order_by("pk").values_list("kind", flat=True))


def test_a_fact_is_written_for_every_webhook_that_asked_for_its_kind(acme):
    all_confirmed, _ = webhooks.add(URL)
    flags_too, _ = webhooks.add(URL, kinds=["reward.granted", "reward.flagged"])
    neither, _ = webhooks.add(URL, kinds=["points.expired"])

    record(GRANTED, FLAGGED)

    assert kinds_sent(all_confirmed) == ["reward.granted"]
    assert kinds_sent(flags_too) == ["reward.granted", "reward.flagged"]
    assert kinds_sent(neither) == []


def test_a_fact_that_is_recorded_again_is_told_once(acme):
    endpoint, _ = webhooks.add(URL)

    record(GRANTED)
    record(GRANTED, at=NOON + timedelta(hours=1))

    assert Delivery.objects.get(endpoint=endpoint).event == Event.objects.get(key="reward:1:granted")


def test_what_is_rolled_back_is_told_to_nobody(acme):
    endpoint, _ = webhooks.add(URL)

    with pytest.raises(ZeroDivisionError):
        record_and_fail()

    assert kinds_sent(endpoint) == []
    assert not lanes.is_any_due(at=NOON)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_before_the_commit(acme):
    with StandIn() as stand_in:
        webhooks.add(stand_in.url)
        with transaction():
            facts.record(facts=[GRANTED], at=NOON)
            came_before = _seen_by_somebody_else()
        webhooks.send_due(at=NOON)

        assert came_before == 0
        assert [each["type"] for each in webhooks.told(stand_in.receiver)] == ["reward.granted"]


def _seen_by_somebody_else():
    """Return how many deliveries another connection finds to be sent now."""
    return at_once(lambda: webhooks.send_due(at=NOON))[0]


def test_the_bell_is_rung_after_the_commit_and_only_where_somebody_asked(acme, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as nobody_asked:
        record(GRANTED)
    webhooks.add(URL)
    with django_capture_on_commit_callbacks() as somebody_asked:
        record(GRANTED._replace(key="another"))

    assert (len(nobody_asked), len(somebody_asked)) == (0, 1)


def test_telling_takes_no_statement_more_whoever_listens(acme):
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as asked:
            record(GRANTED._replace(key=f"fact-{number}"))
        counts.append(len([each for each in asked if "INSERT" in each["sql"] or "SELECT" in each["sql"]]))
        webhooks.add(URL)

    assert counts == [1, 1, 1]
    assert Delivery.objects.count() == 0 + 1 + 2


def test_scoring_tells_outside_without_a_statement_more(acme):
    shop = Shop()
    make_campaign()
    shop.joins("anna")
    counts = []
    for name in ("boris", "clara", "dora"):
        shop.joins(name, invited_by="anna")
        shop.report("order.paid", name, order_id=f"of-{name}", amount_minor=50_000, currency="RUB")
        with CaptureQueriesContext(connection) as asked:
            shop.handle()
        counts.append(len(asked))
        webhooks.add(URL)

    assert len(set(counts[1:])) == 1
    # The first order of all also opens accounts.
    assert counts[1] <= counts[0]


def test_a_paused_webhook_finds_what_happened_meanwhile_and_a_disabled_one_does_not(acme):
    paused, _ = webhooks.add(URL)
    disabled, _ = webhooks.add(URL)
    webhooks.act(endpoints.pause, paused)
    type(disabled).objects.filter(pk=disabled.pk).update(status="disabled", status_note="gone")

    record(GRANTED)

    assert (kinds_sent(paused), kinds_sent(disabled)) == (["reward.granted"], [])


def test_another_tenants_webhook_is_told_nothing(acme, bolt):
    with context.in_tenant("t_bolt"):
        theirs, _ = webhooks.add(URL)

    record(GRANTED)

    with context.in_tenant("t_bolt"):
        assert kinds_sent(theirs) == []


def test_no_two_webhooks_and_no_two_tenants_have_the_same_message(acme, bolt):
    ids = set()
    for schema in ("t_acme", "t_bolt"):
        with context.in_tenant(schema):
            for _number in range(2):
                webhooks.add(URL)
            record(GRANTED)
            ids |= set(Delivery.objects.values_list("message_id", flat=True))

    assert len(ids) == 4
    assert {len(each) for each in ids} == {len("msg_") + 32}


def test_every_confirmed_kind_is_what_nobody_decides_about_any_more():
    waiting = {"reward.pending", "reward.flagged", "reward.reopened", "redemption.reserved", "payout.prepared"}

    assert waiting <= set(kinds.ALL) - set(kinds.CONFIRMED)
    assert {"reward.granted", "reward.taken_back", "reward.cancelled", "referral.qualified", "payout.paid"} <= set(
        kinds.CONFIRMED
    )
