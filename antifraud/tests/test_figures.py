"""How moderation goes, in figures."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.models import Case, Signal
from antifraud.moderation import deciding, escalation, figures
from antifraud.moderation.figures import Decided
from antifraud.moderation.precision import Precision, wilson
from rewards.models import Reward
from tenants import context
from tests.cast import NOON
from tests.people import flag

ZONE = ZoneInfo("Europe/Moscow")
HOUR = timedelta(hours=1)
EVENING = NOON + 8 * HOUR


@pytest.fixture
def cases(shop, campaign) -> list[Case]:
    """Flag four pairs at noon."""
    for number in range(4):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    return list(Case.objects.order_by("pk"))


def found(*, days: int = 7, at: datetime = EVENING) -> figures.Figures:
    return figures.figures(days=days, zone=ZONE, at=at)


# Wilson's interval


@pytest.mark.parametrize(
    ("rejected", "decided", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17, 857), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_one_of_the_literature(rejected, decided, low, high):
    assert [round(bound, 4) for bound in wilson(rejected, of=decided)] == [low, high]


@pytest.mark.parametrize("decided", [1, 2, 7, 1000])
def test_an_interval_stays_within_what_a_share_can_be_and_holds_the_share(decided):
    for rejected in {0, decided // 2, decided}:
        low, high = wilson(rejected, of=decided)

        assert 0 <= low <= rejected / decided <= high <= 1


def test_a_handful_of_cases_is_said_to_be_too_few():
    assert Precision("velocity", decided=19, rejected=19).is_few
    assert not Precision("velocity", decided=20, rejected=19).is_few


# What waits


def test_what_waits_now_is_counted_with_its_cost(cases, max_):
    Reward.objects.update(cost_minor=50)
    deciding.reject(case=cases[0], by=max_, at=NOON + HOUR)
    Case.objects.filter(pk=cases[1].pk).update(opened_at=NOON - HOUR, due_at=NOON)
    escalation.escalate_due(limit=10, at=EVENING)

    assert found().queue == figures.Queue(waiting=3, overdue=1, escalated=1, oldest_at=NOON - HOUR, cost_minor=6 * 50)


def test_an_empty_queue_costs_nothing(acme):
    assert found().queue == figures.Queue(waiting=0, overdue=0, escalated=0, oldest_at=None, cost_minor=0)


# What was decided


def test_decisions_are_told_together_and_by_moderator(cases, max_, mia):
    deciding.approve(case=cases[0], by=max_, at=NOON + 1 * HOUR)
    deciding.reject(case=cases[1], by=max_, at=NOON + 2 * HOUR)
    deciding.reject(case=cases[2], by=max_, at=NOON + 3 * HOUR)
    deciding.approve(case=cases[3], by=mia, at=NOON + 4 * HOUR)

    told = found()

    assert told.together == Decided("", 4, 2, 0, median=2.5 * HOUR, slow=3.7 * HOUR)
    assert told.moderators == (
        Decided("max", 3, 1, 0, median=2 * HOUR, slow=2.8 * HOUR),
        Decided("mia", 1, 1, 0, median=4 * HOUR, slow=4 * HOUR),
    )
    assert (told.together.approved_share, told.moderators[1].approved_share) == (0.5, 1.0)


def test_what_was_undone_is_overturned_and_the_next_decision_counts_from_the_undo(cases, max_, mia):
    deciding.approve(case=cases[0], by=max_, at=NOON + HOUR)
    deciding.undo(case=cases[0], by=mia, at=NOON + HOUR + timedelta(minutes=5))
    deciding.reject(case=cases[0], by=mia, at=NOON + HOUR + timedelta(minutes=15))

    assert found().moderators == (
        Decided("max", 1, 1, 1, median=HOUR, slow=HOUR),
        Decided("mia", 1, 0, 0, median=timedelta(minutes=10), slow=timedelta(minutes=10)),
    )


def test_without_decisions_there_is_no_share(acme):
    told = found()

    assert (told.together, told.moderators, told.signals) == (Decided(""), (), ())
    assert (told.together.approved_share, told.together.overturned_share) == (None, None)


def test_the_period_begins_at_the_tenants_own_midnight(cases, max_):
    # In Moscow the 17th of March begins at nine in the evening of the 16th, UTC.
    last_of_the_day_before = datetime.fromisoformat("2026-03-17T20:59:59+00:00")
    deciding.approve(case=cases[0], by=max_, at=last_of_the_day_before)
    deciding.approve(case=cases[1], by=max_, at=last_of_the_day_before + timedelta(seconds=1))

    told = found(days=7, at=NOON + timedelta(days=7))

    assert told.since == datetime.fromisoformat("2026-03-17T21:00:00+00:00")
    assert told.together.decisions == 1
    assert found(days=30, at=NOON + timedelta(days=7)).together.decisions == 2


# Which signals were right


def of(name: str) -> tuple[int, int]:
    (signal,) = [each for each in found().signals if each.signal == name]
    return signal.rejected, signal.decided


def test_a_signal_is_right_where_the_case_was_rejected(cases, max_):
    deciding.reject(case=cases[0], by=max_, at=NOON)
    deciding.reject(case=cases[1], by=max_, sides="inviter", at=NOON)
    deciding.approve(case=cases[2], by=max_, at=NOON)

    # Both sides of a pair are one case.
    assert of("self_referral_card") == (2, 3)


def test_what_was_undone_is_not_decided(cases, max_):
    deciding.reject(case=cases[0], by=max_, at=NOON)
    deciding.undo(case=cases[0], by=max_, at=NOON)

    assert found().signals == ()


def test_what_a_stop_rule_flagged_is_known_by_its_reason_alone(cases, max_):
    rewards = Reward.objects.filter(pk__in=cases[0].case_rewards.values("reward"))
    rewards.update(reasons=[{"signal": "stopped", "evidence": {}}])
    deciding.approve(case=cases[0], by=max_, at=NOON)

    assert of("stopped") == (0, 1)


def test_a_signal_in_shadow_is_judged_too_and_said_to_be_one(cases, max_):
    reward = cases[0].case_rewards.first().reward
    Signal.objects.create(
        event=reward.event,
        rule=reward.rule,
        member=reward.member,
        name="under_trial",
        weight=40,
        verdict="flag",
        is_shadow=True,
        at=NOON,
    )
    deciding.reject(case=cases[0], by=max_, at=NOON)

    (trial,) = [each for each in found().signals if each.signal == "under_trial"]
    assert (trial.rejected, trial.decided, trial.is_shadow) == (1, 1, True)
    assert not any(each.is_shadow for each in found().signals if each.signal == "self_referral_card")


# The cost of asking


def test_many_cases_take_as_few_statements_as_none(cases, max_, acme):
    deciding.reject(case=cases[0], by=max_, at=NOON)

    with CaptureQueriesContext(connection) as statements:
        found()

    assert len(statements) == 3


def test_one_tenants_figures_have_nothing_of_the_others(cases, max_, bolt):
    deciding.reject(case=cases[0], by=max_, at=NOON)

    with context.in_tenant("t_bolt"):
        told = found()

    assert (told.queue.waiting, told.together.decisions, told.signals) == (0, 0, ())
