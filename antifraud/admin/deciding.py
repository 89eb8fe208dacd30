"""One click decides a case, takes it, gives it to somebody or takes a decision back; and the page that asks first."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin.amounts import said
from antifraud.admin.figures import FigurePages
from antifraud.models import Case, Decision
from antifraud.moderation import deciding, escalation, queue
from antifraud.moderation.escalation import DECIDE
from core.backoffice import may, page_of, post_button
from core.db import transaction
from core.templatetags.backoffice import whole
from tenants.clock import now

Verb = Callable[..., Decision]


class DecidingPages(FigurePages):
    """The buttons of a case."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/approve/", self.approve, name="approve", permission=DECIDE),
            self.post_url("<int:pk>/reject/", self.reject, name="reject", permission=DECIDE),
            self.post_url("<int:pk>/undo/", self.undo, name="undo", permission=DECIDE),
            self.post_url("<int:pk>/take/", self.take, name="take", permission=DECIDE),
            self.post_url("<int:pk>/assign/", self.assign, name="assign", permission=DECIDE),
            path("<int:pk>/decide/", self.admin_site.admin_view(self.decide_view), name="antifraud_case_decide"),
            *super().get_urls(),
        ]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(DECIDE)(request)

    def view(self, cases: Sequence[Any], request: HttpRequest) -> None:
        """Add to cases what is shown of them to whoever looks."""
        shown = queue.shown_of(cases, viewer=request.user, at=now())  # type: ignore[arg-type]
        for case in cases:
            case.shown = shown[case.pk]

    def buttons(self, case: Any) -> SafeString | str:
        """Return what may be done about a case that `view` has seen."""
        if case.status != Case.Status.OPEN:
            return self._undo_button(case)
        if case.shown.is_own:
            return format_html('<span class="soft">{}</span>', gettext("It is about you: somebody else decides."))
        approve = post_button(_("Approve"), self._decide_path("approve", case), tone="good", icon="check")
        reject = post_button(_("Reject"), self._decide_path("reject", case), tone="danger", icon="close")
        return format_html('<span class="acts">{}{}</span>', approve, reject)

    def _undo_button(self, case: Any) -> SafeString | str:
        """Return the button that takes a decision back, with how long it can; nothing when it is too late."""
        until, at = case.shown.undo_until, now()
        if until is None or at > until:
            return ""
        left = int((until - at).total_seconds() // 60)
        label = ngettext("Undo (%(minutes)s min left)", "Undo (%(minutes)s min left)", left) % {"minutes": whole(left)}
        return post_button(label, self.post_path("undo", case.pk), icon="undo")

    # One click

    def approve(self, request: HttpRequest, pk: int) -> SafeString:
        return self._decided(request, pk, deciding.approve, _("Approved: on their way: %(given)s."))

    def reject(self, request: HttpRequest, pk: int) -> SafeString:
        sides = {"sides": request.POST["sides"]} if request.POST.get("sides") else {}
        return self._decided(request, pk, deciding.reject, _("Rejected: will not be given: %(given)s."), **sides)

    def undo(self, request: HttpRequest, pk: int) -> str:
        with transaction():
            deciding.undo(case=self.case_of(pk), by=request.user, at=now())  # type: ignore[arg-type]
        return gettext("Undone: the case waits for a decision again.")

    def take(self, request: HttpRequest, pk: int) -> str:
        escalation.take(case=self.case_of(pk), by=request.user, at=now())  # type: ignore[arg-type]
        return gettext("You look after this case now.")

    def assign(self, request: HttpRequest, pk: int) -> str:
        """Give a case to whoever was chosen; to nobody, if nobody was."""
        asked = number(request.POST.get("to"))
        to = escalation.list_moderators().filter(pk=asked).first() if asked else None
        if asked and to is None:
            raise escalation.NotAssignable
        escalation.assign(case=self.case_of(pk), to=to, by=request.user, at=now())  # type: ignore[arg-type]
        if to is None:
            return gettext("Nobody looks after this case now.")
        return gettext("%(who)s looks after this case now.") % {"who": to}

    def _decided(self, request: HttpRequest, pk: int, verb: Verb, sentence: str | Promise, **choice: str) -> SafeString:
        case = self.case_of(pk)
        shown = queue.shown_of([case], at=now())[case.pk]
        with transaction():
            decision = verb(
                case=case,
                by=request.user,
                note=note_of(request),
                seen=number(request.GET.get("seen")),
                at=now(),
                **choice,
            )
        told = str(sentence) % {"given": said(points=shown.points, amounts=shown.amounts)}
        if decision.sides != "both":
            told = gettext("Rejected for one side: %(side)s. The other side's reward is on its way.") % {
                "side": decision.get_sides_display()
            }
        self.view([case], request)
        return format_html('<span class="message-with-act">{} {}</span>', told, self._undo_button(case))

    def _decide_path(self, name: str, case: Any) -> str:
        # What the button decides is what its page showed: more may join the case while it is being read.
        return f"{self.post_path(name, case.pk)}?seen={len(case.shown.rewards)}"

    # From a message elsewhere

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask before deciding: where the link of a message leads. Looking at it changes nothing."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        case = self.case_of(pk)
        asked = request.GET.get("do")
        if asked not in {"approve", "reject"}:
            return HttpResponseRedirect(page_of(case))
        self.view([case], request)
        shown: queue.Shown = case.shown  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Approve?") if asked == "approve" else gettext("Reject?"),
            "opts": self.opts,
            "case": case,
            "shown": shown,
            "stake": said(points=shown.points, amounts=shown.amounts),
            "is_approval": asked == "approve",
            "decide_url": self._decide_path(asked, case),
            "undo_button": self._undo_button(case),
            "queue_url": reverse("admin:antifraud_case_changelist"),
        }
        return TemplateResponse(request, "admin/antifraud/case/decide.html", context)

    def case_of(self, pk: int) -> Case:
        """Return a case, or say that there is none."""
        case = Case.objects.select_related("campaign", "decided_by", "assigned_to").filter(pk=pk).first()
        if case is None:
            raise Http404
        return case


def note_of(request: HttpRequest) -> str:
    """Return why something was decided: the reason that was chosen, and what was written."""
    parts = (request.POST.get(name, "").strip() for name in ("reason", "note"))
    return " ".join(part for part in parts if part)


def number(text: str | None) -> int | None:
    """Return a whole number that somebody's browser sent, or None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
