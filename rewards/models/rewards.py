"""What is owed: rewards with their states."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Reward(models.Model):
    """
    One concrete thing owed to one member for one occurrence by one rule.

    Two clocks hold it: `matures_at` (the refund window) and moderation (status `flagged`); it is granted when both are
    clear.
    """

    class Status(models.TextChoices):
        FLAGGED = "flagged", _("Flagged for review")
        PENDING = "pending", _("Pending")
        GRANTED = "granted", _("Granted")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")
        REVERSED = "reversed", _("Reversed")

    class Side(models.TextChoices):
        ACTOR = "actor", _("Actor")
        INVITER = "inviter", _("Inviter")
        INVITEE = "invitee", _("Invitee")

    class LostWhy(models.TextChoices):
        SPENT = "spent", _("Spent")
        FORGIVEN = "forgiven", _("The campaign takes back only what is pending")
        SHOWN = "shown", _("The member has seen the code")
        USED = "used", _("Used")
        SENT = "sent", _("On its way, or delivered")

    # The database looks for each of these that is a constraint whenever a reward is written. Events, orders, members,
    # referrals and versions are never deleted (triggers say so), campaigns and assets are kept by what points at them:
    # none of these keys can come to point at nothing, so it need not look seven times more.
    campaign = models.ForeignKey(
        "campaigns.Campaign",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("campaign"),
    )
    rule = models.ForeignKey("campaigns.Rule", models.PROTECT, related_name="+", db_index=False, verbose_name=_("rule"))
    version = models.ForeignKey(
        "campaigns.CampaignVersion",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("campaign version"),
    )
    event = models.ForeignKey(
        "events.Event", models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name=_("event")
    )
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    side = models.CharField(_("side"), max_length=8, choices=Side)
    referral = models.ForeignKey(
        "referrals.Referral",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("referral"),
    )
    order = models.ForeignKey(
        "events.Order",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("order"),
    )
    occurrence = models.CharField(
        _("occurrence"), max_length=120, help_text=_("What it is for in the tenant's terms, such as order:1001.")
    )
    part = models.PositiveSmallIntegerField(
        _("part"),
        default=0,
        db_default=0,
        help_text=_("A rule may give several things at once: all for one occurrence, which counts once."),
    )
    kind = models.CharField(_("kind"), max_length=12, default="points")
    what = models.CharField(
        _("what"), max_length=50, blank=True, default="", db_default="", help_text=_("A gift's code.")
    )
    asset = models.ForeignKey(
        "rewards.Asset",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("asset"),
    )
    due = models.BigIntegerField(_("due"), help_text=_("What the rule gives."))
    given = models.BigIntegerField(_("given"), help_text=_("What budgets and limits left of it."))
    cost_minor = models.BigIntegerField(
        _("cost"),
        default=0,
        db_default=0,
        help_text=_("What all that is given costs the tenant, in minor units of its currency, when it was proposed."),
    )
    reversed = models.BigIntegerField(_("taken back"), default=0)
    lost = models.BigIntegerField(
        _("lost"), default=0, help_text=_("What should have been taken back but was already spent.")
    )
    lost_why = models.CharField(
        _("why it is lost"), max_length=10, choices=LostWhy, blank=True, default="", db_default=""
    )
    status = models.CharField(_("status"), max_length=9, choices=Status)
    reasons = models.JSONField(
        _("reasons"), default=list, help_text=_("Why it was flagged: [{signal, sentence, evidence}].")
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    matures_at = models.DateTimeField(_("matures at"))
    awaits = models.CharField(
        _("waits for"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("A promise: the kind of event of its member that makes it due. Empty: nothing, or it has come."),
    )
    awaits_until = models.DateTimeField(_("waits until"), null=True, help_text=_("Then the promise lapses."))
    created_at = models.DateTimeField(_("created at"))
    granted_at = models.DateTimeField(_("granted at"), null=True)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints = [
            UniqueConstraint(fields=["rule", "member", "occurrence"], name="reward_once_an_occurrence"),
            CheckConstraint(
                condition=Q(status__in=["flagged", "pending", "granted", "rejected", "cancelled", "reversed"]),
                name="reward_status_known",
            ),
            CheckConstraint(condition=Q(given__gt=0, given__lte=F("due")), name="reward_given_within_due"),
            CheckConstraint(
                condition=Q(reversed__gte=0, lost__gte=0, given__gte=F("reversed") + F("lost")),
                name="reward_taken_back_within_given",
            ),
            CheckConstraint(condition=~Q(status="flagged", reasons=[]), name="reward_flagged_has_reason"),
            CheckConstraint(
                condition=Q(status__in=["granted", "reversed"], granted_at__isnull=False)
                | Q(status__in=["flagged", "pending", "rejected", "cancelled"], granted_at=None),
                name="reward_granted_has_time",
            ),
            CheckConstraint(
                condition=Q(awaits="") | Q(status__in=["pending", "flagged", "rejected", "cancelled"]),
                name="reward_promise_is_not_granted",
            ),
        ]
        indexes = [
            Index(fields=["member", "-id"], name="reward_by_member"),
            Index(fields=["campaign", "occurred_at"], name="reward_by_campaign"),
            Index(fields=["matures_at"], condition=Q(status="pending", awaits=""), name="reward_due"),
            Index(fields=["order"], condition=Q(order__isnull=False), name="reward_by_order"),
            Index(fields=["id"], condition=Q(status="flagged"), name="reward_waiting_for_moderator"),
            Index(fields=["member"], condition=~Q(awaits=""), name="reward_promised"),
            Index(fields=["member"], condition=Q(lost__gt=0), name="reward_lost"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
