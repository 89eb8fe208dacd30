"""The ladder of levels, in the back office."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import ModelAdmin, link, list_of
from core.templatetags.backoffice import whole
from rewards import pictures
from rewards.admin.level_forms import LevelForm, multiplier_of
from rewards.levels import crowd, setting, units
from rewards.models import Gift, Level, RewardPolicy, Standing
from tenants.clock import now


@admin.register(Level)
class LevelAdmin(ModelAdmin):
    """Each level with what it asks for, what it brings, and how many stand there."""

    form = LevelForm
    list_display = ["shown", "asks_for", "multiplier", "brings", "members"]
    list_display_links = ["shown"]
    ordering = ["threshold"]
    fieldsets = [
        (None, {"fields": ["name", "code", "threshold"]}),
        (_("What it brings"), {"fields": ["multiplier_bps", "privileges"]}),
        (_("How it is shown"), {"fields": ["title", "picture"]}),
    ]
    prepopulated_fields = {"code": ("name",)}

    def dress(self, rows: Sequence[Any]) -> None:
        chosen, crowds = setting.get(), crowd.count_on_each()
        codes = {code for row in rows for code in row.privileges}
        names = dict(Gift.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
        for row in rows:
            row.in_words = units.in_words(row.threshold, setting=chosen)
            row.crowd = crowds.get(row.pk, 0)
            row.privilege_names = [names.get(code, code) for code in row.privileges]

    def get_readonly_fields(self, request: HttpRequest, obj: Level | None = None) -> list[str]:
        # Prices of the catalogue and programs go by it.
        return ["code"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Level | None = None) -> dict[str, Any]:
        return {} if obj else self.prepopulated_fields

    # Columns

    @admin.display(description=_("level"), ordering="name")
    def shown(self, level: Level) -> SafeString:
        return format_html('<span class="level-name">{}<span>{}</span></span>', badge(level), level.name)

    @admin.display(description=_("from"), ordering="threshold")
    def asks_for(self, level: Any) -> str:
        return str(level.in_words)

    @admin.display(description=_("multiplier"), ordering="multiplier_bps")
    def multiplier(self, level: Level) -> SafeString:
        return format_html('<span class="num">×{}</span>', number_format(multiplier_of(level.multiplier_bps)))

    @admin.display(description=_("privileges"))
    def brings(self, level: Any) -> str:
        return ", ".join(level.privilege_names) or "—"

    @admin.display(description=_("members"))
    def members(self, level: Any) -> SafeString:
        if not level.crowd:
            return format_html('<span class="num soft">{}</span>', 0)
        return link(whole(level.crowd), f"{list_of(Standing)}?level__id__exact={level.pk}")

    # Saving

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
    ) -> list[dict[str, Any]]:
        told = super().construct_change_message(request, form, formsets, add)
        # As they were typed, like what they were before.
        level, changes = form.instance, request.audit_changes  # type: ignore[attr-defined]
        typed = {
            "threshold": units.number_of(level.threshold, setting=form.setting),
            "multiplier_bps": multiplier_of(level.multiplier_bps),
        }
        for name in typed.keys() & changes.keys():
            changes[name][1] = str(typed[name])
        return told

    def save_model(self, request: HttpRequest, obj: Level, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        super().save_model(request, obj, form, change)
        if change and "threshold" in form.changed_data:
            is_lower = form.initial["threshold"] > units.number_of(obj.threshold, setting=form.setting)
            self._tell_of_threshold(request, obj, is_lower=is_lower)

    def _tell_of_threshold(self, request: HttpRequest, level: Level, *, is_lower: bool) -> None:
        chosen = setting.get()
        if is_lower:
            told = gettext("Whoever has enough for “%(level)s” now rises tonight.") % {"level": level.name}
            messages.info(request, told)
        short = crowd.count_short(level_id=level.pk, setting=chosen, at=now())
        if not short:
            return
        told = ngettext(
            "%(count)s member on “%(level)s” has less than the new threshold.",
            "%(count)s members on “%(level)s” have less than the new threshold.",
            short,
        ) % {"count": whole(short), "level": level.name}
        messages.warning(request, f"{told} {_until_when(chosen.policy.fall, chosen.policy.grace_days)}")


def badge(level: Level) -> SafeString:
    """Return a level's picture, or what stands for it."""
    if not level.picture:
        return format_html('<span class="level-badge level-badge-none" aria-hidden="true">{}</span>', level.name[:1])
    return format_html(
        '<img class="level-badge" src="{}" alt="" width="32" height="32">', pictures.path_of(level.picture)
    )


def _until_when(fall: str, grace_days: int) -> str:
    if fall == RewardPolicy.Fall.NEVER:
        return gettext("They keep it: nobody falls.")
    day = timezone.localdate(now()) + timedelta(days=grace_days + 1)
    return gettext("They keep it until %(day)s at least.") % {"day": date_format(day)}
