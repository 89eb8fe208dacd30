"""How careful the tenant is."""

from django.db import models
from django.db.models import CheckConstraint, F, Q
from django.utils.translation import gettext_lazy as _


class FraudPolicy(models.Model):
    """
    The choice of how careful to be: one row of the tenant's, and one for each campaign that has a choice of its own.

    `signals` has what differs from each signal's own settings, by its name: `{"velocity": {"mode": "shadow", "weight":
    40, "always": "flag", "allowed": 5}}`. `shadow` is another policy, tried beside this one and never acted on.
    """

    class OnReject(models.TextChoices):
        BOTH = "both", _("Both sides of the referral")
        INVITER = "inviter", _("The inviter's reward only: the friend keeps theirs")
        INVITEE = "invitee", _("The friend's reward only: the inviter keeps theirs")

    singleton = models.BooleanField(default=True, null=True, unique=True, editable=False)
    campaign = models.OneToOneField(
        "campaigns.Campaign",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("campaign"),
        help_text=_("Empty: every campaign that has no policy of its own."),
    )
    flag_from = models.PositiveSmallIntegerField(
        _("flag from"), default=50, help_text=_("A reward whose signals weigh this much waits for a moderator.")
    )
    refuse_from = models.PositiveSmallIntegerField(
        _("refuse from"), default=150, help_text=_("One whose signals weigh this much is not given at all.")
    )
    signals = models.JSONField(_("signals"), default=dict, db_default=models.Value({}, models.JSONField()), blank=True)
    shadow = models.JSONField(
        _("shadow policy"),
        null=True,
        blank=True,
        help_text='{"flag_from", "refuse_from", "signals"}: recorded beside this policy, not acted on.',
    )
    shadow_since = models.DateTimeField(_("in shadow since"), null=True, editable=False)
    # --- The tenant's alone: a campaign's row does not say these.
    lists_version = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Grows with each change of a list of ranges or domains."
    )
    undo_minutes = models.PositiveSmallIntegerField(
        _("undo, minutes"), default=10, help_text=_("How long a moderator may take a decision back.")
    )
    due_hours = models.PositiveSmallIntegerField(
        _("decide within, hours"),
        default=24,
        db_default=24,
        help_text=_("A case that waits longer escalates. It is never paid by time."),
    )
    on_reject = models.CharField(
        _("a rejection takes"), max_length=8, choices=OnReject, default=OnReject.BOTH, db_default=OnReject.BOTH
    )
    tells_members = models.BooleanField(
        _("tell members"),
        default=True,
        db_default=True,
        help_text=_("Whether a member is told, in plain words, what was decided about their reward."),
    )
    reason_templates = models.JSONField(
        _("reasons to choose from"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text=_("Sentences that moderators often give as their reason."),
    )

    class Meta:
        verbose_name = _("antifraud policy")
        verbose_name_plural = _("antifraud policy")
        constraints = [
            CheckConstraint(
                condition=Q(singleton=True, campaign=None) | Q(singleton=None, campaign__isnull=False),
                name="fraudpolicy_of_tenant_or_campaign",
            ),
            CheckConstraint(condition=Q(refuse_from__gt=F("flag_from")), name="fraudpolicy_refuses_above_flagging"),
            CheckConstraint(condition=Q(flag_from__gte=1), name="fraudpolicy_flags_for_something"),
            CheckConstraint(condition=Q(undo_minutes__lte=1440), name="fraudpolicy_undo_within_a_day"),
            CheckConstraint(condition=Q(due_hours__gte=1, due_hours__lte=720), name="fraudpolicy_due_within_a_month"),
            CheckConstraint(
                condition=Q(on_reject__in=["both", "inviter", "invitee"]), name="fraudpolicy_on_reject_known"
            ),
        ]

    def __str__(self) -> str:
        if self.campaign_id:
            return str(_("Antifraud policy of one campaign"))
        return str(_("Antifraud policy"))
