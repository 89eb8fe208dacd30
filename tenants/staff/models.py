"""The people who work in one schema (a tenant's staff, or the platform's), and the log of what they did."""

from django.contrib.auth.models import AbstractUser
from django.db import models
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
