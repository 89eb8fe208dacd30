"""Many cases decided at once: first what it comes to, then one click."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin.amounts import cost, said
from antifraud.admin.deciding import DecidingPages, note_of, number
from antifraud.models import Case, Decision
from antifraud.moderation import bulk, notes
from antifraud.moderation.bulk import Choice, Preview, Refused, Total
from core.templatetags.backoffice import whole
from tenants.clock import now

BULK_MAX = 200
Action = Decision.Action


class ManyPages(DecidingPages):
    """The two actions of the list."""

    actions = ["approve_selected", "reject_selected"]

    @admin.action(description=_("Approve…"), permissions=["decide"])
    def approve_selected(self, request: HttpRequest, cases: QuerySet[Case]) -> HttpResponse | None:
        return self._many(request, cases, Choice(Action.APPROVE, note_of(request)))

    @admin.action(description=_("Reject…"), permissions=["decide"])
    def reject_selected(self, request: HttpRequest, cases: QuerySet[Case]) -> HttpResponse | None:
        return self._many(request, cases, Choice(Action.REJECT, note_of(request), request.POST.get("sides") or None))

    def _many(self, request: HttpRequest, cases: QuerySet[Case], choice: Choice) -> HttpResponse | None:
        chosen = _chosen(request, cases)
        # What is decided is what was shown: another choice of sides has another total.
        if "confirmed" in request.POST and request.POST.get("shown_sides", "") == (choice.sides or ""):
            self._decide(request, chosen[:BULK_MAX], choice)
            return None
        return self._ask(request, chosen, choice)

    def _ask(self, request: HttpRequest, chosen: Sequence[Case], choice: Choice) -> HttpResponse | None:
        cases = chosen[:BULK_MAX]
        is_approval = choice.action == Action.APPROVE
        found = bulk.preview(cases=cases, choice=choice, by=request.user, at=now())  # type: ignore[arg-type]
        if not found.cases:
            self._say_why(request, found.refused)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Approve cases") if is_approval else gettext("Reject cases"),
            "opts": self.opts,
            "found": found,
            "cases": [(case.pk, found.seen.get(case.pk, 0)) for case in cases],
            "totals": _totals(found),
            "too_many": BULK_MAX if len(chosen) > BULK_MAX else 0,
            "action": "approve_selected" if is_approval else "reject_selected",
            "is_approval": is_approval,
            "reasons": notes.suggested(action=choice.action),
            "note": choice.note,
            "sides": choice.sides or "",
            "all_sides": [] if is_approval else Decision._meta.get_field("sides").choices,
        }
        return TemplateResponse(request, "admin/antifraud/case/confirm.html", context)

    def _decide(self, request: HttpRequest, cases: Sequence[Case], choice: Choice) -> None:
        outcome = bulk.decide(
            cases=cases,
            choice=choice,
            by=request.user,  # type: ignore[arg-type]
            seen={case.pk: number(request.POST.get(f"seen-{case.pk}")) for case in cases},
            at=now(),
        )
        decided = len(outcome.decided)
        if decided:
            done = ngettext("%(count)s case decided.", "%(count)s cases decided.", decided)
            messages.success(request, done % {"count": whole(decided)})
        self._say_why(request, outcome.refused)

    def _say_why(self, request: HttpRequest, refused: Iterable[Refused]) -> None:
        for each in refused:
            messages.warning(request, f"{each.case}: {each.failure}")


def _chosen(request: HttpRequest, cases: QuerySet[Case]) -> list[Case]:
    """
    Return the cases that were ticked, one more than are decided at once, if so many were.

    Those that somebody has decided meanwhile have left the view that `cases` are of, and are told of, too.
    """
    if request.POST.get("select_across") == "1":
        return list(cases.order_by("pk")[: BULK_MAX + 1])
    ticked = {int(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME) if number(pk) is not None}
    return list(Case.objects.filter(pk__in=ticked).order_by("pk")[: BULK_MAX + 1])


def _totals(found: Preview) -> list[dict[str, Any]]:
    """Return what would be given and what would not, as far as there is any of it."""
    parts = [(_("Will be given"), found.approved, "good"), (_("Will not be given"), found.rejected, "bad")]
    return [_total(title, total, tone) for title, total, tone in parts if total.rewards]


def _total(title: Any, total: Total, tone: str) -> dict[str, Any]:
    return {
        "title": title,
        "tone": tone,
        "amount": said(points=total.points, amounts=total.amounts),
        "cost": cost(total.cost_minor),
        "rewards": total.rewards,
        "people": total.people,
    }
