"""Who works in one schema: staff, the log of what they and keys did, and what keys were answered."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Staff(AbstractUser):
    """A user of an admin. The table stands in every schema, so that nobody of one tenant exists in another."""

    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Empty: the tenant's."))
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the tenant's."))

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        # Keys stand in the public schema, where no tenant's permissions are: the permission to them is kept here.
        permissions = [("manage_keys", "Can issue and revoke API keys")]


class AuditEntry(models.Model):
    """One change made by a person or a key. Its hash covers the one before it, so that a gap or an edit shows."""

    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(
        _("actor kind"),
        max_length=10,
        choices=[("staff", _("Staff")), ("key", _("API key")), ("system", _("Sarafan"))],
    )
    actor = models.CharField(_("actor"), max_length=150)
    action = models.CharField(_("action"), max_length=60)
    target = models.CharField(_("target"), max_length=200)
    changes = models.JSONField(_("changes"), default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.target}"


class Answer(models.Model):
    """
    The first answer to a request with an Idempotency-Key, given again to whoever repeats the request.

    It is written in the transaction that did the work, so that neither can be there without the other, and kept for a
    day (draft-ietf-httpapi-idempotency-key-header).
    """

    lookup = models.CharField(max_length=64, help_text="SHA-256 of method, path and key, hexadecimal.")
    key = models.CharField(_("key"), max_length=255)
    method = models.CharField(_("method"), max_length=6)
    path = models.CharField(_("path"), max_length=500)
    fingerprint = models.CharField(max_length=64, help_text="Keyed hash of the canonical body.")
    status = models.PositiveSmallIntegerField(_("status"))
    headers = models.JSONField(_("headers"), default=dict)
    body = models.TextField(_("body"), help_text="Sealed: it may tell a code.")
    created_at = models.DateTimeField(_("created at"), db_index=True)

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [
            UniqueConstraint(fields=["lookup"], name="answer_once_a_key"),
            CheckConstraint(condition=Q(status__gte=200, status__lt=500), name="answer_is_of_work_done"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
