"""What the clock starts, for every tenant in turn. One tenant's trouble does not hold up the others."""

from celery import shared_task

from antifraud.judging import second_look
from antifraud.moderation import escalation
from antifraud.stops import patrol, tallies
from tenants import rounds
from tenants.clock import now
from tenants.models import Tenant

CASES_A_ROUND = 500


@shared_task
def escalate_cases(**_: object) -> None:
    """Escalate what nobody has decided in time. What is more than a round takes comes with the next one."""

    def escalate(_tenant: Tenant) -> None:
        if escalation.is_any_due(at=now()):
            escalation.escalate_due(limit=CASES_A_ROUND, at=now())

    rounds.visit(escalate)


@shared_task
def watch_figures(**_: object) -> None:
    """Look at the stop rules that no batch has just looked at, and let go on what is to."""

    def walk(_tenant: Tenant) -> None:
        if patrol.is_due(at=now()):
            patrol.walk(at=now())

    rounds.visit(walk)


@shared_task
def look_again(**_: object) -> None:
    """Look again at what is on hold where more is known by now."""

    def look(_tenant: Tenant) -> None:
        if second_look.is_due(at=now()):
            second_look.look(at=now())

    rounds.visit(look)


@shared_task
def prune_tallies(**_: object) -> None:
    """Forget the minutes that no stop rule sums any more."""
    rounds.visit(lambda _tenant: tallies.prune(at=now()))
