"""Rewards by hand, in the back office: the form that issues one, the one that cancels one, and the list as a table."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext

from campaigns import giving
from core.backoffice import AppendOnlyAdmin, audit, may, path_to
from core.db import transaction
from core.errors import Failure
from rewards import cancelling, issuing, sheets
from rewards.admin.hand_forms import ReasonForm, page
from rewards.admin.issue_forms import IssueForm
from rewards.admin.who import actor_of, member_asked
from rewards.models import Reward
from tenants.clock import now

# Who runs the programme gives and takes by hand, too.
ISSUE = "rewards.add_reward"
EXPORT_MAX = 50_000
SHEET_HEADER = (
    "id",
    "occurred_at",
    "member_id",
    "campaign",
    "side",
    "occurrence",
    "kind",
    "what",
    "due",
    "given",
    "taken_back",
    "lost",
    "lost_why",
    "status",
)


class ByHandPages(AppendOnlyAdmin):
    """The pages beside the list of rewards."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("issue/", view(self.issue_view), name="rewards_reward_issue"),
            self.post_url("export/", self.export, name="export", permission="rewards.view_reward"),
            path("<int:pk>/cancel/", view(self.cancel_view), name="rewards_reward_cancel"),
            *super().get_urls(),
        ]

    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Ask who gets what and why, and issue it."""
        require(request, ISSUE)
        form = IssueForm(request.POST or None, member=member_asked(request))
        if request.method == "POST" and form.is_valid():
            try:
                with transaction():
                    issued = issuing.issue(wanted=form.wanted(), actor=actor_of(request), at=now())
            except Failure as failure:
                form.add_error(None, str(failure))
            else:
                messages.success(request, gettext("Issued: %(what)s.") % {"what": words_of(issued, issued.given)})
                return HttpResponseRedirect(path_to("rewards.reward", issued.pk))
        return page(request, self, title=gettext("Issue a reward"), form=form, press=gettext("Issue it"))

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and cancel it."""
        require(request, ISSUE)
        reward = self.get_object(request, str(pk))
        if reward is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._cancel(request, reward, form.cleaned_data["reason"])
            return HttpResponseRedirect(path_to("rewards.reward", pk))
        title = gettext("Cancel reward #%(number)s: %(what)s") % {"number": pk, "what": words_of(reward, reward.given)}
        note = gettext("What is spent, seen, used or sent cannot be taken back: it is written down as lost.")
        along = [words_of(each, each.given) for each in _going_along(reward)]
        if along:
            told = gettext("What the rule gave along with it is cancelled too: %(what)s.") % {"what": ", ".join(along)}
            note = f"{told} {note}"
        return page(request, self, title=title, form=form, press=gettext("Cancel it"), note=note)

    def export(self, request: HttpRequest) -> HttpResponse:
        """Give what the list shows as a table: the newest rows. It is noted, so it takes a POST."""
        shown = self.get_changelist_instance(request).get_queryset(request)
        rows = [_cells(each) for each in shown.select_related("campaign")[:EXPORT_MAX]]
        audit(request, action="reward.exported", target="reward:", changes={"filter": request.GET.urlencode()})
        text = sheets.sheet(header=SHEET_HEADER, rows=rows)
        return sheets.download(text=text, name=f"rewards-{timezone.localdate(now()):%Y-%m-%d}.csv")

    def _cancel(self, request: HttpRequest, reward: Reward, reason: str) -> None:
        try:
            with transaction():
                along = {each.pk for each in _going_along(reward)}
                ended = cancelling.cancel(reward=reward, reason=reason, actor=actor_of(request), at=now())
        except Failure as failure:
            messages.error(request, str(failure))
            return
        lost = [each for each in [ended, *cancelling.other_parts(ended)] if each.lost and each.pk in {ended.pk, *along}]
        for each in lost:
            told = {"what": words_of(each, each.lost), "why": each.get_lost_why_display().lower()}
            messages.warning(request, gettext("Cancelled. Lost: %(what)s (%(why)s).") % told)
        if not lost:
            messages.success(request, gettext("Cancelled."))


def words_of(reward: Reward, amount: int) -> str:
    """Return so much of what a reward gives, as a part of a sentence."""
    return giving.words(kind=reward.kind, what=reward.what, amount=amount)


def require(request: HttpRequest, permission: str) -> None:
    """Let nobody pass without a permission."""
    if not may(permission)(request):
        raise PermissionDenied


def _going_along(reward: Reward) -> list[Reward]:
    return [each for each in cancelling.other_parts(reward) if each.status in cancelling.CANCELLABLE]


def _cells(reward: Reward) -> list[object]:
    columns = (reward.pk, reward.occurred_at.isoformat(), reward.member_id, reward.campaign.name, reward.side)
    what = (reward.occurrence, reward.kind, reward.what, reward.due, reward.given, reward.reversed, reward.lost)
    return [*columns, *what, reward.lost_why, reward.status]
