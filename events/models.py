"""What happened: the log that everything else follows from, and the orders it tells of."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """
    A fact, and how far we are with it.

    The columns of the fact never change (a trigger says so); those of the processing state do: `member`, `status`,
    `attempts`, `next_at`, `error`, `handled_at`, `trace`.
    """

    class Source(models.TextChoices):
        API = "api", _("Reported through the API")
        SARAFAN = "sarafan", _("Recorded by Sarafan")

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        HANDLED = "handled", _("Handled")
        FAILED = "failed", _("Failed")

    source = models.CharField(_("source"), max_length=8, choices=Source)
    key = models.CharField(_("key"), max_length=200, help_text=_("Idempotency key, given by the sender."))
    kind = models.CharField(_("kind"), max_length=60)
    fingerprint = models.CharField(max_length=64, help_text="Keyed hash of the canonical body.")
    identities = models.JSONField(
        default=list, help_text='Whom it is about: [{"kind", "lookup", "value"}], personal values sealed.'
    )
    business_key = models.CharField(  # noqa: DJ001 (unique, and most events have none)
        max_length=260,
        null=True,
        help_text="What may happen once even under another key, such as order.paid:1001.",
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    data = models.JSONField(_("data"), default=dict)
    is_history = models.BooleanField(
        _("history"),
        default=False,
        help_text=_("An old event loaded by a key with events:backfill: scored, but not counted by stop rules."),
    )
    # `cause` and `member` are no constraints of the database, which would look for each row's twice: events and members
    # are never deleted (triggers say so), and both come out of the transaction that writes them here.
    cause = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The event that this one follows from.",
    )
    depth = models.SmallIntegerField(default=0, help_text="Length of the chain of causes.")

    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt at"), null=True)
    error = models.CharField(_("error"), max_length=500, blank=True, default="")
    handled_at = models.DateTimeField(_("handled at"), null=True)
    trace = models.JSONField(_("trace"), default=list, help_text=_("Why each rule did or did not reward it."))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            UniqueConstraint(fields=["source", "key"], name="event_key_once"),
            UniqueConstraint(fields=["business_key"], name="event_business_key_once"),
            CheckConstraint(condition=Q(status__in=["waiting", "handled", "failed"]), name="event_status_known"),
            CheckConstraint(condition=Q(depth__gte=0, depth__lte=5), name="event_chain_is_short"),
            CheckConstraint(
                condition=~Q(status="failed") | ~Q(error=""),
                name="event_failed_says_why",
            ),
        ]
        # Every index slows each event down: those that only part of the events need are partial, and `member` has no
        # second one of its own.
        indexes = [
            Index(fields=["id"], condition=Q(status="waiting", next_at=None), name="event_waiting"),
            Index(fields=["next_at"], condition=Q(status="waiting", next_at__isnull=False), name="event_retry_due"),
            Index(fields=["id"], condition=Q(status="failed"), name="event_failed"),
            # Refunds and cancellations whose order has not come: by the order's number.
            Index(
                KeyTextTransform("order_id", "data"),
                condition=(Q(kind="order.refunded") | Q(kind="order.cancelled")) & ~Q(status="handled"),
                name="event_early_return",
            ),
            Index(fields=["cause"], condition=Q(cause__isnull=False), name="event_by_cause"),
            Index(fields=["member", "kind", "occurred_at"], name="event_by_member"),
            # Of a log that only grows a block's smallest and largest instants find a month as well as a tree would.
            BrinIndex(fields=["received_at"], name="event_by_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Order(models.Model):
    """
    What the log says of one order: paid once, refunded in parts, perhaps cancelled.

    A row is never deleted; what was refunded and when it was cancelled is all of it that changes (a trigger says so).
    """

    number = models.CharField(_("order"), max_length=100, help_text=_("The shop's order_id."))
    # No constraints, as in Event: neither members nor events are ever deleted.
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    event = models.ForeignKey(
        Event,
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The order.paid event.",
    )
    amount_minor = models.BigIntegerField(_("amount"), help_text=_("In minor units of the currency."))
    currency = models.CharField(_("currency"), max_length=3)
    refunded_minor = models.BigIntegerField(_("refunded"), default=0)
    paid_at = models.DateTimeField(_("paid at"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            UniqueConstraint(fields=["number"], name="order_number_once"),
            CheckConstraint(condition=Q(amount_minor__gte=0), name="order_amount_not_negative"),
            CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=models.F("amount_minor")),
                name="order_refund_within_amount",
            ),
        ]
        indexes = [Index(fields=["member", "paid_at"], name="order_by_member")]

    def __str__(self) -> str:
        return self.number
