"""What is owed: rewards with their states, and the ledger that pays them."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Asset(models.Model):
    """Something a tenant can owe, counted in whole units. Points are the first; stars, spins and tickets follow."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=50)
    minor_per_unit = models.PositiveIntegerField(
        _("worth of one"),
        default=100,
        help_text=_(
            "How many minor units of the tenant's currency one is worth: a percent of an order is counted by it."
        ),
    )

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        constraints = [
            CheckConstraint(condition=Q(code__regex=r"^[a-z][a-z0-9_]*$"), name="asset_code_is_plain"),
            CheckConstraint(condition=Q(minor_per_unit__gt=0), name="asset_worth_positive"),
        ]

    def __str__(self) -> str:
        return self.code


class Account(models.Model):
    """
    Where units of one asset lie.

    A member's balance is stored and checked; the tenant's own accounts are summed from their postings, so that no row
    is hot.
    """

    class Kind(models.TextChoices):
        MEMBER = "member", _("Member")
        ISSUE = "issue", _("Issued by the tenant")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="+", verbose_name=_("member"))
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="+", verbose_name=_("asset"))
    balance = models.BigIntegerField(_("balance"), default=0, help_text=_("Stored for members only."))

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            UniqueConstraint(fields=["member", "asset"], name="account_one_a_member_and_asset"),
            UniqueConstraint(fields=["kind", "asset"], condition=Q(member=None), name="account_one_a_kind_and_asset"),
            CheckConstraint(
                condition=Q(kind="member", member__isnull=False) | Q(kind="issue", member=None),
                name="account_member_has_member",
            ),
            CheckConstraint(condition=Q(balance__gte=0), name="account_balance_not_negative"),
            CheckConstraint(condition=Q(kind="member") | Q(balance=0), name="account_tenant_is_summed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.member_id or ''} {self.asset_id}"


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
    kind = models.CharField(_("kind"), max_length=12, default="points")
    asset = models.ForeignKey(
        Asset, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False, verbose_name=_("asset")
    )
    due = models.BigIntegerField(_("due"), help_text=_("What the rule gives."))
    given = models.BigIntegerField(_("given"), help_text=_("What budgets and limits left of it."))
    reversed = models.BigIntegerField(_("taken back"), default=0)
    lost = models.BigIntegerField(
        _("lost"), default=0, help_text=_("What should have been taken back but was already spent.")
    )
    status = models.CharField(_("status"), max_length=9, choices=Status)
    reasons = models.JSONField(
        _("reasons"), default=list, help_text=_("Why it was flagged: [{signal, sentence, evidence}].")
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    matures_at = models.DateTimeField(_("matures at"))
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
        ]
        indexes = [
            Index(fields=["member", "-id"], name="reward_by_member"),
            Index(fields=["campaign", "occurred_at"], name="reward_by_campaign"),
            Index(fields=["matures_at"], condition=Q(status="pending"), name="reward_maturing"),
            Index(fields=["order"], condition=Q(order__isnull=False), name="reward_by_order"),
            Index(fields=["id"], condition=Q(status="flagged"), name="reward_waiting_for_moderator"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Posting(models.Model):
    """A move of units from one account to another. Never changed, never deleted: a mistake is reversed."""

    class Reason(models.TextChoices):
        GRANT = "grant", _("Reward granted")
        REFUND = "refund", _("Taken back after a refund")
        UNDO = "undo", _("Decision undone")

    key = models.CharField(_("key"), max_length=200, help_text=_("Idempotency key, made from what it follows from."))
    source = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, verbose_name=_("from"))
    target = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, verbose_name=_("to"))
    amount = models.BigIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    reward = models.ForeignKey(Reward, models.PROTECT, null=True, related_name="+", verbose_name=_("reward"))
    reverses = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("reverses")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("ledger")
        constraints = [
            UniqueConstraint(fields=["key"], name="posting_key_once"),
            CheckConstraint(condition=Q(amount__gt=0), name="posting_amount_positive"),
            CheckConstraint(condition=~Q(source=F("target")), name="posting_moves_somewhere"),
        ]
        indexes = [
            Index(fields=["source", "-id"], name="posting_by_source"),
            Index(fields=["target", "-id"], name="posting_by_target"),
        ]

    def __str__(self) -> str:
        return self.key
