"""What is owed, in the back office: every reward with its story; issued by hand, cancelled with a reason."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from campaigns import giving
from core.backoffice import link, may, path_to, without
from core.templatetags.backoffice import status_mark
from events.kinds import label_of
from members.names import names_of
from rewards import cancelling, entitlements
from rewards.admin import histories
from rewards.admin.by_hand import ISSUE, ByHandPages, words_of
from rewards.models import Account, Posting, Reward


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, giving.terms_of(kind).label) for kind in settings.REWARD_KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reward]) -> QuerySet[Reward]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Reward)
class RewardAdmin(ByHandPages):
    """Each reward with where it stands and what it follows from."""

    list_display = ["number", "occurred_at", "who", "campaign", "side", "amount", "state"]
    list_display_links = ["number"]
    list_filter = ["status", KindFilter, "side", "campaign"]
    list_select_related = ["campaign", "asset"]
    list_before_template = "rewards/reward_list.html"
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["=occurrence"]
    search_help_text = _("What it is for, such as order:1001")
    fieldsets = [
        (None, {"fields": ["state", "cancellation", "who", "side", "campaign", "edition", "event_link", "occurrence"]}),
        (_("What"), {"fields": ["promised", "along", "became", "postings", "friendship"]}),
        (_("How much"), {"fields": ["due_units", "given_units", "reversed_units", "lost_units"]}),
        (_("Times"), {"fields": ["occurred_at", "created_at", "matures_at", "awaited", "granted_at"]}),
        (_("What happened to it"), {"fields": ["history"]}),
    ]
    readonly_fields = [
        "state",
        "cancellation",
        "who",
        "edition",
        "event_link",
        "promised",
        "along",
        "became",
        "postings",
        "friendship",
        "due_units",
        "given_units",
        "reversed_units",
        "lost_units",
        "awaited",
        "history",
    ]

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.member_id for row in rows)
        with giving.at_hand():
            for row in rows:
                row.member_name = names[row.member_id]
                row.said = words_of(row, row.given - row.reversed)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reward]:
        found: QuerySet[Reward] = super().get_queryset(request)
        return found.select_related("event", "asset")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = set() if obj is None or obj.referral_id else {"friendship"}
        if obj is not None and not cancelling.other_parts(obj):
            hidden.add("along")
        if obj is not None and obj.status not in cancelling.CANCELLABLE:
            hidden.add("cancellation")
        return without(self.fieldsets, hidden)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        found: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "may_issue": may(ISSUE)(request)}
        )
        return found

    # Columns

    def name_of(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, reward: Reward) -> str:
        return f"#{reward.pk}"

    @admin.display(description=_("member"))
    def who(self, reward: Any) -> SafeString:
        name = getattr(reward, "member_name", None) or names_of([reward.member_id])[reward.member_id]
        return link(name, path_to("members.member", reward.member_id))

    @admin.display(description=_("what"), ordering="given")
    def amount(self, reward: Any) -> SafeString:
        given = format_html('<b class="strong">{}</b>', getattr(reward, "said", None) or words_of(reward, reward.given))
        is_less = reward.given - reward.reversed != reward.due
        due = words_of(reward, reward.due)
        return format_html("{} <s class='soft nowrap'>{}</s>", given, due) if is_less else given

    @admin.display(description=_("status"), ordering="status")
    def state(self, reward: Reward) -> SafeString:
        return status_mark(reward.status, reward.get_status_display())

    # Its page

    @admin.display(description="")
    def cancellation(self, reward: Reward) -> SafeString | str:
        if reward.status not in cancelling.CANCELLABLE:
            return "—"
        return link(_("Cancel it…"), self.post_path("cancel", reward.pk))

    @admin.display(description=_("event"))
    def event_link(self, reward: Reward) -> SafeString:
        told = f"{label_of(reward.event.kind)} · {reward.event.key}"
        return link(told, path_to("events.event", reward.event_id))

    @admin.display(description=_("campaign version"))
    def edition(self, reward: Reward) -> str:
        return str(reward.version.number)

    @admin.display(description=_("referral"))
    def friendship(self, reward: Reward) -> SafeString | str:
        referral = reward.referral
        if referral is None:
            return "—"
        names = names_of([referral.inviter_id, referral.invitee_id])
        told = f"{names[referral.inviter_id]} → {names[referral.invitee_id]}"
        return link(told, path_to("referrals.referral", referral.pk))

    @admin.display(description=_("together with"))
    def along(self, reward: Reward) -> SafeString | str:
        parts = (
            (link(f"#{each.pk}", path_to("rewards.reward", each.pk)), words_of(each, each.due))
            for each in cancelling.other_parts(reward)
        )
        return format_html_join("", "<p>{} {}</p>", parts) or "—"

    @admin.display(description=_("what"))
    def promised(self, reward: Reward) -> str:
        return words_of(reward, reward.due)

    @admin.display(description=_("what it became"))
    def became(self, reward: Reward) -> SafeString:
        rows = (
            (link(each.gift.name, path_to("rewards.entitlement", each.pk)), each.get_status_display())
            for each in entitlements.list_of_rewards([reward.pk])
        )
        return format_html_join("", "<p>{} <span class='soft'>{}</span></p>", rows) or SafeString("—")

    @admin.display(description=_("postings"))
    def postings(self, reward: Reward) -> SafeString:
        rows = Posting.objects.filter(reward=reward).select_related("source").order_by("pk")
        lines = (
            (
                link(f"{_sign(posting)}{words_of(reward, posting.amount)}", path_to("rewards.posting", posting.pk)),
                posting.get_reason_display(),
            )
            for posting in rows
        )
        return format_html_join("", "<p>{} <span class='soft'>{}</span></p>", lines) or SafeString("—")

    @admin.display(description=_("due"))
    def due_units(self, reward: Reward) -> str:
        return words_of(reward, reward.due)

    @admin.display(description=_("given"))
    def given_units(self, reward: Reward) -> str:
        return words_of(reward, reward.given)

    @admin.display(description=_("taken back"))
    def reversed_units(self, reward: Reward) -> str:
        return words_of(reward, reward.reversed) if reward.reversed else "—"

    @admin.display(description=_("lost"))
    def lost_units(self, reward: Reward) -> str:
        if not reward.lost:
            return "—"
        return f"{words_of(reward, reward.lost)}. {reward.get_lost_why_display()}"

    @admin.display(description=_("waits for"))
    def awaited(self, reward: Reward) -> str:
        if not reward.awaits:
            return "—"
        until = (
            f" · {date_format(timezone.localtime(reward.awaits_until), 'DATETIME_FORMAT')}"
            if reward.awaits_until
            else ""
        )
        return f"{label_of(reward.awaits)}{until}"

    @admin.display(description=_("history"))
    def history(self, reward: Reward) -> SafeString:
        return histories.of_reward(reward)


def _sign(posting: Posting) -> str:
    return "+" if posting.source.kind == Account.Kind.ISSUE else "−"
