"""What staff fills in about levels: a step of the ladder, the reward policy, a level for somebody."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.errors import Failure
from rewards import pictures
from rewards.admin.hand_forms import MemberField, ReasonField
from rewards.admin.picture_input import PictureInput
from rewards.levels import setting, units
from rewards.models import Gift, Level, RewardPolicy

THRESHOLD_MAX = 10**15
MULTIPLIER = Decimal(10_000)


class LevelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A level. Its threshold is typed in what the policy measures, its multiplier as people say it: 1.25."""

    threshold = forms.DecimalField(label=_("From"), min_value=0, widget=widgets.UnfoldAdminDecimalFieldWidget())
    multiplier_bps = forms.DecimalField(
        label=_("Multiplier ×"),
        initial=1,
        min_value=Decimal("0.1"),
        max_value=10,
        decimal_places=4,
        help_text=_("Of the points that campaigns give: with 1.25 somebody gets 125 for 100. Rounded down."),
        widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "0.05"}),
    )
    privileges = forms.MultipleChoiceField(
        required=False,
        help_text=_("For as long as somebody stands on the level."),
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    class Meta:
        model = Level
        fields = ("name", "code", "threshold", "multiplier_bps", "privileges", "title", "picture")
        help_texts = {
            "code": _("What programs call it. It stays as it is."),
            "picture": _("PNG, JPEG or WebP, square, up to 2 MB. Shown round, 32 to 64 pixels wide."),
        }
        widgets = {"picture": PictureInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setting = setting.get()
        threshold = self.fields["threshold"]
        threshold.help_text = FROM[self.setting.policy.measure]
        if "privileges" in self.fields:
            self.fields["privileges"].choices = _privileges(self.instance.privileges)  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["threshold"] = units.number_of(self.instance.threshold, setting=self.setting)
            self.initial["multiplier_bps"] = multiplier_of(self.instance.multiplier_bps)

    def clean_threshold(self) -> int:
        scaled = Decimal(self.cleaned_data["threshold"]).scaleb(units.digits_of(self.setting))
        if scaled % 1:
            raise ValidationError(_("This has more digits after the point than what is counted."))
        if not 1 <= scaled <= THRESHOLD_MAX:
            raise ValidationError(_("The first level begins above 0: whoever has less stands on none."))
        return int(scaled)

    def clean_multiplier_bps(self) -> int:
        return int(self.cleaned_data["multiplier_bps"] * MULTIPLIER)

    def clean_picture(self) -> Any:
        picture = self.cleaned_data["picture"]
        if isinstance(picture, UploadedFile):
            try:
                picture.name = f"badge.{pictures.check(picture)}"
            except Failure as failure:
                raise ValidationError(str(failure)) from failure
        return picture


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The reward policy. What does not apply is cleared here, whatever the browser has sent."""

    class Meta:
        model = RewardPolicy
        fields = (
            "level_measure",
            "level_window",
            "level_window_days",
            "level_fall",
            "level_grace_days",
            "level_notice_days",
            "four_eyes_from",
            "reserve_minutes",
        )
        help_texts = {
            "level_measure": _(
                "Points earned, whether spent since or not. Money without refunds and cancelled orders."
            ),
            "level_window": _(
                "A calendar window begins at 0. Whoever should keep a level through the whole next year has 365 days "
                "of grace."
            ),
            "level_window_days": _("Of “In the last days”: so many, today among them."),
            "level_fall": _("What ends is always announced, and a level lent by hand ends in any case."),
            "level_grace_days": _("From the night that finds somebody short. Who has enough again stays."),
            "level_notice_days": _("The bot and your programs hear of it so many days before. 0: without a notice."),
            "four_eyes_from": _(
                "A change by hand of so much or more waits for a second person: 1,000 points, or 1,000 of a currency's "
                "whole units and not its cents. Empty: never."
            ),
        }

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if told.get("level_window") != RewardPolicy.Window.ROLLING:
            told["level_window_days"] = None
        elif not told.get("level_window_days"):
            self.add_error("level_window_days", _("How many days?"))
        return told


class GiveForm(forms.Form):
    """A level for somebody, by hand."""

    who = MemberField()
    level = forms.ModelChoiceField(
        label=_("Level"), queryset=Level.objects.order_by("threshold"), widget=widgets.UnfoldAdminSelectWidget()
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        help_text=_("The first day on which it is not safe any more. Empty: until it is taken."),
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )
    reason = ReasonField(help_text=_("It goes into the audit log."))


class TakeForm(forms.Form):
    """Why a level is taken."""

    reason = ReasonField(help_text=_("It goes into the audit log."))


FROM = {
    "earned": _("Points earned in the window of the reward policy."),
    "spent": _("Money spent on orders in the window of the reward policy, in your currency."),
    "referrals": _("Friends who qualified in the window of the reward policy."),
}


def multiplier_of(bps: int) -> Decimal:
    """Return a multiplier as people say it: 12500 is 1.25."""
    return (bps / MULTIPLIER).normalize() if bps % MULTIPLIER else Decimal(bps // MULTIPLIER)


def _privileges(chosen: list[str]) -> list[tuple[str, str]]:
    gifts = Gift.objects.filter(kind=Gift.Kind.PRIVILEGE).order_by("name")
    return [(gift.code, gift.name) for gift in gifts if gift.is_active or gift.code in chosen]
