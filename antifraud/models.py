"""Whether to pay: policy, counters of limits, what was seen, what was decided, and what stops a campaign."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class FraudPolicy(models.Model):
    """The tenant's choice of how careful to be. One row."""

    singleton = models.BooleanField(default=True, unique=True, editable=False)
    flag_from = models.PositiveSmallIntegerField(
        _("flag from"), default=50, help_text=_("A reward whose signals weigh this much waits for a moderator.")
    )
    refuse_from = models.PositiveSmallIntegerField(
        _("refuse from"), default=150, help_text=_("One whose signals weigh this much is not given at all.")
    )
    signups_per_hour = models.PositiveSmallIntegerField(
        _("sign-ups an hour for one inviter"), default=10, help_text=_("More than this raises the signal “velocity”.")
    )
    undo_minutes = models.PositiveSmallIntegerField(
        _("undo, minutes"), default=10, help_text=_("How long a moderator may take a decision back.")
    )

    class Meta:
        verbose_name = _("antifraud policy")
        verbose_name_plural = _("antifraud policy")
        constraints = [
            CheckConstraint(condition=Q(singleton=True), name="fraudpolicy_is_one"),
            CheckConstraint(condition=Q(refuse_from__gt=F("flag_from")), name="fraudpolicy_refuses_above_flagging"),
            CheckConstraint(condition=Q(flag_from__gte=1), name="fraudpolicy_flags_for_something"),
            CheckConstraint(condition=Q(signups_per_hour__gte=1), name="fraudpolicy_velocity_at_least_one"),
            CheckConstraint(condition=Q(undo_minutes__lte=1440), name="fraudpolicy_undo_within_a_day"),
        ]

    def __str__(self) -> str:
        return str(_("Antifraud policy"))


class Counter(models.Model):
    """
    How much of a limit is used: rewards that are flagged, pending or granted count, rejected and cancelled ones do not.

    `max_*` are the limits at the last reservation; a limit lowered later never reaches back.
    """

    class Scope(models.TextChoices):
        LIMIT = "limit", _("Limit")
        CAMPAIGN = "campaign", _("Campaign")
        RULE = "rule", _("Rule")

    scope = models.CharField(max_length=8, choices=Scope)
    scope_id = models.BigIntegerField()
    # No foreign key and no NULL: this row is written for each reward, and an index must find "no member" too.
    member_id = models.BigIntegerField(default=0, help_text="0: all members together.")
    period = models.CharField(max_length=6, help_text="day, week, month, ever, or minute (what stop rules sum).")
    period_start = models.DateTimeField(help_text="When the period begins, by the tenant's clock.")
    count = models.BigIntegerField(default=0)
    points = models.BigIntegerField(default=0)
    max_count = models.BigIntegerField(null=True)
    max_points = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints = [
            UniqueConstraint(
                fields=["scope", "scope_id", "member_id", "period", "period_start"],
                name="counter_once",
            ),
            CheckConstraint(condition=Q(count__gte=0, points__gte=0), name="counter_not_negative"),
            CheckConstraint(
                condition=Q(max_count=None) | Q(count__lte=F("max_count")), name="counter_within_max_count"
            ),
            CheckConstraint(
                condition=Q(max_points=None) | Q(points__lte=F("max_points")), name="counter_within_max_points"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id} {self.period}"


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
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"


class Case(models.Model):
    """A moderator's unit of work: flagged rewards that belong together, such as both sides of a referral."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    group_key = models.CharField(
        max_length=120, help_text="What ties its rewards: referral:12:campaign:3, or event:99:campaign:3."
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.OPEN)
    campaign = models.ForeignKey("campaigns.Campaign", models.PROTECT, related_name="+", verbose_name=_("campaign"))
    opened_at = models.DateTimeField(_("opened at"))
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
        indexes = [Index(fields=["status", "opened_at"], name="case_in_queue")]

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
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")

    def __str__(self) -> str:
        return f"{self.case_id} {self.action}"


class StopRule(models.Model):
    """When a campaign gives more than this in so many minutes, it is stopped and its new rewards are flagged."""

    class Metric(models.TextChoices):
        REWARDS = "rewards", _("Rewards")
        POINTS = "points", _("Points")

    campaign = models.ForeignKey(
        "campaigns.Campaign",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("campaign"),
        help_text=_("Empty: each campaign by itself."),
    )
    metric = models.CharField(_("of what"), max_length=8, choices=Metric, default=Metric.REWARDS)
    threshold = models.BigIntegerField(_("more than"))
    window_minutes = models.PositiveIntegerField(_("in how many minutes"), default=60)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("stop rule")
        verbose_name_plural = _("stop rules")
        constraints = [
            CheckConstraint(condition=Q(threshold__gt=0), name="stoprule_threshold_positive"),
            CheckConstraint(
                condition=Q(window_minutes__gte=1, window_minutes__lte=10_080), name="stoprule_window_within_a_week"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()} > {self.threshold} / {self.window_minutes} min"


class Trip(models.Model):
    """A stop rule fired: the figures at that moment, and who set the campaign going again."""

    stop_rule = models.ForeignKey(StopRule, models.PROTECT, related_name="+", verbose_name=_("stop rule"))
    campaign = models.ForeignKey("campaigns.Campaign", models.PROTECT, related_name="+", verbose_name=_("campaign"))
    metric = models.CharField(_("of what"), max_length=8, choices=StopRule.Metric)
    figure = models.BigIntegerField(_("figure"))
    threshold = models.BigIntegerField(_("threshold"))
    window_minutes = models.PositiveIntegerField(_("window, minutes"))
    tripped_at = models.DateTimeField(_("tripped at"))
    resumed_at = models.DateTimeField(_("resumed at"), null=True)
    resumed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("resumed by")
    )

    class Meta:
        verbose_name = _("trip")
        verbose_name_plural = _("trips of stop rules")
        constraints = [
            UniqueConstraint(fields=["campaign"], condition=Q(resumed_at=None), name="trip_open_once_a_campaign")
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.tripped_at:%Y-%m-%d %H:%M}"
