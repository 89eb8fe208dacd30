"""Webhooks: endpoints, and the outbox of what each is to be told."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Endpoint(models.Model):
    """An address of the tenant's that is told of facts, by the kinds it asked for."""

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("a webhook", "Active")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Disabled after failures")

    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("description"), max_length=200, blank=True)
    kinds = ArrayField(models.CharField(max_length=60), verbose_name=_("facts"), help_text=_("What it is told of."))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    status_note = models.CharField(_("why"), max_length=300, blank=True, help_text=_("Why it is not active."))
    version = models.PositiveSmallIntegerField(_("version"), default=1, help_text=_("Of the payloads."))
    secret = models.CharField(max_length=300, help_text="Sealed.")
    secret_old = models.CharField(max_length=300, blank=True, help_text="Sealed. It signs too, until it ends.")
    secret_old_until = models.DateTimeField(_("old secret signs until"), null=True, blank=True)
    secret_older = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Sealed. The one before the old one."
    )
    secret_older_until = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(
        _("failing since"), null=True, blank=True, help_text=_("The first of the failures that no success has ended.")
    )
    resending = models.JSONField(
        null=True, blank=True, help_text="How far the last sending again is (webhooks.resending.Course)."
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            CheckConstraint(condition=Q(status__in=["active", "paused", "disabled"]), name="endpoint_status_known"),
            CheckConstraint(condition=Q(kinds__len__gte=1), name="endpoint_asks_for_something"),
            CheckConstraint(
                condition=Q(secret_old="") | Q(secret_old_until__isnull=False), name="endpoint_old_secret_ends"
            ),
            CheckConstraint(
                condition=Q(secret_older="") | Q(secret_older_until__isnull=False), name="endpoint_older_secret_ends"
            ),
        ]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """
    One fact for one endpoint: written with the fact (the outbox), sent afterwards, and what came back.

    A fact that is sent again keeps its message_id, by which a receiver knows it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="+", db_index=False, verbose_name=_("webhook"))
    # Null for a test event. No constraint of the database: events are never deleted.
    event = models.ForeignKey(
        "events.Event",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("fact"),
    )
    kind = models.CharField(_("kind"), max_length=60)
    message_id = models.CharField(_("message"), max_length=60, help_text=_("The header webhook-id."))
    body = models.TextField(
        _("request"), blank=True, help_text=_("Made at the first attempt, and sent again as it is.")
    )
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    claimed_until = models.DateTimeField(
        null=True, blank=True, help_text="Somebody is sending it; whoever died at it holds it no longer than this."
    )
    tries = models.JSONField(
        _("earlier attempts"), default=list, help_text='[{"at", "status", "latency_ms", "error"}], the oldest first.'
    )
    answer_status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    answer = models.TextField(
        _("answer's body"),
        blank=True,
        help_text=_("Of the last attempt: up to 1 KiB of a success, up to 64 KiB of a failure."),
    )
    error = models.CharField(_("error"), max_length=300, blank=True)
    latency_ms = models.PositiveIntegerField(_("took"), null=True, blank=True, help_text=_("In milliseconds."))
    created_at = models.DateTimeField(_("created at"))
    attempted_at = models.DateTimeField(_("attempted at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            UniqueConstraint(
                fields=["endpoint", "event"], condition=Q(event__isnull=False), name="delivery_once_a_fact"
            ),
            UniqueConstraint(fields=["message_id"], name="delivery_message_once"),
            CheckConstraint(condition=Q(status__in=["waiting", "delivered", "failed"]), name="delivery_status_known"),
            CheckConstraint(
                condition=Q(status="waiting", next_at__isnull=False) | Q(~Q(status="waiting"), next_at=None),
                name="delivery_waits_for_a_time",
            ),
        ]
        indexes = [
            Index(fields=["endpoint", "next_at"], condition=Q(status="waiting"), name="delivery_due"),
            Index(fields=["endpoint", "id"], name="delivery_by_endpoint"),
            Index(fields=["created_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return self.message_id
