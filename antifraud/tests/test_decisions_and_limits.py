"""What a decision does to limits, of every kind; and that it costs the same for many rewards as for few."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.limits import counters
from antifraud.lists import bans
from antifraud.models import Case, CaseReward, Counter
from antifraud.moderation import deciding
from core.db import transaction
from members.models import Member
from rewards import ledger
from rewards.tests import hands
from tenants import context
from tests.cast import NOON, make_campaign
from tests.people import flag

LATER = NOON + timedelta(minutes=5)


def all_is_well() -> bool:
    return ledger.verify() == [] and counters.verify(zone=context.current().time_zone) == []


def counted() -> list[int]:
    # Beside the budget's, which every campaign has.
    return list(Counter.objects.exclude(scope="campaign").order_by("pk").values_list("count", flat=True))


@pytest.mark.parametrize("period", ["hour", "month", "rolling", "ever"])
@pytest.mark.parametrize("per", ["member", "inviter", "card", "campaign"])
def test_every_kind_of_limit_is_given_back_and_taken_again(shop, max_, per, period):
    limit = {"per": per, "period": period, "days": 7 if period == "rolling" else None, "max_count": 2}
    make_campaign(rule={"recipient": "both"}, limits=[limit])
    flag(shop)
    case = Case.objects.get()
    before = counted()

    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)
    assert all_is_well()
    assert sum(counted()) < sum(before)
    deciding.undo(case=case, by=max_, at=LATER)
    assert all_is_well()
    assert counted() == before

    deciding.approve(case=case, by=max_, at=LATER)
    assert all_is_well()
    assert counted() == before


def test_a_large_case_takes_as_few_statements_as_a_small_one(shop, campaign, max_):
    for number in range(7):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    small, large, *rest = Case.objects.order_by("pk")
    CaseReward.objects.filter(case__in=rest).update(case=large)

    with CaptureQueriesContext(connection) as few:
        deciding.reject(case=small, by=max_, sides="inviter", at=NOON)
    with CaptureQueriesContext(connection) as many:
        deciding.reject(case=large, by=max_, sides="inviter", at=NOON)

    assert large.case_rewards.count() == 12
    assert len(many) == len(few)
    assert all_is_well()


@pytest.mark.parametrize("first", ["approve", "reject the inviter's"])
def test_an_undo_leaves_what_an_earlier_decision_has_settled(shop, campaign, max_, mia, first):
    flag(shop)
    case = Case.objects.get()
    if first == "approve":
        deciding.approve(case=case, by=max_, at=NOON)
    else:
        deciding.reject(case=case, by=max_, sides="inviter", at=NOON)
    settled = shop.rewards_of("anna")[0].status
    with transaction():
        bans.ban(member=Member.objects.get(pk=shop.id_of("boris")), by=mia, note="a farm", takes="granted", at=NOON)
    case.refresh_from_db()
    deciding.reject(case=case, by=max_, at=NOON)

    deciding.undo(case=case, by=max_, at=LATER)

    assert shop.rewards_of("anna")[0].status == settled
    assert shop.rewards_of("boris")[0].status == "flagged"
    assert shop.balance_of("anna") == (100 if first == "approve" else 0)
    assert all_is_well()


def test_what_an_earlier_decision_gave_and_is_spent_stands_in_no_way(shop, campaign, max_, mia):
    flag(shop)
    case = Case.objects.get()
    deciding.approve(case=case, by=max_, at=NOON)
    hands.give(Member.objects.get(pk=shop.id_of("anna")), -100)
    with transaction():
        bans.ban(member=Member.objects.get(pk=shop.id_of("boris")), by=mia, note="a farm", takes="granted", at=NOON)
    deciding.reject(case=case, by=max_, at=NOON)

    deciding.undo(case=case, by=max_, at=LATER)

    assert [shop.rewards_of(name)[0].status for name in ("anna", "boris")] == ["granted", "flagged"]
    assert all_is_well()
