"""Two moderators, and a moderator beside the worker."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from antifraud import counters, moderation
from antifraud.models import Case, Decision
from events import claims
from rewards import ledger
from rewards.models import Posting
from tenants import context
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag, staff_of

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


def test_of_two_moderators_one_decides_and_the_other_is_told():
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    case, again = Case.objects.get(), Case.objects.get()
    max_, mia = staff_of("moderator", username="max"), staff_of("moderator", username="mia")

    came = at_once(
        lambda: moderation.approve(case=case, by=max_, at=NOON),
        lambda: moderation.reject(case=again, by=mia, at=NOON),
    )

    assert came == ["AlreadyDecided", "done"]
    decision = Decision.objects.get()
    assert Posting.objects.count() == (2 if decision.action == "approve" else 0)
    assert ledger.verify() == []


def test_two_clicks_at_once_pay_once():
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    max_ = staff_of("moderator", username="max")

    came = at_once(*[lambda: moderation.approve(case=Case.objects.get(), by=max_, at=NOON)] * 4)

    assert came == ["AlreadyDecided"] * 3 + ["done"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)


def test_a_rejection_beside_the_worker_leaves_the_counters_right():
    shop = Shop()
    make_campaign(rule={"recipient": "both"}, budget_points=2000)
    flag(shop)
    shop.joins("clara", invited_by="anna")
    shop.report("order.paid", "clara", order_id="A-1", amount_minor=50_000, currency="RUB")
    max_ = staff_of("moderator", username="max")

    def score() -> None:
        while True:
            try:
                shop.handle()
            except claims.Busy:
                continue
            return

    came = at_once(score, lambda: moderation.reject(case=Case.objects.get(), by=max_, at=NOON))

    assert came == ["done", "done"]
    assert counters.verify(zone="Europe/Moscow") == []
    assert shop.balance_of("anna") == 100
