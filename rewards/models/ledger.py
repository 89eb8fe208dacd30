"""The ledger: assets, accounts, postings and lots."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Asset(models.Model):
    """
    Something a tenant can owe, counted in whole units of its smallest part.

    `scale` says how many digits of an amount stand after the point when people read it: with 2, 1250 units are 12.50.
    """

    class Kind(models.TextChoices):
        POINTS = "points", _("Points")
        MONEY = "money", _("Money")
        SPIN = "spin", _("Spins")
        TICKET = "ticket", _("Tickets")

    class Rounding(models.TextChoices):
        DOWN = "down", _("Down")
        HALF_UP = "half_up", _("To the nearest, halves up")

    class Expiry(models.TextChoices):
        NEVER = "never", _("Never")
        DAYS = "days", _("So many days after they could be used")
        MONTHS = "months", _("So many months after they could be used")
        MONTH_END = "month_end", _("At the end of the month")
        QUARTER_END = "quarter_end", _("At the end of the quarter")
        YEAR_END = "year_end", _("At the end of the year")
        IDLE = "idle", _("After so many days without earning or spending")

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=50)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind, default=Kind.POINTS, db_default=Kind.POINTS)
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, default="", db_default="", help_text=_("ISO 4217, of money only.")
    )
    scale = models.PositiveSmallIntegerField(
        _("digits after the point"), default=0, db_default=0, help_text=_("Cannot be changed once something is owed.")
    )
    rounding = models.CharField(
        _("rounding"), max_length=7, choices=Rounding, default=Rounding.DOWN, db_default=Rounding.DOWN
    )
    minor_per_unit = models.PositiveIntegerField(
        _("worth of one"),
        default=100,
        help_text=_(
            "How many minor units of the tenant's currency one is worth: a percent of an order is counted by it."
        ),
    )
    may_owe = models.BooleanField(
        _("may be owed"),
        default=False,
        db_default=False,
        help_text=_(
            "A member's balance may go below zero when a refund takes back what was spent. Earnings pay first."
        ),
    )
    balance_max = models.BigIntegerField(
        _("largest balance"),
        null=True,
        blank=True,
        help_text=_("What a member may have, with what is on hold. Empty: as much as they earn."),
    )
    expiry = models.CharField(
        _("they expire"), max_length=11, choices=Expiry, default=Expiry.NEVER, db_default=Expiry.NEVER
    )
    expiry_count = models.PositiveSmallIntegerField(
        _("days or months"), null=True, blank=True, help_text=_("How many, where the rule above counts.")
    )
    payout_min = models.BigIntegerField(
        _("smallest payout"), null=True, blank=True, help_text=_("Of money: what must have come together before.")
    )
    is_active = models.BooleanField(_("in use"), default=True, db_default=True)

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        constraints = [
            CheckConstraint(condition=Q(code__regex=r"^[a-z][a-z0-9_]*$"), name="asset_code_is_plain"),
            CheckConstraint(condition=Q(minor_per_unit__gt=0), name="asset_worth_positive"),
            CheckConstraint(condition=Q(kind__in=["points", "money", "spin", "ticket"]), name="asset_kind_known"),
            CheckConstraint(
                condition=Q(kind="money", currency__regex=r"^[A-Z]{3}$") | (~Q(kind="money") & Q(currency="")),
                name="asset_money_has_currency",
            ),
            CheckConstraint(condition=Q(scale__lte=4), name="asset_scale_within_four"),
            CheckConstraint(condition=Q(rounding__in=["down", "half_up"]), name="asset_rounding_known"),
            CheckConstraint(condition=Q(balance_max=None) | Q(balance_max__gt=0), name="asset_balance_max_positive"),
            CheckConstraint(
                condition=Q(expiry__in=["days", "months", "idle"], expiry_count__gt=0)
                | Q(expiry__in=["never", "month_end", "quarter_end", "year_end"], expiry_count=None),
                name="asset_expiry_is_set",
            ),
            CheckConstraint(
                condition=Q(payout_min=None) | Q(kind="money", payout_min__gt=0), name="asset_payout_of_money"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Account(models.Model):
    """
    Where units of one asset lie.

    A member's balance is stored and checked; the tenant's own accounts are summed from their postings, so that no row
    is hot. Below zero a balance is a debt, which earnings pay first.
    """

    class Kind(models.TextChoices):
        MEMBER = "member", _("Member")
        ISSUE = "issue", _("Issued by the tenant")
        ESCROW = "escrow", _("Set aside")
        SPEND = "spend", _("Spent")
        EXPIRY = "expiry", _("Expired")
        WRITEOFF = "writeoff", _("Taken off by hand")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    # An account is rewritten with every reward: `account_one_a_member_and_asset` finds it by its member as well.
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("member")
    )
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="+", verbose_name=_("asset"))
    balance = models.BigIntegerField(_("balance"), default=0, help_text=_("Stored for members only."))
    may_owe = models.BooleanField(default=False, db_default=False, help_text=_("A refund has made it a debt once."))
    moved_at = models.DateTimeField(null=True, help_text=_("When its member last earned or spent."))

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            UniqueConstraint(fields=["member", "asset"], name="account_one_a_member_and_asset"),
            UniqueConstraint(fields=["kind", "asset"], condition=Q(member=None), name="account_one_a_kind_and_asset"),
            CheckConstraint(
                condition=Q(kind="member", member__isnull=False)
                | Q(kind__in=["issue", "escrow", "spend", "expiry", "writeoff"], member=None),
                name="account_member_has_member",
            ),
            CheckConstraint(condition=Q(balance__gte=0) | Q(may_owe=True), name="account_balance_not_negative"),
            CheckConstraint(condition=Q(kind="member") | Q(balance=0), name="account_tenant_is_summed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.member_id or ''} {self.asset_id}"


class Posting(models.Model):
    """A move of units from one account to another. Never changed, never deleted: a mistake is reversed."""

    class Reason(models.TextChoices):
        GRANT = "grant", _("Reward granted")
        REFUND = "refund", _("Taken back after a refund")
        UNDO = "undo", _("Decision undone")
        RESERVE = "reserve", _("Set aside")
        RELEASE = "release", _("No longer set aside")
        SPEND = "spend", _("Spent")
        RETURN = "return", _("Given back after a cancelled purchase")
        EXPIRE = "expire", _("Expired")
        ADJUST = "adjust", _("Changed by hand")
        PAYOUT = "payout", _("Paid out")

    key = models.CharField(_("key"), max_length=200, help_text=_("Idempotency key, made from what it follows from."))
    source = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, verbose_name=_("from"))
    target = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, verbose_name=_("to"))
    amount = models.BigIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    reward = models.ForeignKey("rewards.Reward", models.PROTECT, null=True, related_name="+", verbose_name=_("reward"))
    redemption = models.ForeignKey(
        "rewards.Redemption",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("redemption"),
    )
    note = models.CharField(_("note"), max_length=300, blank=True, default="", db_default="")
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
            Index(fields=["redemption"], condition=Q(redemption__isnull=False), name="posting_by_redemption"),
        ]

    def __str__(self) -> str:
        return self.key


class Lot(models.Model):
    """
    What is left of one earning, with its own expiry. Its amount is its posting's.

    What an account's lots have left is its balance, or nothing while the member is in debt.
    """

    # No constraints: postings are never deleted, and hold the account.
    posting = models.OneToOneField(
        Posting, models.PROTECT, primary_key=True, related_name="+", db_constraint=False, verbose_name=_("posting")
    )
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name=_("account")
    )
    remaining = models.BigIntegerField(_("left"))
    available_at = models.DateTimeField(_("available at"))
    expires_at = models.DateTimeField(
        _("expires at"), null=True, help_text=_("The first instant when it is of no use.")
    )

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [CheckConstraint(condition=Q(remaining__gte=0), name="lot_remaining_not_negative")]
        indexes = [
            Index(fields=["account"], condition=Q(remaining__gt=0), name="lot_open_by_account"),
            Index(
                fields=["expires_at"], condition=Q(remaining__gt=0, expires_at__isnull=False), name="lot_open_by_expiry"
            ),
        ]

    def __str__(self) -> str:
        return f"lot {self.posting_id}"


class LotUse(models.Model):
    """
    What a posting took from a lot. Never changed, never deleted.

    An earning that paid a debt first took that part from its own lot.
    """

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="+", db_index=False, verbose_name=_("posting"))
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="+", verbose_name=_("lot"))
    amount = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("lot use")
        verbose_name_plural = _("lot uses")
        constraints = [
            UniqueConstraint(fields=["posting", "lot"], name="lotuse_once_a_posting"),
            CheckConstraint(condition=Q(amount__gt=0), name="lotuse_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.posting_id} of {self.lot_id}"
