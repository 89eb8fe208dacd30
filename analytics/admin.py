"""The page of a member: it tells of events, referrals and rewards, so it stands on the floor that reads everything."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldBooleanSwitchWidget

from antifraud.limits import filling, usewords
from core.backoffice import StoryAdmin, audit, list_of, may, path_to
from core.db import transaction
from core.errors import Failure
from core.templatetags.backoffice import status_mark, whole
from members import erasing, search
from members.models import Member
from members.names import names_of
from rewards import portraits, sheets, statement, upcoming, wallet
from rewards.models import Adjustment
from tenants import context
from tenants.clock import now

PAGES_MAX = 50
STATEMENT_PAGE_SIZE = 20
UPCOMING_MAX = 20
EXPORT_MAX = 100_000
STATEMENT_HEADER = ("id", "at", "asset", "amount", "balance", "reason", "text", "reward_id", "redemption_id")
ERASE = "members.delete_member"
GONE = frozenset({Member.Status.ERASED, Member.Status.MERGED})
ERASE_TEMPLATE = "rewards/by_hand_form.html"
ERASE_NOTE = _(
    "Everything they are known by goes: ids, e-mail, phone, cards, devices, addresses, also of parcels that are not "
    "sent yet. Their code and links stop working. What they did and were given stays, under a number. Whoever comes "
    "again is a new member, and antifraud knows that they were here before."
)


class EraseForm(forms.Form):
    """One more question: it cannot be undone."""

    is_sure = forms.BooleanField(label=_("I know that this cannot be undone"), widget=UnfoldBooleanSwitchWidget)


class ErasePage(StoryAdmin):
    """The page that erases, beside the page of a member."""

    def get_urls(self) -> list[URLPattern]:
        erase = self.admin_site.admin_view(self.erase_view)
        return [path("<int:pk>/erase/", erase, name="members_member_erase"), *super().get_urls()]

    def erase_url(self, request: HttpRequest, member: Member) -> str:
        """Return where a member is erased, or "" where that is over or not this user's to do."""
        if member.status in GONE or not may(ERASE)(request):
            return ""
        return reverse("admin:members_member_erase", args=[member.pk])

    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, and erase."""
        if not may(ERASE)(request):
            raise PermissionDenied
        member = Member.objects.filter(pk=pk).first()
        if member is None:
            raise Http404
        form = EraseForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction():
                    by = request.user.get_username()
                    erasing.erase(member=member, actor_kind="staff", actor=by, at=now())
            except Failure as failure:
                form.add_error(None, str(failure))
            else:
                messages.success(request, gettext("Erased. What they did and were given stays, under this number."))
                return HttpResponseRedirect(path_to("members.member", pk))
        told = {"title": gettext("Erase a member"), "press": gettext("Erase"), "note": ERASE_NOTE, "form": form}
        who = {"member": member, "member_name": names_of([pk])[pk]}
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, ERASE_TEMPLATE, {**frame, **told, **who})


@admin.register(Member)
class MemberAdmin(ErasePage):
    """Everybody the tenant knows. Personal values are masked; one finds by them, and does not read them."""

    list_display = ["name", "points", "friends", "joined_at", "first_seen_at", "state"]
    list_display_links = ["name"]
    list_filter = ["status"]
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_before_template = "admin/members/member/find.html"
    story_template = "admin/members/member/story.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("find/", self.find, name="find", permission="members.view_member"),
            self.post_url("<int:pk>/statement/", self.export, name="statement", permission="rewards.view_posting"),
            *super().get_urls(),
        ]

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.pk for row in rows)
        holdings = portraits.holdings_of(row.pk for row in rows)
        for row in rows:
            row.name = names[row.pk]
            row.holding = holdings[row.pk]

    @admin.display(description=_("member"), ordering="pk")
    def name(self, member: Any) -> str:
        return str(member.name)

    @admin.display(description=_("points"))
    def points(self, member: Any) -> SafeString:
        return format_html('<b class="num strong">{}</b>', whole(member.holding.balance))

    @admin.display(description=_("friends brought"))
    def friends(self, member: Any) -> SafeString:
        return format_html('<span class="num">{}</span>', whole(member.holding.invited))

    @admin.display(description=_("status"), ordering="status")
    def state(self, member: Member) -> SafeString:
        return status_mark(member.status, member.get_status_display())

    def find(self, request: HttpRequest) -> HttpResponse:
        """Find by an identity that was typed. By POST: an address in a URL would end up in logs."""
        found = search.find(request.POST.get("who", ""))
        if not found:
            messages.warning(request, gettext("Nobody is known by that."))
            return HttpResponseRedirect(list_of(Member))
        if len(found) == 1:
            return HttpResponseRedirect(path_to("members.member", found[0]))
        ids = ",".join(str(each) for each in found)
        return HttpResponseRedirect(f"{list_of(Member)}?id__in={ids}")

    def name_of(self, row: Member) -> str:
        return names_of([row.pk])[row.pk]

    def story(self, request: HttpRequest, row: Member) -> dict[str, Any]:
        page = _page_number(request, "page")
        timeline = portraits.timeline_of(member_id=row.pk, page=page)
        return {
            "member": row,
            "portrait": portraits.portraits_of([row.pk])[row.pk],
            "timeline": timeline,
            "newer": page - 1,
            "older": page + 1 if len(timeline) == portraits.TIMELINE_PAGE_SIZE and page < PAGES_MAX else 0,
            "friends": portraits.friends_of(member_id=row.pk),
            "code": portraits.find_code(member_id=row.pk),
            "purses": wallet.figures_in_words(member_id=row.pk, at=now()),
            "upcoming": _upcoming(row),
            "uses": _uses(row),
            **_statement(row, _page_number(request, "statement")),
            "export_url": self.post_path("statement", row.pk),
            "adjust_url": _adjust_url(request, row),
            "issue_url": _issue_url(request, row),
            "ban_url": _ban_url(request, row),
            "erase_url": self.erase_url(request, row),
            "merge_url": _merge_url(request, row),
            "merged_into": row.merged_into_id and names_of([row.pk])[row.pk],
        }

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give a member's whole statement as CSV, and note that it was done."""
        if not Member.objects.filter(pk=pk).exists():
            raise Http404
        postings = statement.list_postings(member_id=pk).order_by("-id")[:EXPORT_MAX]
        rows = (
            (
                line.id,
                line.at.isoformat(),
                line.asset.code,
                line.amount,
                line.balance,
                line.reason,
                line.text,
                line.reward_id,
                line.redemption_id,
            )
            for line in statement.lines(member_id=pk, postings=list(postings))
        )
        audit(request, action="statement.exported", target=f"member:{pk}")
        text = sheets.sheet(header=STATEMENT_HEADER, rows=rows)
        return sheets.download(text=text, name=f"statement-{pk}.csv")


