"""What halts a campaign, and when it did."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a stop rule looks at: each of them by itself."""

    CAMPAIGN = "campaign", _("Campaign")
    CHANNEL = "channel", _("Channel")
    INVITER = "inviter", _("Inviter")
    TENANT = "tenant", _("Everything together")


class Action(models.TextChoices):
    """What follows when a stop rule fires."""

    STOP = "stop", _("Stop the campaign; what it owes waits for a moderator")
    FLAG = "flag", _("Go on, but every new reward waits for a moderator")
    THROTTLE = "throttle", _("Go on, but what is more than so many an hour waits for a moderator")
    BLOCK_INVITER = "block", _("Block the inviter")
    NOTIFY = "notify", _("Only tell us")


class Metric(models.TextChoices):
    """What is measured. Shares are in hundredths of a percent, members on a device or address in hundredths."""

    REWARDS = "rewards", _("Rewards")
    POINTS = "points", _("Points")
    COST = "cost", _("Cost of rewards")
    SIGNUPS = "signups", _("Sign-ups")
    ORDERS = "orders", _("Paid orders")
    FLAGGED_SHARE = "flagged_share", _("Share of rewards that are flagged or refused")
    REFUND_SHARE = "refund_share", _("Share of orders that are returned")
    DEVICE_MEMBERS = "device_members", _("New members on one device")
    IP_MEMBERS = "ip_members", _("New members from one IP address")
    CONVERSION = "conversion", _("Orders for each sign-up")
    ORDER_COST = "order_cost", _("Cost of rewards for each order")


class StopRule(models.Model):
    """
    When a figure of so many minutes is out of bounds, something happens.

    `threshold` is in the metric's units. For an anomaly it is the floor under which nothing is one.
    """

    Metric = Metric
    Scope = Scope
    Action = Action

    class Comparison(models.TextChoices):
        ABOVE = "above", _("is more than")
        BELOW = "below", _("is less than")
        ANOMALY = "anomaly", _("is far more than usual at this hour of the week, and more than")

    scope = models.CharField(
        _("of each"), max_length=8, choices=Scope, default=Scope.CAMPAIGN, db_default=Scope.CAMPAIGN
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("campaign"),
        help_text=_("Empty: each campaign by itself."),
    )
    metric = models.CharField(_("of what"), max_length=14, choices=Metric, default=Metric.REWARDS)
    comparison = models.CharField(
        _("when it"), max_length=7, choices=Comparison, default=Comparison.ABOVE, db_default=Comparison.ABOVE
    )
    threshold = models.BigIntegerField(_("more than"))
    window_minutes = models.PositiveIntegerField(_("in how many minutes"), default=60)
    data_min = models.PositiveIntegerField(
        _("with at least"),
        default=20,
        db_default=20,
        help_text=_("Of a share or an average: with fewer rewards, orders or sign-ups than this it says nothing."),
    )
    weeks_min = models.PositiveSmallIntegerField(
        _("weeks of history"),
        default=4,
        db_default=4,
        help_text=_("For an anomaly: with fewer weeks to compare with it says nothing."),
    )
    action = models.CharField(_("then"), max_length=8, choices=Action, default=Action.STOP, db_default=Action.STOP)
    throttle_per_hour = models.PositiveIntegerField(_("rewards an hour"), null=True, blank=True)
    cooldown_minutes = models.PositiveIntegerField(
        _("rest, minutes"),
        default=60,
        db_default=60,
        help_text=_("After it has been set going again it does not fire for so long."),
    )
    resume_minutes = models.PositiveIntegerField(
        _("go on by itself after, minutes"), null=True, blank=True, help_text=_("Empty: when somebody says so.")
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("stop rule")
        verbose_name_plural = _("stop rules")
        constraints = [
            CheckConstraint(condition=Q(threshold__gt=0), name="stoprule_threshold_positive"),
            CheckConstraint(
                condition=Q(window_minutes__gte=1, window_minutes__lte=10_080), name="stoprule_window_within_a_week"
            ),
            CheckConstraint(
                condition=~Q(action="throttle") | Q(throttle_per_hour__gt=0), name="stoprule_throttles_to_something"
            ),
            CheckConstraint(
                condition=~Q(action__in=["stop", "throttle"]) | Q(scope="campaign"),
                name="stoprule_stops_a_campaign",
            ),
            CheckConstraint(condition=~Q(action="block") | Q(scope="inviter"), name="stoprule_blocks_an_inviter"),
            CheckConstraint(condition=Q(campaign=None) | Q(scope="campaign"), name="stoprule_campaign_is_its_scope"),
            CheckConstraint(condition=Q(weeks_min__gte=2, weeks_min__lte=8), name="stoprule_two_to_eight_weeks"),
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()} > {self.threshold} / {self.window_minutes} min"


class Trip(models.Model):
    """
    A stop rule fired: the figures at that moment, what followed, and who set it going again.

    `baseline` is what was usual: `{"median", "spread", "weeks": [figures], "method"}`. `chart` is the figure's way
    there, `[[instant, figure]]`, oldest first.
    """

    stop_rule = models.ForeignKey(StopRule, models.PROTECT, related_name="+", verbose_name=_("stop rule"))
    scope = models.CharField(
        _("of each"), max_length=8, choices=Scope, default=Scope.CAMPAIGN, db_default=Scope.CAMPAIGN
    )
    subject = models.CharField(
        _("of"),
        max_length=50,
        blank=True,
        default="",
        db_default="",
        help_text="As in Tally; empty for a campaign, which has its own column.",
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.PROTECT, null=True, related_name="+", verbose_name=_("campaign")
    )
    metric = models.CharField(_("of what"), max_length=14, choices=Metric)
    action = models.CharField(_("then"), max_length=8, choices=Action, default=Action.STOP, db_default=Action.STOP)
    throttle_per_hour = models.PositiveIntegerField(_("rewards an hour"), null=True)
    figure = models.BigIntegerField(_("figure"))
    threshold = models.BigIntegerField(_("threshold"))
    window_minutes = models.PositiveIntegerField(_("window, minutes"))
    baseline = models.JSONField(_("what is usual"), default=dict, db_default=models.Value({}, models.JSONField()))
    chart = models.JSONField(_("the way there"), default=list, db_default=models.Value([], models.JSONField()))
    tripped_at = models.DateTimeField(_("tripped at"))
    resume_at = models.DateTimeField(
        _("goes on at"), null=True, help_text=_("By itself. Empty: when somebody says so.")
    )
    resumed_at = models.DateTimeField(_("resumed at"), null=True)
    resumed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("resumed by"),
        help_text=_("Nobody: it went on by itself."),
    )

    class Meta:
        verbose_name = _("trip")
        verbose_name_plural = _("trips of stop rules")
        constraints = [
            UniqueConstraint(
                fields=["stop_rule", "scope", "subject", "campaign"],
                condition=Q(resumed_at=None),
                nulls_distinct=False,
                name="trip_open_once",
            ),
            CheckConstraint(
                condition=Q(scope="campaign", campaign__isnull=False, subject="")
                | ~Q(scope="campaign") & Q(campaign=None),
                name="trip_of_something",
            ),
        ]
        indexes = [Index(fields=["resume_at"], condition=Q(resumed_at=None), name="trip_to_resume")]

    def __str__(self) -> str:
        return f"{self.scope} {self.campaign_id or self.subject} {self.tripped_at:%Y-%m-%d %H:%M}"
