"""What is offered: campaigns, their rules, ladders and limits, and every version that was ever in force."""

from django.db import models
from django.db.models import CheckConstraint, Deferrable, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Campaign(models.Model):
    """What a tenant offers for a time. What is scored is its published versions, not this row."""

    class Goal(models.TextChoices):
        ATTRACT = "attract", _("Attract new customers")
        SELL = "sell", _("Sell more")
        ACTIVATE = "activate", _("Activate members")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        STOPPED = "stopped", _("Stopped by a stop rule")
        ENDED = "ended", _("Ended")

    class WhenShort(models.TextChoices):
        CAP = "cap", _("Give what is left")
        REFUSE = "refuse", _("Give nothing")

    class RefundPolicy(models.TextChoices):
        PENDING_ONLY = "pending_only", _("Only what is still pending")
        TO_ZERO = "to_zero", _("Also what was granted, down to a balance of zero")
        DEBT = "debt", _("All of it: the balance may go below zero, and earnings pay first")

    name = models.CharField(_("name"), max_length=100)
    goal = models.CharField(_("goal"), max_length=10, choices=Goal, default=Goal.ATTRACT)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    starts_at = models.DateTimeField(
        _("starts at"), null=True, blank=True, help_text=_("Empty: from the moment it is first activated.")
    )
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True, help_text=_("Empty: until you end it."))
    budget_points = models.BigIntegerField(
        _("budget, points"), null=True, blank=True, help_text=_("All its rewards together. Empty: no budget.")
    )
    budget_minor = models.BigIntegerField(
        _("budget, money"),
        null=True,
        blank=True,
        help_text=_("What all its rewards together may cost, in minor units of your currency. Empty: no budget."),
    )
    when_short = models.CharField(
        _("when a budget or limit has less left than is due"),
        max_length=6,
        choices=WhenShort,
        default=WhenShort.REFUSE,
    )
    refund_policy = models.CharField(
        _("what a refund takes back"),
        max_length=12,
        choices=RefundPolicy,
        default=RefundPolicy.TO_ZERO,
        db_default=RefundPolicy.TO_ZERO,
    )
    landing_url = models.URLField(
        _("landing address"),
        max_length=500,
        blank=True,
        help_text=_("Where a friend lands who follows a member's link."),
    )
    priority = models.IntegerField(_("priority"), default=0, help_text=_("The highest is tried first."))
    exclusive_group = models.CharField(
        _("exclusive group"),
        max_length=50,
        blank=True,
        help_text=_(
            "Of campaigns with the same word here only the first that rewards an event does. Empty: it adds to others."
        ),
    )
    is_builtin = models.BooleanField(
        default=False, db_default=False, help_text=_("Keeps what was issued by hand or by a program, without a rule.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            CheckConstraint(
                condition=Q(status__in=["draft", "active", "paused", "stopped", "ended"]), name="campaign_status_known"
            ),
            CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gt=F("starts_at")),
                name="campaign_ends_after_start",
            ),
            CheckConstraint(condition=Q(budget_points=None) | Q(budget_points__gt=0), name="campaign_budget_positive"),
            CheckConstraint(
                condition=Q(budget_minor=None) | Q(budget_minor__gt=0), name="campaign_money_budget_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """One line of a campaign: when this happens and these conditions hold, that person gets so much."""

    class Recipient(models.TextChoices):
        ACTOR = "actor", _("Whoever did it")
        INVITER = "inviter", _("The inviter")
        INVITEE = "invitee", _("The invited friend")
        BOTH = "both", _("Both the inviter and the friend")

    class OrderNumber(models.TextChoices):
        ANY = "any", _("Any order")
        FIRST = "first", _("The first order")
        REPEAT = "repeat", _("Second and later orders")

    class Match(models.TextChoices):
        ALL = "all", _("All conditions hold")
        ANY = "any", _("At least one condition holds")

    class AmountKind(models.TextChoices):
        FIXED = "fixed", _("Fixed")
        PERCENT = "percent", _("Percent of the order")
        TIERS = "tiers", _("Ladder: more friends, more points each")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="rules", verbose_name=_("campaign"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)
    trigger = models.CharField(_("when"), max_length=60, help_text=_("Kind of event."))
    recipient = models.CharField(_("who gets it"), max_length=8, choices=Recipient, default=Recipient.INVITER)
    order_number = models.CharField(_("which order"), max_length=6, choices=OrderNumber, default=OrderNumber.ANY)
    match = models.CharField(_("conditions"), max_length=3, choices=Match, default=Match.ALL)
    conditions = models.JSONField(
        _("conditions"), default=list, blank=True, help_text='[{"field", "operator", "value"}] of the kind\'s fields.'
    )
    # What can be given stands on a higher floor: settings.REWARD_KINDS lists the kinds, campaigns.giving asks them.
    reward_kind = models.CharField(_("reward"), max_length=12, default="points")
    reward_what = models.CharField(
        _("what"),
        max_length=50,
        blank=True,
        default="",
        db_default="",
        help_text=_("The asset's or the gift's code. Empty: points."),
    )
    extras = models.JSONField(
        _("and with it"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text='[{"kind", "what", "amount"}]: given together with it, or not at all.',
    )
    awaits = models.CharField(
        _("usable once this happens"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("A promise: the kind of event of the member's own that it waits for. Empty: nothing."),
    )
    awaits_days = models.PositiveSmallIntegerField(
        _("promise holds, days"), null=True, blank=True, help_text=_("Empty: for ever.")
    )
    amount_kind = models.CharField(_("how much"), max_length=8, choices=AmountKind, default=AmountKind.FIXED)
    amount_points = models.BigIntegerField(_("points"), null=True, blank=True)
    rate_bps = models.PositiveIntegerField(
        _("rate"), null=True, blank=True, help_text=_("In hundredths of a percent: 250 is 2.5%.")
    )
    hold_days = models.PositiveSmallIntegerField(
        _("hold, days"), default=0, help_text=_("Days until the reward can be spent, so that a refund comes before it.")
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            CheckConstraint(
                condition=Q(amount_kind="fixed", amount_points__gt=0)
                | Q(amount_kind="percent", rate_bps__gt=0, rate_bps__lte=10_000)
                | Q(amount_kind="tiers"),
                name="rule_amount_is_set",
            ),
            CheckConstraint(condition=Q(hold_days__lte=365), name="rule_hold_within_a_year"),
        ]
        indexes = [Index(fields=["campaign", "position"], name="rule_in_order")]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.pk} {self.trigger}"


class RewardTier(models.Model):
    """A step of the campaign's ladder: from this many qualified referrals on, each pays so much."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="tiers", verbose_name=_("campaign"))
    from_count = models.PositiveIntegerField(_("from friend number"))
    amount_points = models.BigIntegerField(_("points for each"))

    class Meta:
        verbose_name = _("reward tier")
        verbose_name_plural = _("reward tiers")
        constraints = [
            # Checked at the commit, so that two steps can swap their places in one form.
            UniqueConstraint(
                fields=["campaign", "from_count"], name="rewardtier_step_once", deferrable=Deferrable.DEFERRED
            ),
            CheckConstraint(condition=Q(from_count__gte=1), name="rewardtier_counts_from_one"),
            CheckConstraint(condition=Q(amount_points__gt=0), name="rewardtier_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.from_count}+ {self.amount_points}"


class Limit(models.Model):
    """
    How often, or how much, in a period: for one person or thing, or for all together.

    Calendar periods begin by the tenant's clock. A rolling one is today and the local days before it, so many in all.
    """

    class Per(models.TextChoices):
        MEMBER = "member", _("Each member")
        INVITER = "inviter", _("Each inviter, with all their friends")
        DEVICE = "device", _("Each device")
        CARD = "card", _("Each card")
        CAMPAIGN = "campaign", _("All together")

    class Period(models.TextChoices):
        HOUR = "hour", _("an hour")
        DAY = "day", _("a day")
        WEEK = "week", _("a week (from Monday)")
        MONTH = "month", _("a calendar month")
        ROLLING = "rolling", _("so many days, today included")
        EVER = "ever", _("for ever")

    class WhenShort(models.TextChoices):
        CAMPAIGN = "", _("As the campaign says")
        CAP = "cap", _("Give what is left")
        REFUSE = "refuse", _("Give nothing")

    campaign = models.ForeignKey(
        Campaign,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="limits",
        verbose_name=_("campaign"),
        help_text=_("Empty: over all campaigns together."),
    )
    per = models.CharField(_("for"), max_length=8, choices=Per, default=Per.MEMBER)
    period = models.CharField(_("in"), max_length=7, choices=Period, default=Period.MONTH)
    days = models.PositiveSmallIntegerField(
        _("days"), null=True, blank=True, help_text=_("Of a rolling limit: 2 to 92.")
    )
    max_count = models.PositiveIntegerField(_("rewards at most"), null=True, blank=True)
    max_points = models.BigIntegerField(_("points at most"), null=True, blank=True)
    max_cost_minor = models.BigIntegerField(
        _("cost at most"), null=True, blank=True, help_text=_("In minor units of your currency.")
    )
    when_short = models.CharField(
        _("when less is left than is due"), max_length=6, choices=WhenShort, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [
            UniqueConstraint(
                fields=["campaign", "per", "period", "days"],
                name="limit_once_a_period",
                nulls_distinct=False,
                deferrable=Deferrable.DEFERRED,
            ),
            CheckConstraint(
                condition=Q(max_count__gt=0) | Q(max_points__gt=0) | Q(max_cost_minor__gt=0),
                name="limit_limits_something",
            ),
            CheckConstraint(
                condition=Q(period="rolling", days__gte=2, days__lte=92) | ~Q(period="rolling") & Q(days=None),
                name="limit_rolls_over_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.per} {self.period}"


class CampaignVersion(models.Model):
    """What a campaign was from `valid_from` until the next version: an event is scored by the one of its own time."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="+", verbose_name=_("campaign"))
    number = models.PositiveIntegerField(_("version"))
    valid_from = models.DateTimeField(_("valid from"))
    definition = models.JSONField(_("definition"), help_text="campaigns.definitions.as_json of the whole campaign.")
    author = models.CharField(_("author"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("campaign version")
        verbose_name_plural = _("campaign versions")
        constraints = [UniqueConstraint(fields=["campaign", "number"], name="campaignversion_number_once")]

    def __str__(self) -> str:
        return f"{self.campaign_id} v{self.number}"
