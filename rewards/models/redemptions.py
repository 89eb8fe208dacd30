"""What members spend, and what staff changes by hand."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q
from django.utils.translation import gettext_lazy as _


class Redemption(models.Model):
    """
    Units that a member spends: on an order, on a gift of the catalogue, or to be paid out.

    Set aside (escrow) first, then captured or released; a purchase is captured at once. A cancelled purchase is
    returned. Key and fingerprint make it idempotent.
    """

    class Purpose(models.TextChoices):
        ORDER = "order", _("Part of an order")
        PURCHASE = "purchase", _("Catalogue")
        PAYOUT = "payout", _("Payout")

    class Status(models.TextChoices):
        RESERVED = "reserved", _("Set aside")
        CAPTURED = "captured", _("Spent")
        RELEASED = "released", _("Released")
        RETURNED = "returned", _("Given back")

    key = models.CharField(_("key"), max_length=200, unique=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    purpose = models.CharField(_("for"), max_length=8, choices=Purpose)
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    asset = models.ForeignKey("rewards.Asset", models.PROTECT, related_name="+", verbose_name=_("asset"))
    gift = models.ForeignKey("rewards.Gift", models.PROTECT, null=True, related_name="+", verbose_name=_("gift"))
    order_number = models.CharField(_("order"), max_length=100, blank=True)
    amount = models.BigIntegerField(_("amount"))
    captured = models.BigIntegerField(_("spent"), default=0)
    status = models.CharField(_("status"), max_length=8, choices=Status)
    reference = models.CharField(
        _("reference"), max_length=200, blank=True, help_text=_("Of the payment, for a payout.")
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    actor = models.CharField(_("by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("set aside until"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            CheckConstraint(condition=Q(purpose__in=["order", "purchase", "payout"]), name="redemption_purpose_known"),
            CheckConstraint(
                condition=Q(status__in=["reserved", "captured", "released", "returned"]), name="redemption_status_known"
            ),
            # A gift may be free on some level; everything else moves something.
            CheckConstraint(
                condition=Q(amount__gt=0) | Q(purpose="purchase", amount=0), name="redemption_amount_positive"
            ),
            CheckConstraint(
                condition=Q(captured__gte=0, captured__lte=F("amount")), name="redemption_captured_within_amount"
            ),
            CheckConstraint(
                condition=Q(purpose="purchase", gift__isnull=False) | (~Q(purpose="purchase") & Q(gift=None)),
                name="redemption_purchase_has_gift",
            ),
            CheckConstraint(
                condition=Q(status="reserved", settled_at=None) | (~Q(status="reserved") & Q(settled_at__isnull=False)),
                name="redemption_settled_has_time",
            ),
        ]
        indexes = [
            Index(fields=["member", "-id"], name="redemption_by_member"),
            Index(fields=["expires_at"], condition=Q(status="reserved"), name="redemption_lapsing"),
            Index(fields=["gift", "member"], condition=Q(gift__isnull=False), name="redemption_by_gift"),
            Index(fields=["order_number"], condition=~Q(order_number=""), name="redemption_by_order"),
        ]

    def __str__(self) -> str:
        return self.key


class Adjustment(models.Model):
    """Units that staff or a key gives or takes by hand. A large one waits for a second person."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waits for a second person")
        POSTED = "posted", _("Posted")
        REFUSED = "refused", _("Refused")

    key = models.CharField(_("key"), max_length=200, unique=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_constraint=False, verbose_name=_("member")
    )
    asset = models.ForeignKey("rewards.Asset", models.PROTECT, related_name="+", verbose_name=_("asset"))
    amount = models.BigIntegerField(_("amount"), help_text=_("Below zero where something is taken."))
    reason = models.CharField(_("reason"), max_length=300)
    status = models.CharField(_("status"), max_length=7, choices=Status)
    asked_by = models.CharField(_("asked by"), max_length=150)
    asked_at = models.DateTimeField(_("asked at"))
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        constraints = [
            CheckConstraint(condition=~Q(amount=0), name="adjustment_changes_something"),
            CheckConstraint(condition=~Q(reason=""), name="adjustment_has_reason"),
            CheckConstraint(condition=Q(status__in=["waiting", "posted", "refused"]), name="adjustment_status_known"),
            CheckConstraint(
                condition=Q(status="waiting", decided_at=None) | (~Q(status="waiting") & Q(decided_at__isnull=False)),
                name="adjustment_decided_has_time",
            ),
            CheckConstraint(
                condition=Q(decided_by="") | ~Q(decided_by=F("asked_by")), name="adjustment_needs_two_people"
            ),
        ]
        indexes = [Index(fields=["id"], condition=Q(status="waiting"), name="adjustment_waiting")]

    def __str__(self) -> str:
        return self.key
