"""Whose: the businesses on the platform, the addresses they answer at and the keys their programs carry."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q, Value
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
    clock_ahead = models.DurationField(
        _("clock is ahead by"),
        default=timedelta,
        db_default=timedelta(),
        help_text=_("Of a sandbox whose clock was advanced; of a live tenant always nothing."),
    )
    requests_a_day_max = models.PositiveIntegerField(
        _("requests a day"), null=True, blank=True, help_text=_("Of all its keys together. Empty: the platform's.")
    )
    events_a_day_max = models.PositiveIntegerField(
        _("events a day"), null=True, blank=True, help_text=_("Reported by all its keys. Empty: the platform's.")
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
            CheckConstraint(
                condition=Q(clock_ahead=timedelta()) | Q(environment="sandbox", clock_ahead__gt=timedelta()),
                name="tenant_clock_is_real_when_live",
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
    """
    A tenant's program's way in. Its owner alone knows the secret: a SHA-256 of it is stored (OWASP ASVS 6.5.2).

    A publishable one stands in the source of a page, where everybody reads it: it may do what harms nobody, for the
    sites that it names.
    """

    class Kind(models.TextChoices):
        SECRET = "secret", _("Secret, for your servers")
        PUBLISHABLE = "publishable", _("Publishable, for browsers")

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
        CAMPAIGNS_READ = "campaigns:read", _("Read campaigns, their rules and leaderboards")
        CAMPAIGNS_WRITE = "campaigns:write", _("Pause and resume campaigns")
        CASES_READ = "cases:read", _("Read cases that wait for a moderator")
        CASES_DECIDE = "cases:decide", _("Approve and reject what waits for a moderator")
        EXPORTS_READ = "exports:read", _("Export everything there is, with what members are known by")
        WEBHOOKS_WRITE = "webhooks:write", _("Set up webhooks and read what was sent")
        SANDBOX_WRITE = "sandbox:write", _("Clear the sandbox and advance its clock")
        PUBLIC_READ = "public:read", _("Read what is on offer: campaigns, gifts, levels")
        CLICKS_WRITE = "clicks:write", _("Count visits of members' links")

    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="+", verbose_name=_("tenant"), help_text=_("Where the key leads.")
    )
    kind = models.CharField(_("kind"), max_length=11, choices=Kind, default=Kind.SECRET, db_default=Kind.SECRET)
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=8, unique=True)
    secret_hash = models.CharField(max_length=64, help_text="SHA-256 of the secret, hexadecimal.")
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope), verbose_name=_("scopes"))
    allowed_networks = ArrayField(
        models.CharField(max_length=49),
        default=list,
        db_default=Value("{}"),
        blank=True,
        verbose_name=_("allowed networks"),
        help_text=_("Addresses or networks such as 203.0.113.0/24. Empty: from everywhere."),
    )
    allowed_origins = ArrayField(
        models.CharField(max_length=300),
        default=list,
        db_default=Value("{}"),
        blank=True,
        verbose_name=_("allowed origins"),
        help_text=_("Of a publishable key: the sites that use it, such as https://shop.example.com."),
    )
    requests_a_second_max = models.PositiveSmallIntegerField(
        _("requests a second"), null=True, blank=True, help_text=_("Empty: the platform's.")
    )
    replaces = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        verbose_name=_("replaces"),
        help_text=_("The key that this one was made from by rotation."),
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    last_used_from = models.GenericIPAddressField(_("last used from"), null=True, blank=True)
    refused_at = models.DateTimeField(
        _("refused at"), null=True, blank=True, help_text=_("When it was tried last after it had ended.")
    )
    refused_from = models.GenericIPAddressField(_("refused from"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            CheckConstraint(condition=Q(secret_hash__regex="^[0-9a-f]{64}$"), name="apikey_secret_is_hashed"),  # noqa: S106
            CheckConstraint(condition=Q(kind__in=["secret", "publishable"]), name="apikey_kind_known"),
            CheckConstraint(
                condition=Q(kind="secret") | Q(scopes__contained_by=["public:read", "clicks:write"]),
                name="apikey_publishable_is_harmless",
            ),
            CheckConstraint(
                condition=Q(requests_a_second_max=None) | Q(requests_a_second_max__gte=1), name="apikey_rate_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
