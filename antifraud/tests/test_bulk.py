"""Many cases at once: what is shown before is what happens then, and what fails holds up nobody."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.limits import counters
from antifraud.models import Case, Decision
from antifraud.moderation import bulk, deciding
from antifraud.moderation.bulk import Choice
from rewards import ledger
from rewards.models import Posting, Reward
from tenants import context
from tenants.staff.models import Staff
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag

APPROVE, REJECT = Choice("approve"), Choice("reject")


@pytest.fixture
def cases(shop, campaign) -> list[Case]:
    """Flag three pairs: Anna and Boris, Clara and Dina, Elsa and Fred."""
    for inviter, friend in (("anna", "boris"), ("clara", "dina"), ("elsa", "fred")):
        flag(shop, inviter=inviter, friend=friend)
    return list(Case.objects.order_by("pk"))


@pytest.fixture
def own(cases: list[Case], shop: Shop, max_: Staff) -> Case:
    """Let Max be Anna."""
    shop.tells("check_in", {"external_id": "anna", "email": "max@example.com"})
    Staff.objects.filter(pk=max_.pk).update(email="max@example.com")
    max_.refresh_from_db()
    return cases[0]


def decide(cases: list[Case], choice: Choice, by: Staff, seen: dict[int, int] | None = None) -> bulk.Outcome:
    return bulk.decide(cases=cases, choice=choice, by=by, seen=seen or {}, at=NOON)


def preview(cases: list[Case], choice: Choice, by: Staff) -> bulk.Preview:
    return bulk.preview(cases=cases, choice=choice, by=by, at=NOON)


def told(refused: tuple[bulk.Refused, ...]) -> list[tuple[int, str]]:
    return [(each.case.pk, each.failure.code) for each in refused]


def test_the_preview_of_an_approval_adds_everything_up_and_changes_nothing(cases, shop, max_):
    Reward.objects.update(cost_minor=250)

    found = preview(cases, APPROVE, max_)

    assert (found.cases, found.refused, found.seen) == (3, (), {case.pk: 2 for case in cases})
    assert found.total == bulk.Total(rewards=6, people=6, points=600, cost_minor=1500, amounts=("600",))
    assert (found.approved, found.rejected.rewards) == (found.total, 0)
    assert set(Reward.objects.values_list("status", flat=True)) == {"flagged"}
    assert not Decision.objects.exists()


def test_the_preview_of_a_rejection_of_one_side_says_what_the_other_gets(cases, max_):
    found = preview(cases, Choice("reject", sides="inviter"), max_)

    assert (found.rejected.points, found.approved.points, found.total.points) == (300, 300, 600)


def test_the_preview_says_what_would_be_refused_and_why(cases, own, max_, mia):
    deciding.approve(case=cases[1], by=mia, at=NOON)

    found = preview(cases, REJECT, max_)

    assert told(found.refused) == [(own.pk, "own_case"), (cases[1].pk, "already_decided")]
    assert (found.cases, found.total.points) == (1, 200)
    assert "mia" in str(found.refused[1].failure)


def test_the_preview_of_a_side_that_has_nothing_says_so(shop, max_):
    make_campaign(rule={"recipient": "inviter"})
    flag(shop)

    found = preview(list(Case.objects.all()), Choice("reject", sides="invitee"), max_)

    assert [code for _case, code in told(found.refused)] == ["nothing_to_reject"]
    assert (found.cases, found.total.rewards) == (0, 0)


def test_the_preview_takes_as_few_statements_for_many_as_for_one(cases, max_):
    preview(cases, REJECT, max_)
    with CaptureQueriesContext(connection) as one:
        preview(cases[:1], REJECT, max_)
    with CaptureQueriesContext(connection) as three:
        preview(cases, REJECT, max_)

    assert len(three) == len(one)


def test_other_assets_and_gifts_are_named_beside_the_points(cases, shop, max_):
    first, second = shop.rewards_of("anna")[0], shop.rewards_of("clara")[0]
    Reward.objects.filter(pk__in=[first.pk, second.pk]).update(asset=None, kind="product", what="mug")

    assert preview(cases, APPROVE, max_).total.amounts == ("400", "2 × mug")


def test_many_are_decided_each_by_itself(cases, shop, max_):
    outcome = decide(cases, Choice("reject", note="A farm.", sides="inviter"), max_)

    assert len(outcome.decided) == 3
    assert outcome.refused == ()
    assert list(Decision.objects.values_list("note", "sides").distinct()) == [("A farm.", "inviter")]
    assert [shop.balance_of(name) for name in ("anna", "boris", "clara", "dina")] == [0, 100, 0, 100]
    assert ledger.verify() == []
    assert counters.verify(zone=context.current().time_zone) == []


def test_ones_own_case_is_left_out_and_the_others_are_decided(cases, own, shop, max_):
    outcome = decide(cases, APPROVE, max_)

    assert told(outcome.refused) == [(own.pk, "own_case")]
    assert len(outcome.decided) == 2
    assert Case.objects.get(pk=own.pk).status == "open"
    assert (shop.balance_of("anna"), shop.balance_of("clara")) == (0, 100)


def test_what_somebody_else_has_decided_meanwhile_is_left_as_it_is(cases, shop, max_, mia):
    deciding.reject(case=cases[1], by=mia, at=NOON)

    outcome = decide(cases, APPROVE, max_)

    assert told(outcome.refused) == [(cases[1].pk, "already_decided")]
    assert (shop.balance_of("anna"), shop.balance_of("clara"), shop.balance_of("elsa")) == (100, 0, 100)


def test_a_case_that_has_grown_since_the_preview_is_left_as_it_is(cases, shop, max_):
    seen = {case.pk: 2 for case in cases} | {cases[0].pk: 1}

    outcome = decide(cases, APPROVE, max_, seen)

    assert told(outcome.refused) == [(cases[0].pk, "case_has_grown")]
    assert Posting.objects.count() == 4