def _statement(member: Member, page: int) -> dict[str, Any]:
    skip = (page - 1) * STATEMENT_PAGE_SIZE
    wanted = statement.list_postings(member_id=member.pk).order_by("-id")[skip : skip + STATEMENT_PAGE_SIZE + 1]
    postings = list(wanted)
    is_more = len(postings) > STATEMENT_PAGE_SIZE and page < PAGES_MAX
    return {
        "statement": list(statement.lines(member_id=member.pk, postings=postings[:STATEMENT_PAGE_SIZE])),
        "statement_newer": page - 1,
        "statement_older": page + 1 if is_more else 0,
    }


def _upcoming(member: Member) -> list[upcoming.Line]:
    rewards = upcoming.list_rewards(member_id=member.pk).order_by("-id")[:UPCOMING_MAX]
    return list(upcoming.lines(rewards=list(rewards)))


def _uses(member: Member) -> list[usewords.Told]:
    zone, at = context.zone(), now()
    with transaction():
        uses = filling.of_member(member_id=member.pk, zone=zone, at=at)
    return [usewords.of_use(use, zone=zone, at=at) for use in uses if use.percent]


def _adjust_url(request: HttpRequest, member: Member) -> str:
    if member.status == Member.Status.MERGED or not may("rewards.add_adjustment")(request):
        return ""
    opts = Adjustment._meta
    return f"{reverse(f'admin:{opts.app_label}_{opts.model_name}_add')}?member={member.pk}"


def _issue_url(request: HttpRequest, member: Member) -> str:
    if member.status == Member.Status.MERGED or not may("rewards.add_reward")(request):
        return ""
    return f"{reverse('admin:rewards_reward_issue')}?member={member.pk}"


def _ban_url(request: HttpRequest, member: Member) -> str:
    if member.status in GONE or not may("antifraud.decide_case")(request):
        return ""
    name = "unban" if member.status == Member.Status.BLOCKED else "ban"
    return reverse(f"admin:antifraud_listing_{name}", args=[member.pk])


def _merge_url(request: HttpRequest, member: Member) -> str:
    if member.status in GONE or not may("antifraud.decide_case")(request):
        return ""
    return reverse("admin:antifraud_listing_merge", args=[member.pk])


def _page_number(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "1")
    return min(int(given), PAGES_MAX) if given.isdecimal() and int(given) > 0 else 1
