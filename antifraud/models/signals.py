"""What was seen of each proposed reward."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import CheckConstraint, Index, Q
from django.utils.translation import gettext_lazy as _


class Signal(models.Model):
    """One observation about a proposed reward. Never changed, kept for allowed ones too."""

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="+", db_index=False, verbose_name=_("event"))
    rule = models.ForeignKey("campaigns.Rule", models.PROTECT, related_name="+", db_index=False, verbose_name=_("rule"))
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, verbose_name=_("member")
    )
    name = models.CharField(_("signal"), max_length=40)
    weight = models.PositiveSmallIntegerField(_("weight"))
    verdict = models.CharField(_("verdict"), max_length=6)
    evidence = models.JSONField(_("evidence"), default=dict)
    is_shadow = models.BooleanField(
        _("in shadow"), default=False, db_default=False, help_text=_("Only recorded: the verdict does not rest on it.")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("signal")
        verbose_name_plural = _("signals")
        constraints = [
            CheckConstraint(condition=Q(verdict__in=["allow", "flag", "refuse"]), name="signal_verdict_known")
        ]
        indexes = [
            Index(fields=["member", "-id"], name="signal_by_member"),
            Index(fields=["event"], name="signal_by_event"),
            # Of a log that only grows a block's smallest and largest instants find a month as well as a tree would.
            BrinIndex(fields=["at"], name="signal_by_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"
