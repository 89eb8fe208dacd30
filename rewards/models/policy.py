"""What a tenant has chosen for rewards as a whole, and how far its last night came."""

from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext_lazy as _


class RewardPolicy(models.Model):
    """One row: how levels are measured, who confirms what is changed by hand, and the night's progress."""

    class Measure(models.TextChoices):
        EARNED = "earned", _("Points earned")
        SPENT = "spent", _("Money spent on orders")
        REFERRALS = "referrals", _("Friends who qualified")

    class Window(models.TextChoices):
        EVER = "ever", _("Since joining")
        ROLLING = "rolling", _("In the last days")
        MONTH = "month", _("In the calendar month")
        QUARTER = "quarter", _("In the calendar quarter")
        YEAR = "year", _("In the calendar year")

    class Fall(models.TextChoices):
        NEVER = "never", _("Nobody falls")
        STEP = "step", _("One level down")
        MATCH = "match", _("Down to the level that matches")

    level_measure = models.CharField(_("levels count"), max_length=9, choices=Measure, default=Measure.EARNED)
    level_window = models.CharField(_("counted"), max_length=7, choices=Window, default=Window.EVER)
    level_window_days = models.PositiveSmallIntegerField(_("days"), null=True, blank=True)
    level_fall = models.CharField(_("who has too little"), max_length=5, choices=Fall, default=Fall.NEVER)
    level_grace_days = models.PositiveSmallIntegerField(_("grace, days"), default=30)
    level_notice_days = models.PositiveSmallIntegerField(_("notice, days before"), default=7)
    four_eyes_from = models.BigIntegerField(
        _("second person from"),
        null=True,
        blank=True,
        default=1000,
        help_text=_("A change by hand of so many units or more waits for a second person. Empty: never."),
    )
    reserve_minutes = models.PositiveIntegerField(
        _("minutes set aside"),
        default=30,
        help_text=_("How long points stay set aside for an order that is not paid."),
    )
    night_date = models.DateField(null=True, help_text=_("The local day whose night was begun last."))
    night_step = models.PositiveSmallIntegerField(default=0, help_text=_("How many of its steps are done."))
    night_done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("reward policy")
        verbose_name_plural = _("reward policy")
        constraints = [
            CheckConstraint(condition=Q(id=1), name="rewardpolicy_only_one"),
            CheckConstraint(
                condition=(Q(level_window="rolling") & Q(level_window_days__gt=0))
                | (~Q(level_window="rolling") & Q(level_window_days=None)),
                name="rewardpolicy_window_is_set",
            ),
            CheckConstraint(
                condition=Q(four_eyes_from=None) | Q(four_eyes_from__gt=0), name="rewardpolicy_four_eyes_positive"
            ),
            CheckConstraint(
                condition=Q(reserve_minutes__gt=0, reserve_minutes__lte=10_080),
                name="rewardpolicy_reserve_within_a_week",
            ),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
