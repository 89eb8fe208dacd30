"""What nobody decides in time escalates, and is never paid by time."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud import tasks
from antifraud.lists import bans
from antifraud.models import Case, FraudPolicy
from antifraud.moderation import deciding, escalation
from core.db import transaction
from events.models import Event
from members.models import Member
from rewards import ledger, maturing, night
from rewards.models import Posting
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag

DUE = NOON + timedelta(hours=24)


def escalated() -> list[int]:
    return list(Case.objects.exclude(escalated_at=None).order_by("pk").values_list("pk", flat=True))


# Due, and overdue


def test_a_case_is_due_as_long_after_it_opened_as_the_policy_says(shop, campaign):
    FraudPolicy.objects.update(due_hours=36)

    flag(shop)

    assert Case.objects.get().due_at == NOON + timedelta(hours=36)


def test_a_case_that_grows_keeps_its_age(shop, acme):
    make_campaign(rule={"recipient": "both", "order_number": "any"})
    flag(shop)
    FraudPolicy.objects.update(due_hours=1)
    shop.at = NOON + timedelta(hours=2)

    shop.pays({"external_id": "boris", "card": "token-anna"}, "700")

    case = Case.objects.get()
    assert case.case_rewards.count() == 4
    assert case.due_at == DUE


def test_it_escalates_the_moment_its_time_is_over_and_not_before(case):
    assert escalation.escalate_due(limit=10, at=DUE - timedelta(microseconds=1)) == 0
    assert escalated() == []

    assert escalation.escalate_due(limit=10, at=DUE) == 1

    assert Case.objects.get().escalated_at == DUE
    assert Case.objects.get().status == "open"


def test_it_escalates_once_with_a_fact_and_a_line_in_the_log(case):
    for hours in (0, 1, 2):
        escalation.escalate_due(limit=10, at=DUE + timedelta(hours=hours))

    fact = Event.objects.get(kind="case.escalated")
    assert fact.data == {
        "case_id": case.pk,
        "campaign_id": case.campaign_id,
        "opened_at": "2026-03-17T12:00:00Z",
        "due_at": "2026-03-18T12:00:00Z",
        "assigned_to": "",
    }
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.action, entry.changes) == ("system", "case.escalated", {"cases": [case.pk]})


def test_what_was_due_first_escalates_first(shop, campaign):
    for name in ("boris", "clara", "dina"):
        flag(shop, inviter=f"of-{name}", friend=name)
        shop.at += timedelta(hours=1)
    first, second, _third = Case.objects.order_by("opened_at")

    assert escalation.escalate_due(limit=2, at=NOON + timedelta(days=9)) == 2

    assert escalated() == [first.pk, second.pk]
    assert escalation.is_any_due(at=NOON + timedelta(days=9))


def test_a_case_that_is_decided_does_not_escalate(case, max_):
    deciding.approve(case=case, by=max_, at=NOON)

    assert escalation.escalate_due(limit=10, at=DUE) == 0
    assert not Event.objects.filter(kind="case.escalated").exists()


def test_time_alone_never_pays_what_waits_for_a_moderator(case, shop, acme):
    far = NOON + timedelta(days=1000)

    escalation.escalate_due(limit=10, at=far)
    maturing.release_due(schema="t_acme", limit=10, at=far)
    night.run(schema="t_acme", at=far)
    shop.at = far
    shop.tells("check_in", "anna")

    assert [reward.status for name in ("anna", "boris") for reward in shop.rewards_of(name)] == ["flagged"] * 2
    assert Case.objects.get().status == "open"
    assert not Posting.objects.exists()
    assert ledger.verify() == []


def test_a_case_that_a_ban_opens_again_escalates_anew(case, shop, max_, mia):
    escalation.escalate_due(limit=10, at=DUE)
    deciding.approve(case=case, by=max_, at=DUE)
    with transaction():
        member = Member.objects.get(pk=shop.id_of("boris"))
        bans.ban(member=member, by=mia, note="a farm", takes="granted", at=DUE)

    assert escalation.escalate_due(limit=10, at=DUE + timedelta(hours=24)) == 1

    assert Event.objects.filter(kind="case.escalated").count() == 2


def test_an_escalated_case_is_decided_like_any_other(case, shop, mia):
    escalation.escalate_due(limit=10, at=DUE)

    deciding.approve(case=case, by=mia, at=DUE)

    assert shop.balance_of("anna") == 100


def test_the_clock_escalates_in_every_tenant_whose_time_is_over(case, bolt):
    with context.in_tenant("t_bolt"):
        make_campaign(rule={"recipient": "both"})
        flag(Shop())
        FraudPolicy.objects.update(due_hours=720)
        Case.objects.update(due_at=NOON + timedelta(days=36500))

    tasks.escalate_cases()

    assert escalated() == [case.pk]
    with context.in_tenant("t_bolt"):
        assert escalated() == []


def test_many_take_as_few_statements_as_one(shop, campaign):
    for number in range(6):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")

    with CaptureQueriesContext(connection) as one:
        escalation.escalate_due(limit=1, at=DUE)
    with CaptureQueriesContext(connection) as five:
        escalation.escalate_due(limit=5, at=DUE)

    assert len(five) == len(one)
    assert len(escalated()) == 6
