"""Two moderators, a moderator beside the worker, and two clocks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from antifraud.limits import counters
from antifraud.models import Case, Decision
from antifraud.moderation import deciding, escalation
from core.db import transaction
from events import claims
from events.models import Event
from rewards import ledger
from rewards.models import Posting, Reward
from tenants import context
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run each in a thread with a connection of its own, and return what came of them."""

    def alone(act: Callable[[], object]) -> str:
        try:
            with context.in_tenant("t_acme"):
                act()
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as threads:
        return sorted(threads.map(alone, acts))


def score(shop: Shop) -> Callable[[], None]:
    """Return what a worker does: it handles whatever waits, as soon as the tenant is free."""

    def act() -> None:
        while True:
            try:
                shop.handle()
            except claims.Busy:
                continue
            return

    return act


def is_well() -> bool:
    return ledger.verify() == [] and counters.verify(zone="Europe/Moscow") == []


def test_of_two_moderators_one_decides_and_the_other_is_told(max_, mia):
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    case, again = Case.objects.get(), Case.objects.get()

    came = at_once(
        lambda: transaction(deciding.approve)(case=case, by=max_, at=NOON),
        lambda: transaction(deciding.reject)(case=again, by=mia, at=NOON),
    )

    assert came == ["AlreadyDecided", "done"]
    decision = Decision.objects.get()
    assert Posting.objects.count() == (2 if decision.action == "approve" else 0)
    assert ledger.verify() == []


def test_two_clicks_at_once_pay_once(max_):
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    came = at_once(*[lambda: transaction(deciding.approve)(case=Case.objects.get(), by=max_, at=NOON)] * 4)

    assert came == ["AlreadyDecided"] * 3 + ["done"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)


def test_a_rejection_beside_the_worker_leaves_the_counters_right(max_):
    shop = Shop()
    make_campaign(rule={"recipient": "both"}, budget_points=2000)
    flag(shop)
    shop.joins("clara", invited_by="anna")
    shop.report("order.paid", "clara", order_id="A-1", amount_minor=50_000, currency="RUB")

    came = at_once(score(shop), lambda: transaction(deciding.reject)(case=Case.objects.get(), by=max_, at=NOON))

    assert came == ["done", "done"]
    assert counters.verify(zone="Europe/Moscow") == []
    assert shop.balance_of("anna") == 100


@pytest.mark.parametrize("_round", range(3))
def test_of_two_who_reject_different_sides_one_is_followed_and_no_half_of_the_other(max_, mia, _round):
    shop = Shop()
    make_campaign(rule={"recipient": "both"}, budget_points=200)
    flag(shop)
    case, again = Case.objects.get(), Case.objects.get()

    came = at_once(
        lambda: transaction(deciding.reject)(case=case, by=max_, sides="inviter", at=NOON),
        lambda: transaction(deciding.reject)(case=again, by=mia, sides="invitee", at=NOON),
    )

    assert came == ["AlreadyDecided", "done"]
    decision = Decision.objects.get()
    paid = {"inviter": "boris", "invitee": "anna"}[decision.sides]
    assert {name: shop.balance_of(name) for name in ("anna", "boris")} == {"anna": 0, "boris": 0} | {paid: 100}
    assert is_well()


@pytest.mark.parametrize("verb", [deciding.approve, deciding.reject])
def test_a_decision_beside_a_refund_of_the_order_pays_nothing_in_the_end(max_, verb):
    shop = Shop()
    make_campaign(rule={"recipient": "both"}, budget_points=1000)
    shop.joins({"external_id": "anna", "card": "token-1"})
    shop.joins({"external_id": "boris", "card": "token-1"}, invited_by="anna")
    shop.pays("boris", "500", order="A-1")
    shop.report("order.cancelled", "boris", order_id="A-1")

    came = at_once(score(shop), lambda: transaction(verb)(case=Case.objects.get(), by=max_, at=NOON))

    assert came == ["done", "done"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 0)
    assert Decision.objects.count() == 1
    assert is_well()


@pytest.mark.parametrize("_round", range(3))
def test_an_undo_beside_whoever_wants_the_budget_leaves_it_kept(max_, _round):
    shop = Shop()
    campaign = make_campaign(rule={"recipient": "inviter"}, budget_points=100)
    flag(shop)
    case = Case.objects.get()
    transaction(deciding.reject)(case=case, by=max_, at=NOON)
    shop.joins("clara", invited_by="anna")
    shop.report("order.paid", "clara", order_id="A-2", amount_minor=50_000, currency="RUB")

    came = at_once(score(shop), lambda: transaction(deciding.undo)(case=case, by=max_, at=NOON))

    assert came in (["LimitReached", "done"], ["done", "done"])
    counting = Reward.objects.filter(campaign=campaign).exclude(status="rejected")
    assert sum(counting.values_list("given", flat=True)) == 100
    assert is_well()


def test_of_two_who_take_a_case_one_has_it(max_, mia):
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    case = Case.objects.get()

    came = at_once(
        lambda: escalation.take(case=case, by=max_, at=NOON), lambda: escalation.take(case=case, by=mia, at=NOON)
    )

    assert came == ["AlreadyTaken", "done"]
    assert Case.objects.get().assigned_to in {max_, mia}


def test_two_clocks_escalate_a_case_once(max_):
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    for number in range(5):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    late = NOON + timedelta(days=2)

    at_once(*[lambda: escalation.escalate_due(limit=10, at=late)] * 3)

    assert Event.objects.filter(kind="case.escalated").count() == 5
    assert Case.objects.filter(escalated_at=late, status="open").count() == 5


def test_a_case_that_is_being_decided_is_not_escalated_afterwards(max_):
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    late = NOON + timedelta(days=2)

    came = at_once(
        lambda: transaction(deciding.approve)(case=Case.objects.get(), by=max_, at=late),
        lambda: escalation.escalate_due(limit=10, at=late),
    )

    assert came == ["done", "done"]
    assert Case.objects.get().status == "approved"
    assert Event.objects.filter(kind="case.escalated").count() == Case.objects.exclude(escalated_at=None).count()
    assert shop.balance_of("anna") == 100
    assert is_well()
