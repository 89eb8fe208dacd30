"""The back office of referrals: who brought whom, and how a click becomes a referral."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.backoffice import AppendOnlyAdmin, SingletonAdmin, link, path_to
from events.kinds import label_of
from members.names import names_of
from referrals.models import AttributionPolicy, Referral


class QualifiedFilter(admin.EmptyFieldListFilter):
    """Qualified or not, in those words."""

    def choices(self, changelist: Any) -> Any:
        labels = [gettext("All"), gettext("Not qualified yet"), gettext("Qualified")]
        for choice, label in zip(super().choices(changelist), labels, strict=True):
            yield {**choice, "display": label}


@admin.register(Referral)
class ReferralAdmin(AppendOnlyAdmin):
    """One line for each friend who was brought."""

    list_display = ["number", "brought_by", "friend", "channel", "attributed_at", "state"]
    list_display_links = ["number"]
    list_filter = [("qualified_at", QualifiedFilter)]
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_select_related = ["code"]
    search_fields = ["=code__text"]
    search_help_text = _("A referral code")
    fields = ["brought_by", "friend", "code", "channel", "utm", "click", "attributed_at", "qualified_at", "told_by"]
    readonly_fields = ["brought_by", "friend", "told_by"]

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(member_id for row in rows for member_id in (row.inviter_id, row.invitee_id))
        for row in rows:
            row.names = names

    def name_of(self, row: Referral) -> str:
        names = names_of([row.inviter_id, row.invitee_id])
        return f"{names[row.inviter_id]} → {names[row.invitee_id]}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, referral: Referral) -> str:
        return f"#{referral.pk}"

    @admin.display(description=_("inviter"))
    def brought_by(self, referral: Any) -> SafeString:
        return _member(referral, referral.inviter_id)

    @admin.display(description=_("friend"))
    def friend(self, referral: Any) -> SafeString:
        return _member(referral, referral.invitee_id)

    @admin.display(description=_("event"))
    def told_by(self, referral: Referral) -> SafeString:
        return link(
            f"{label_of(referral.event.kind)} · {referral.event.key}", path_to("events.event", referral.event_id)
        )

    @admin.display(description=_("state"), ordering="qualified_at")
    def state(self, referral: Referral) -> SafeString:
        if referral.qualified_at is None:
            return format_html('<span class="mark">{}</span>', gettext("Not qualified yet"))
        return format_html('<span class="mark mark-good">{}</span>', gettext("Qualified"))


@admin.register(AttributionPolicy)
class AttributionPolicyAdmin(SingletonAdmin):
    """The tenant's choice of how a click becomes a referral."""

    fields = ["window_days", "touch", "landing_url"]


def _member(referral: Any, member_id: int) -> SafeString:
    names = getattr(referral, "names", None) or names_of([member_id])
    return link(names[member_id], path_to("members.member", member_id))
