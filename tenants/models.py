"""Whose: the businesses on the platform, the addresses they answer at and the keys their programs carry."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin


class TenantQuerySet(models.QuerySet["Tenant"]):
    def serving(self) -> "TenantQuerySet":
        """Tenants that take requests and whose events are scored: not the public row, not the template."""
        return self.filter(status=Tenant.Status.ACTIVE).exclude(schema_name="public")


class Tenant(TenantMixin):  # type: ignore[misc]  # django-tenants has no types
    """A client business, or its sandbox twin: one row for each schema."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        TEMPLATE = "template", _("Template for new tenants")

    class Environment(models.TextChoices):
        LIVE = "live", _("Live")
        SANDBOX = "sandbox", _("Sandbox")

    name = models.CharField(_("name"), max_length=100)
    slug = models.CharField(_("slug"), max_length=48, unique=True, help_text=_("Small letters, digits and hyphens."))
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("Decides where a day begins.")
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD", help_text=_("ISO 4217 code."))
    language = models.CharField(_("language"), max_length=10, default="en")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    environment = models.CharField(_("environment"), max_length=10, choices=Environment, default=Environment.LIVE)
    live = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sandbox",
        verbose_name=_("live tenant"),
        help_text=_("The tenant whose test keys lead here; only a sandbox has one."),
    )
    created_at = models.DateTimeField(_("created at"))

    # Creation goes through provisioning.create, which clones the template in one transaction.
    auto_create_schema = False
    auto_drop_schema = False

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        constraints = [
            CheckConstraint(condition=Q(slug__regex=r"^[a-z][a-z0-9-]*$"), name="tenant_slug_is_plain"),
            CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="tenant_currency_is_iso_4217"),
            CheckConstraint(condition=Q(status__in=["active", "suspended", "template"]), name="tenant_status_known"),
            CheckConstraint(
                condition=Q(environment="live", live=None) | Q(environment="sandbox", live__isnull=False),
                name="tenant_sandbox_has_live",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Domain(DomainMixin):  # type: ignore[misc]
    """A host name that leads to a tenant's schema."""

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")


class ApiKey(models.Model):
    """A tenant's program's way in. Its owner alone knows the secret: a SHA-256 of it is stored (OWASP ASVS 6.5.2)."""

    class Scope(models.TextChoices):
        EVENTS_WRITE = "events:write", _("Send events")
        EVENTS_READ = "events:read", _("Read events")
        EVENTS_BACKFILL = "events:backfill", _("Send events up to five years old")
        MEMBERS_WRITE = "members:write", _("Create and change members")
        MEMBERS_READ = "members:read", _("Read members, balances and referrals")
        REWARDS_READ = "rewards:read", _("Read rewards and the catalogue")
        REWARDS_WRITE = "rewards:write", _("Issue and cancel rewards, change balances, redeem codes")
        REDEMPTIONS_WRITE = "redemptions:write", _("Spend a member's points")
        PAYOUTS_WRITE = "payouts:write", _("Read and settle payouts")

    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="+", verbose_name=_("tenant"), help_text=_("Where the key leads.")
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=8, unique=True)
    secret_hash = models.CharField(max_length=64, help_text="SHA-256 of the secret, hexadecimal.")
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope), verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            CheckConstraint(condition=Q(secret_hash__regex="^[0-9a-f]{64}$"), name="apikey_secret_is_hashed"),  # noqa: S106
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
