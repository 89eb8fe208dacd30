"""How much of each limit is used, and what happens minute by minute."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Counter(models.Model):
    """
    How much of a limit is used: rewards that are flagged, pending or granted count, rejected and cancelled ones do not.

    `max_*` are the limits at the last reservation; a limit lowered later never reaches back.
    """

    class Scope(models.TextChoices):
        LIMIT = "limit", _("Limit")
        INVITER = "inviter", _("Limit of inviters")
        DEVICE = "device", _("Limit of devices")
        CARD = "card", _("Limit of cards")
        CAMPAIGN = "campaign", _("Campaign")

    scope = models.CharField(max_length=8, choices=Scope)
    scope_id = models.BigIntegerField()
    # No foreign key and no NULL: this row is written for each reward, and an index must find "nobody" too. The column
    # has the name of a time when only members were counted.
    subject_id = models.BigIntegerField(
        db_column="member_id",
        default=0,
        help_text="Whose: a member's or inviter's number, antifraud.limits.usage.subject_of a device or card; "
        "0: everybody.",
    )
    period = models.CharField(max_length=7, help_text="hour, day, week, month, ever, or 30 days.")
    period_start = models.DateTimeField(help_text="When the period begins, by the tenant's clock.")
    count = models.BigIntegerField(default=0)
    points = models.BigIntegerField(default=0)
    cost_minor = models.BigIntegerField(default=0, db_default=0)
    days = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text='Of a rolling limit: {"2026-11-22": [count, points, cost_minor]} for each local day of its block; '
        'of a device or card: {"known": the last identity that is counted}.',
    )
    max_count = models.BigIntegerField(null=True)
    max_points = models.BigIntegerField(null=True)
    max_cost_minor = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints = [
            UniqueConstraint(
                fields=["scope", "scope_id", "subject_id", "period", "period_start"],
                name="counter_once",
            ),
            CheckConstraint(condition=Q(count__gte=0, points__gte=0, cost_minor__gte=0), name="counter_not_negative"),
            CheckConstraint(
                condition=Q(max_count=None) | Q(count__lte=F("max_count")), name="counter_within_max_count"
            ),
            CheckConstraint(
                condition=Q(max_points=None) | Q(points__lte=F("max_points")), name="counter_within_max_points"
            ),
            CheckConstraint(
                condition=Q(max_cost_minor=None) | Q(cost_minor__lte=F("max_cost_minor")),
                name="counter_within_max_cost",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id} {self.period}"


class Tally(models.Model):
    """
    What happened in one minute of our clock, of one campaign, channel or inviter, or in the whole tenant.

    Stop rules sum these rows and never scan events. History that is loaded is not in them.
    """

    class Scope(models.TextChoices):
        TENANT = "tenant", _("Everything")
        CAMPAIGN = "campaign", _("Campaign")
        CHANNEL = "channel", _("Channel")
        INVITER = "inviter", _("Inviter")

    scope = models.CharField(max_length=8, choices=Scope)
    subject = models.CharField(
        max_length=50, help_text="A campaign's or an inviter's number, or a channel; empty for the tenant."
    )
    minute = models.DateTimeField()
    signups = models.IntegerField(default=0)
    orders = models.IntegerField(default=0)
    order_minor = models.BigIntegerField(default=0)
    refunds = models.IntegerField(default=0, help_text="Orders that were cancelled, or returned in full or in part.")
    rewards = models.IntegerField(default=0, help_text="Given, flagged ones too.")
    points = models.BigIntegerField(default=0)
    cost_minor = models.BigIntegerField(default=0)
    flagged = models.IntegerField(default=0)
    refused = models.IntegerField(default=0, help_text="By antifraud.")
    device_signups = models.IntegerField(default=0, help_text="Sign-ups that told their device.")
    devices = models.IntegerField(default=0, help_text="Of those, on a device that nobody had signed up on before.")
    ip_signups = models.IntegerField(default=0, help_text="Sign-ups that told their IP address.")
    ips = models.IntegerField(default=0, help_text="Of those, from an address that nobody had signed up from before.")

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [UniqueConstraint(fields=["scope", "subject", "minute"], name="tally_once_a_minute")]
        indexes = [Index(fields=["minute"], name="tally_by_minute")]

    def __str__(self) -> str:
        return f"{self.scope} {self.subject} {self.minute:%Y-%m-%d %H:%M}"
