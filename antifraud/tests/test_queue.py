"""The queue: its order, its views and what is at stake in it."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.models import Case
from antifraud.moderation import deciding, escalation, queue
from core.db import transaction
from tests.cast import NOON
from tests.people import flag

DUE = NOON + timedelta(hours=24)


def test_the_queue_has_what_escalated_first_and_then_what_is_due_soonest(shop, campaign):
    for name in ("boris", "clara", "dina"):
        flag(shop, inviter=f"of-{name}", friend=name)
        shop.at += timedelta(hours=1)
    first, second, third = Case.objects.order_by("opened_at")
    with transaction():
        Case.objects.filter(pk=third.pk).update(escalated_at=DUE)

    assert list(Case.objects.order_by(*queue.ORDER)) == [third, first, second]


def test_the_views_of_the_queue_are_counted_in_one_statement(shop, campaign, max_, mia):
    for name in ("boris", "clara", "dina"):
        flag(shop, inviter=f"of-{name}", friend=name)
    first, second, third = Case.objects.order_by("pk")
    escalation.take(case=first, by=max_, at=NOON)
    escalation.take(case=second, by=mia, at=NOON)
    escalation.escalate_due(limit=1, at=DUE)
    deciding.approve(case=third, by=max_, at=NOON)

    with CaptureQueriesContext(connection) as statements:
        found = queue.counts(viewer=max_, at=DUE)

    assert found == queue.Counts(waiting=2, mine=1, unassigned=0, overdue=2, escalated=1)
    assert len(statements) == 1


def test_each_case_knows_what_its_waiting_rewards_cost(shop, campaign, case, max_):
    anna, boris = shop.rewards_of("anna")[0], shop.rewards_of("boris")[0]
    type(anna).objects.filter(pk=anna.pk).update(cost_minor=10_001, given=3, due=3, reversed=1)
    type(boris).objects.filter(pk=boris.pk).update(cost_minor=500)

    (found,) = queue.with_stakes(Case.objects.all())

    # A third of 10001 is 3333 and a bit: what was taken back is rounded down.
    assert found.stake_minor == 10_001 - 3_333 + 500
    assert queue.shown_of([case], at=NOON)[case.pk].cost_minor == found.stake_minor
    deciding.reject(case=case, by=max_, at=NOON)
    assert queue.with_stakes(Case.objects.all()).get().stake_minor == 0


def test_a_cost_near_what_a_column_can_hold_is_summed_exactly(shop, campaign, case):
    reward = shop.rewards_of("anna")[0]
    huge = 4 * 10**18
    type(reward).objects.filter(pk=reward.pk).update(cost_minor=huge, due=huge, given=huge, reversed=huge - 7)

    (found,) = queue.with_stakes(Case.objects.all())

    assert found.stake_minor == 7 + shop.rewards_of("boris")[0].cost_minor
