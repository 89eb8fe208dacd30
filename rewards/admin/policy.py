"""The reward policy, in the back office."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import SingletonAdmin, may
from rewards.admin.level_forms import PolicyForm
from rewards.models import Level, RewardPolicy

# Whoever is held to a second person does not say from when on.
MAY_CHANGE_CONTROLS = may("antifraud.change_fraudpolicy")
CONTROLS = ["four_eyes_from"]


@admin.register(RewardPolicy)
class RewardPolicyAdmin(SingletonAdmin):
    """How levels are measured, when members fall, who confirms changes by hand, how long points stay set aside."""

    form = PolicyForm
    fieldsets = [
        (_("What levels count"), {"fields": ["level_measure", "level_window", "level_window_days"]}),
        (_("Who has too little"), {"fields": ["level_fall", "level_grace_days", "level_notice_days"]}),
        (_("Changes by hand, and orders"), {"fields": ["four_eyes_from", "reserve_minutes"]}),
    ]
    conditional_fields = {"level_window_days": "level_window == 'rolling'"}

    def get_readonly_fields(self, request: HttpRequest, obj: RewardPolicy | None = None) -> list[str]:
        return [] if MAY_CHANGE_CONTROLS(request) else CONTROLS

    def save_model(
        self,
        request: HttpRequest,
        obj: RewardPolicy,
        form: Any,
        change: bool,  # noqa: FBT001 (Django's)
    ) -> None:
        super().save_model(request, obj, form, change)
        if "level_measure" in form.changed_data and Level.objects.exists():
            told = gettext("Levels now count “%(what)s”: look at what each of them asks for.")
            messages.warning(request, told % {"what": obj.get_level_measure_display()})
