"""Which facts wait for a rule, where a chain of them ends, and what all that costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import lifecycle
from core.db import current_schema, transaction
from events import facts, handling
from events.facts import DEPTH_MAX, Fact
from events.models import Event
from rewards.models import Entitlement, Level, Reward, RewardPolicy
from scoring import why
from scoring.tests.promos import CODE, EARN, ON_LEVEL, asks_for, reached
from tenants import context
from tests.cast import NOON, Shop, act, codes_of, edit, make_campaign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# Where it ends


def deep(shop: Shop, depth: int) -> Event:
    """Let a fact be told that so long a chain has led to."""
    told = Fact("level.reached", f"deep:{depth}", {"code": "gold"}, shop.id_of("anna"), None, depth)
    with transaction():
        facts.record(facts=[told], at=shop.at)
    return Event.objects.get(key=told.key)


def test_so_long_a_chain_of_causes_starts_no_rule(shop, promo):
    last, too_deep = deep(shop, DEPTH_MAX - 1), deep(shop, DEPTH_MAX)

    assert (last.status, last.handled_at, last.trace) == ("waiting", None, [])
    assert (too_deep.status, too_deep.handled_at) == ("handled", NOON)
    (entry,) = why.rendered(too_deep.trace)
    assert entry["sentence"] == "Nothing starts from it: 5 events have led to it, one after another."
    shop.handle()
    assert (codes_of(Event.objects.get(pk=last.pk)), Entitlement.objects.count()) == (["granted"], 1)
    assert Event.objects.get(kind="reward.granted").depth == DEPTH_MAX


def test_campaigns_that_feed_each_other_come_to_an_end(shop):
    for number in range(1, 10):
        Level.objects.create(code=f"level-{number}", name=str(number), threshold=100 * number)
    make_campaign(name="Points", rule={"recipient": "actor", "amount_points": 100})
    make_campaign(name="Steps", rule={**ON_LEVEL, "amount_points": 100})

    shop.pays("anna", "1")

    assert [(fact.data["code"], fact.depth, codes_of(fact)) for fact in reached()] == [
        ("level-1", 1, ["granted"]),
        ("level-2", 2, ["granted"]),
        ("level-3", 3, ["granted"]),
        ("level-4", 4, ["granted"]),
        ("level-5", 5, ["chain_too_long"]),
    ]
    assert shop.balance_of("anna") == 500


def test_what_history_leads_to_is_history(shop, promo):
    RewardPolicy.objects.update(level_measure="spent")
    shop.may_backfill = True
    shop.pays("anna", "1000")
    shop.pays("boris", "1000", occurred_at=NOON - 2 * DAY)

    found = {fact.member_id: fact.is_history for fact in reached(data__code="gold")}
    assert found == {shop.id_of("anna"): False, shop.id_of("boris"): True}


# Where no rule starts from it


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "waiting"),
        ({"verb": lifecycle.pause}, "waiting"),
        ({"rule": {"is_active": False}}, "handled"),
        ({"rule": {"trigger": "check_in", "conditions": []}}, "handled"),
    ],
)
def test_a_fact_waits_where_a_rule_starts_from_it(shop, promo, changes, status):
    if "verb" in changes:
        act(changes["verb"], promo, at=NOON)
    elif changes:
        edit(promo, at=NOON, **changes)

    assert deep(shop, 0).status == status


def test_a_draft_starts_nothing(shop, ladder):
    campaign = make_campaign(rule={**ON_LEVEL, **CODE})
    type(campaign).objects.filter(pk=campaign.pk).update(status="draft")

    assert deep(shop, 0).status == "handled"


def test_of_another_tenant_nothing_starts(shop, promo, bolt):
    with context.in_tenant("t_bolt"):
        other = Shop()
        other.joins("anna")
        assert deep(other, 0).status == "handled"
        assert not Reward.objects.exists()

    assert deep(shop, 0).status == "waiting"


def test_only_what_a_rule_may_start_from_ever_waits(shop, promo):
    # No form and no check lets such a rule pass.
    feeding = make_campaign(name="Feeds itself", rule={**ON_LEVEL, **asks_for("platinum"), "amount_points": 5})
    feeding.rules.update(trigger="reward.granted")

    shop.pays("anna", "1000")

    kinds = Event.objects.filter(source="sarafan").exclude(kind="level.reached").values_list("kind", "status")
    assert set(kinds) == {("reward.granted", "handled"), ("entitlement.issued", "handled")}


def statements_of(shop: Shop) -> list[str]:
    """Handle one batch and return its statements."""
    with CaptureQueriesContext(connection) as queries:
        handling.handle_batch(schema=current_schema(), at=shop.at)
    return [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]


def test_telling_of_a_level_takes_no_statement_more_with_or_without_a_rule(shop, ladder):
    make_campaign(name="Points", rule=EARN)
    rule = make_campaign(name="Steps", rule={**ON_LEVEL, "amount_points": 5}).rules
    counts = {}
    for name, is_active in (("first", True), ("without", False), ("with", True)):
        edit(rule.instance, at=NOON, rule={"is_active": is_active})
        shop.report("order.paid", name, order_id=name, amount_minor=20_000, currency="RUB")
        shop.report("check_in", "anna")
        counts[name] = len(statements_of(shop))
        (fact,) = reached(member=shop.id_of(name))
        assert (fact.status, fact.trace) == ("waiting" if is_active else "handled", [])
        shop.handle()

    assert counts["without"] == counts["with"]


def test_whether_a_rule_starts_from_it_is_asked_in_the_insert_and_only_of_such_a_fact(shop, ladder):
    make_campaign(name="Points", rule=EARN)
    asking = []
    for number, amount_minor in enumerate((1_000, 20_000)):
        shop.report("order.paid", "anna", order_id=str(number), amount_minor=amount_minor, currency="RUB")
        asking.append([sql for sql in statements_of(shop) if "campaigns_rule" in sql])

    assert asking[0] == []
    assert ["INSERT INTO events_event" in sql for sql in asking[1]] == [True]


def test_a_batch_of_facts_takes_few_statements(shop, promo):
    for number in range(30):
        shop.report("order.paid", f"m-{number}", order_id=f"o-{number}", amount_minor=100_000, currency="RUB")
    handling.handle_batch(schema=current_schema(), at=shop.at)
    assert Event.objects.filter(status="waiting").count() == 60

    assert len(statements_of(shop)) <= 22
    assert Entitlement.objects.count() == 30


# Whatever crashes


def test_what_a_crash_has_left_is_found_by_the_sweep(shop, promo):
    shop.report("order.paid", "anna", order_id="1001", amount_minor=100_000, currency="RUB")
    handling.handle_batch(schema=current_schema(), at=shop.at)
    # Here the worker dies: what follows from the order stands in the table.
    assert {fact.status for fact in reached()} == {"waiting"}

    shop.handle()

    assert {fact.status for fact in reached()} == {"handled"}
    assert Entitlement.objects.count() == 1


def test_the_trace_of_a_fact_is_rendered(shop, promo):
    shop.pays("anna", "1000")

    (fact,) = reached(data__code="gold")
    assert [entry["sentence"] for entry in why.rendered(fact.trace)] == ["Granted: a discount code: 15% off."]
