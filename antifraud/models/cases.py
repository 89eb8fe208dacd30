"""What waits for a moderator, and what was decided."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Case(models.Model):
    """A moderator's unit of work: flagged rewards that belong together, such as both sides of a referral."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    group_key = models.CharField(
        max_length=120,
        help_text="What ties its rewards: referral:12:campaign:3, ring:7:campaign:3, or event:99:campaign:3.",
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.OPEN)
    campaign = models.ForeignKey("campaigns.Campaign", models.PROTECT, related_name="+", verbose_name=_("campaign"))
    opened_at = models.DateTimeField(_("opened at"))
    due_at = models.DateTimeField(
        _("decide by"), null=True, help_text=_("Then it escalates. It is never paid by time.")
    )
    escalated_at = models.DateTimeField(_("escalated at"), null=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        permissions = [("decide_case", "Can approve and reject flagged rewards")]
        constraints = [
            UniqueConstraint(fields=["group_key"], condition=Q(status="open"), name="case_open_once_a_group"),
            CheckConstraint(condition=Q(status__in=["open", "approved", "rejected"]), name="case_status_known"),
            CheckConstraint(
                condition=Q(status="open", decided_at=None, decided_by=None)
                | Q(status__in=["approved", "rejected"], decided_at__isnull=False, decided_by__isnull=False),
                name="case_decided_by_someone",
            ),
        ]
        indexes = [
            Index(fields=["status", "opened_at"], name="case_in_queue"),
            Index(fields=["due_at"], condition=Q(status="open", escalated_at=None), name="case_to_escalate"),
        ]

    def __str__(self) -> str:
        return _("Case %(id)s") % {"id": self.pk}


class CaseReward(models.Model):
    """A reward that a case is about."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="case_rewards", verbose_name=_("case"))
    reward = models.ForeignKey("rewards.Reward", models.PROTECT, related_name="+", verbose_name=_("reward"))

    class Meta:
        verbose_name = _("reward of the case")
        verbose_name_plural = _("rewards of the case")
        constraints = [UniqueConstraint(fields=["reward"], name="casereward_in_one_case")]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.reward_id}"


class Decision(models.Model):
    """What somebody decided about a case. Never changed: an undo is a further row."""

    class Action(models.TextChoices):
        APPROVE = "approve", _("Approved")
        REJECT = "reject", _("Rejected")
        UNDO = "undo", _("Undone")

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions", verbose_name=_("case"))
    action = models.CharField(_("action"), max_length=8, choices=Action)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    sides = models.CharField(
        _("of"),
        max_length=8,
        choices=[("both", _("Both sides")), ("inviter", _("The inviter")), ("invitee", _("The friend"))],
        default="both",
        db_default="both",
        help_text=_("Whose rewards were rejected; the others were approved."),
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            CheckConstraint(condition=Q(sides__in=["both", "inviter", "invitee"]), name="decision_sides_known")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.action}"
