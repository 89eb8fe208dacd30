"""
Who looks after a case, and what happens when nobody does: it escalates, and goes on waiting.

Assigning forbids nobody to decide. Neither moves money, so neither takes the tenant's lock: the case's row is enough.
"""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from antifraud.models import Case
from antifraud.moderation.deciding import already_decided
from core.db import fetch, transaction
from core.errors import Conflict, Invalid
from events import facts
from events.facts import Fact
from tenants import audit
from tenants.staff.models import Staff

DECIDE: Final = "antifraud.decide_case"


class AlreadyTaken(Conflict):
    """Somebody else looks after it."""


class NotAssignable(Invalid):
    """They do not work here any more, or may not decide."""

    message = _("A case can only be given to somebody who may decide it.")


@transaction
def assign(*, case: Case, to: Staff | None, by: Staff, at: datetime) -> Case:
    """
    Give an open case to somebody who may decide, whoever had it before; None gives it back to everybody.

    :raises NotAssignable: | antifraud.moderation.deciding.AlreadyDecided
    """
    if to is not None and not (to.is_active and to.has_perm(DECIDE)):
        raise NotAssignable
    _get_open(case)
    return _give(case, to=to, by=by, at=at)


@transaction
def take(*, case: Case, by: Staff, at: datetime) -> Case:
    """
    Take an open case that nobody has. Taken twice by the same person it is theirs once.

    :raises AlreadyTaken: names who was quicker.
    :raises NotAssignable: | antifraud.moderation.deciding.AlreadyDecided
    """
    if not by.has_perm(DECIDE):
        raise NotAssignable
    fresh = _get_open(case)
    if fresh.assigned_to is not None and fresh.assigned_to != by:
        raise AlreadyTaken(_("%(who)s already looks after this case.") % {"who": fresh.assigned_to})
    return _give(case, to=by, by=by, at=at)


def list_moderators() -> QuerySet[Staff]:
    """Return who may be given a case: all of the staff who may decide."""
    app, codename = DECIDE.split(".")
    permission = Permission.objects.filter(content_type__app_label=app, codename=codename)
    may = Q(is_superuser=True) | Q(groups__permissions__in=permission) | Q(user_permissions__in=permission)
    return Staff.objects.filter(may, is_active=True).distinct().order_by("username")


@transaction
def escalate_due(*, limit: int, at: datetime) -> int:
    """
    Escalate up to `limit` cases whose time is over, those due longest first, and return how many.

    Each escalates once, and nothing is paid: only a moderator's decision does that.
    """
    rows = fetch(ESCALATE, {"at": at, "limit": limit})
    if rows:
        facts.record(facts=[_fact(row) for row in rows], at=at)
        changes = {"cases": [row.id for row in rows]}
        audit.record(actor_kind="system", actor="", action="case.escalated", target="cases", changes=changes, at=at)
    return len(rows)


def is_any_due(*, at: datetime) -> bool:
    """Tell whether a case's time is over."""
    return Case.objects.filter(status=Case.Status.OPEN, escalated_at=None, due_at__lte=at).exists()


def _get_open(case: Case) -> Case:
    """Return the case as it is now, and keep others from changing it until the commit."""
    # Locked first and read then: a row that somebody else has just changed comes without what it is joined to.
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    fresh = Case.objects.select_related("assigned_to", "decided_by").get(pk=case.pk)
    if fresh.status != Case.Status.OPEN:
        raise already_decided(fresh)
    return fresh


def _give(case: Case, *, to: Staff | None, by: Staff, at: datetime) -> Case:
    Case.objects.filter(pk=case.pk).update(assigned_to=to)
    audit.record(
        actor_kind="staff",
        actor=by.get_username(),
        action="case.assigned",
        target=f"case:{case.pk}",
        changes={"to": to.get_username() if to else ""},
        at=at,
    )
    return Case.objects.get(pk=case.pk)


def _fact(row: Any) -> Fact:
    data = {
        "case_id": row.id,
        "campaign_id": row.campaign_id,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
        "assigned_to": row.username,
    }
    # A case that is opened again with a new time to decide escalates anew.
    return Fact(kind="case.escalated", key=f"case:{row.id}:escalated:{row.due_at.isoformat()}", data=data)


ESCALATE = """
WITH due AS (
    SELECT id FROM antifraud_case
    WHERE status = 'open' AND escalated_at IS NULL AND due_at <= %(at)s
    ORDER BY due_at, id LIMIT %(limit)s FOR NO KEY UPDATE
), escalated AS (
    UPDATE antifraud_case c SET escalated_at = %(at)s FROM due
    WHERE c.id = due.id AND c.status = 'open' AND c.escalated_at IS NULL
    RETURNING c.id, c.campaign_id, c.opened_at, c.due_at, c.assigned_to_id
)
SELECT e.id, e.campaign_id, e.opened_at, e.due_at, coalesce(s.username, '') AS username
FROM escalated e LEFT JOIN staff_staff s ON s.id = e.assigned_to_id ORDER BY e.due_at, e.id
"""
