"""The back office of rewards: what is owed, the ledger, and what a point is worth."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.backoffice import AppendOnlyAdmin, ModelAdmin, link, path_to
from core.templatetags.backoffice import status_mark
from members.names import names_of
from rewards.models import Account, Asset, Posting, Reward


@admin.register(Reward)
class RewardAdmin(AppendOnlyAdmin):
    """Each reward with where it stands and what it follows from."""

    list_display = ["number", "occurred_at", "who", "campaign", "side", "points", "state"]
    list_display_links = ["number"]
    list_filter = ["status", "side", "campaign"]
    list_select_related = ["campaign"]
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["=occurrence"]
    search_help_text = _("What it is for, such as order:1001")
    fieldsets = [
        (None, {"fields": ["state", "who", "side", "campaign", "version", "event_link", "occurrence", "referral"]}),
        (_("Points"), {"fields": ["asset", "due", "given", "reversed", "lost", "postings"]}),
        (_("Times"), {"fields": ["occurred_at", "created_at", "matures_at", "granted_at"]}),
    ]
    readonly_fields = ["state", "who", "event_link", "postings"]

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.member_id for row in rows)
        for row in rows:
            row.member_name = names[row.member_id]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reward]:
        found: QuerySet[Reward] = super().get_queryset(request)
        return found.select_related("event")

    @admin.display(description=_("number"), ordering="pk")
    def number(self, reward: Reward) -> str:
        return f"#{reward.pk}"

    @admin.display(description=_("member"))
    def who(self, reward: Any) -> SafeString:
        name = getattr(reward, "member_name", None) or names_of([reward.member_id])[reward.member_id]
        return link(name, path_to("members.member", reward.member_id))

    @admin.display(description=_("points"), ordering="given")
    def points(self, reward: Reward) -> SafeString:
        given = format_html('<b class="num strong">{}</b>', reward.given - reward.reversed)
        return format_html("{} <s class='soft num'>{}</s>", given, reward.due) if self._is_less(reward) else given

    @admin.display(description=_("status"), ordering="status")
    def state(self, reward: Reward) -> SafeString:
        return status_mark(reward.status, reward.get_status_display())

    @admin.display(description=_("event"))
    def event_link(self, reward: Reward) -> SafeString:
        return link(reward.event, path_to("events.event", reward.event_id))

    @admin.display(description=_("postings"))
    def postings(self, reward: Reward) -> SafeString:
        rows = Posting.objects.filter(reward=reward).select_related("source").order_by("pk")
        lines = (
            (
                link(f"{'+' if posting.source.kind == Account.Kind.ISSUE else '−'}{posting.amount}", _page(posting)),
                posting.get_reason_display(),
            )
            for posting in rows
        )
        return format_html_join("", "<p>{} <span class='soft'>{}</span></p>", lines) or SafeString("—")

    def _is_less(self, reward: Reward) -> bool:
        return reward.given - reward.reversed != reward.due


@admin.register(Posting)
class PostingAdmin(AppendOnlyAdmin):
    """The ledger. It is read, by everyone, and changed by nobody."""

    list_display = ["number", "at", "who", "change", "reason", "for_reward"]
    list_display_links = ["number"]
    list_filter = ["reason"]
    list_select_related = ["source", "target", "reward__campaign"]
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["=key"]
    search_help_text = _("The whole key of a posting")
    fields = ["key", "at", "who", "change", "reason", "for_reward", "source", "target", "reverses"]
    readonly_fields = ["who", "change", "for_reward"]

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(_member_id(row) for row in rows)
        for row in rows:
            row.member_name = names.get(_member_id(row) or 0, "")

    @admin.display(description=_("number"), ordering="pk")
    def number(self, posting: Posting) -> str:
        return f"#{posting.pk}"

    @admin.display(description=_("member"))
    def who(self, posting: Any) -> SafeString | str:
        member_id = _member_id(posting)
        if member_id is None:
            return "—"
        name = getattr(posting, "member_name", None) or names_of([member_id])[member_id]
        return link(name, path_to("members.member", member_id))

    @admin.display(description=_("points"), ordering="amount")
    def change(self, posting: Posting) -> SafeString:
        is_income = posting.source.kind == Account.Kind.ISSUE
        return format_html('<b class="num strong">{}{}</b>', "+" if is_income else "−", posting.amount)

    @admin.display(description=_("reward"))
    def for_reward(self, posting: Posting) -> SafeString | str:
        if posting.reward is None:
            return "—"
        return link(f"#{posting.reward_id} {posting.reward.campaign}", path_to("rewards.reward", posting.reward_id))


@admin.register(Asset)
class AssetAdmin(ModelAdmin):
    """What a point is called and worth."""

    list_display = ["name", "minor_per_unit"]
    fields = ["name", "minor_per_unit"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False


def _member_id(posting: Posting) -> int | None:
    return posting.target.member_id or posting.source.member_id


def _page(posting: Posting) -> str:
    return path_to("rewards.posting", posting.pk)
