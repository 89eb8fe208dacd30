"""What can be had besides units: gifts, where their codes come from, and what members were given."""

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Gift(models.Model):
    """
    Something that a rule can give or a member can buy: a brand's certificate, a discount, a privilege, a product.

    `terms` says what only its kind has (see `rewards.kinds.<kind>.terms`). With a price it stands in the catalogue.
    """

    class Kind(models.TextChoices):
        CERTIFICATE = "certificate", _("Certificate")
        POOL = "pool", _("Certificate of the member's choice")
        DISCOUNT = "discount", _("Discount code")
        PRIVILEGE = "privilege", _("Privilege")
        PRODUCT = "product", _("Product")
        CONTENT = "content", _("Exclusive content")

    code = models.CharField(_("code"), max_length=50, unique=True)
    kind = models.CharField(_("kind"), max_length=11, choices=Kind)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    conditions_text = models.TextField(_("terms of use"), max_length=5000, blank=True)
    picture = models.ImageField(_("picture"), upload_to="gifts/", max_length=200, blank=True)
    file = models.FileField(_("file"), upload_to="content/", max_length=200, blank=True)
    terms = models.JSONField(_("terms"), default=dict, blank=True)
    cost_minor = models.BigIntegerField(
        _("cost"), null=True, blank=True, help_text=_("What one costs you, in minor units of your currency.")
    )
    low_stock = models.PositiveIntegerField(
        _("low stock"), null=True, blank=True, help_text=_("With fewer codes or pieces left than this, you are told.")
    )
    is_active = models.BooleanField(_("in use"), default=True)
    # --- in the catalogue
    asset = models.ForeignKey(
        "rewards.Asset", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("paid in")
    )
    price = models.BigIntegerField(_("price"), null=True, blank=True, help_text=_("Empty: not in the catalogue."))
    prices = models.JSONField(
        _("prices by level"), default=dict, blank=True, help_text='{"gold": 80}: the level\'s code and its price.'
    )
    stock = models.BigIntegerField(_("stock"), null=True, blank=True, help_text=_("Pieces left. Empty: not counted."))
    per_member = models.PositiveIntegerField(
        _("for each member"), null=True, blank=True, help_text=_("At most so many. Empty: no limit.")
    )
    available_from = models.DateTimeField(_("available from"), null=True, blank=True)
    available_to = models.DateTimeField(_("available until"), null=True, blank=True)
    audience = models.JSONField(
        _("for whom"), default=dict, blank=True, help_text='{"levels": ["gold"], "conditions": [rows about the member]}'
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("gift")
        verbose_name_plural = _("gifts")
        constraints = [
            CheckConstraint(condition=Q(code__regex=r"^[a-z0-9][a-z0-9_.-]*$"), name="gift_code_is_plain"),
            CheckConstraint(
                condition=Q(kind__in=["certificate", "pool", "discount", "privilege", "product", "content"]),
                name="gift_kind_known",
            ),
            CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0, asset__isnull=False), name="gift_price_has_asset"
            ),
            CheckConstraint(condition=Q(stock=None) | Q(stock__gte=0), name="gift_stock_not_negative"),
            CheckConstraint(condition=Q(per_member=None) | Q(per_member__gt=0), name="gift_per_member_positive"),
            CheckConstraint(
                condition=Q(available_from=None)
                | Q(available_to=None)
                | Q(available_to__gt=models.F("available_from")),
                name="gift_available_to_after_from",
            ),
        ]
        indexes = [Index(fields=["position", "id"], condition=Q(price__isnull=False), name="gift_in_catalogue")]

    def __str__(self) -> str:
        return self.name


class Provider(models.Model):
    """Where certificates are bought online: an adapter's name, its address and its sealed secret."""

    code = models.CharField(_("code"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=100)
    adapter = models.CharField(_("adapter"), max_length=20, default="http")
    url = models.URLField(_("address"), max_length=500)
    secret = models.TextField(_("secret"), blank=True, help_text=_("Sealed. It is never shown again."))
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    balance_minor = models.BigIntegerField(_("balance"), null=True, help_text=_("As the provider last said."))
    balance_at = models.DateTimeField(_("balance at"), null=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    problem_at = models.DateTimeField(_("problem at"), null=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        constraints = [
            CheckConstraint(condition=Q(code__regex=r"^[a-z0-9][a-z0-9_-]*$"), name="provider_code_is_plain")
        ]

    def __str__(self) -> str:
        return self.name


class Entitlement(models.Model):
    """
    Something besides units that a member was given or has bought: a certificate, a code, a privilege, a product.

    It comes from a reward, from a purchase, or from staff or a key (by `key`).
    """

    class Status(models.TextChoices):
        CHOOSING = "choosing", _("Waits for the member's choice")
        WAITING = "waiting", _("Waits for stock or funds")
        ORDERED = "ordered", _("Ordered from the provider")
        UNKNOWN = "unknown", _("The provider's answer is not known")
        ISSUED = "issued", _("Issued")
        PLACED = "placed", _("To be packed")
        SENT = "sent", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        USED = "used", _("Used")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    key = models.CharField(_("key"), max_length=200, unique=True, help_text=_("Made from what it follows from."))
    kind = models.CharField(_("kind"), max_length=11, choices=Gift.Kind)
    gift = models.ForeignKey(Gift, models.PROTECT, related_name="+", verbose_name=_("gift"))
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    reward = models.ForeignKey("rewards.Reward", models.PROTECT, null=True, related_name="+", verbose_name=_("reward"))
    redemption = models.ForeignKey(
        "rewards.Redemption", models.PROTECT, null=True, related_name="+", verbose_name=_("redemption")
    )
    value_minor = models.BigIntegerField(_("value"), null=True, help_text=_("Of a certificate, in minor units."))
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status)
    code = models.TextField(_("code"), blank=True, help_text=_("Sealed."))
    code_index = models.CharField(max_length=64, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, help_text=_("The first instant when it is not."))
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="+", verbose_name=_("provider"))
    provider_order = models.CharField(_("provider's order"), max_length=100, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    actor = models.CharField(_("by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"))
    issued_at = models.DateTimeField(_("issued at"), null=True)
    shown_at = models.DateTimeField(_("first seen at"), null=True)
    used_at = models.DateTimeField(_("used at"), null=True)
    used_for = models.CharField(_("used for"), max_length=100, blank=True, help_text=_("The order."))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ended_why = models.CharField(_("why it ended"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        constraints = [
            CheckConstraint(
                condition=Q(
                    status__in=[
                        "choosing",
                        "waiting",
                        "ordered",
                        "unknown",
                        "issued",
                        "placed",
                        "sent",
                        "delivered",
                        "used",
                        "cancelled",
                        "expired",
                    ]
                ),
                name="entitlement_status_known",
            ),
            UniqueConstraint(
                fields=["kind", "code_index"], condition=~Q(code_index=""), name="entitlement_code_once_a_kind"
            ),
            CheckConstraint(
                condition=~Q(status__in=["issued", "used"]) | Q(issued_at__isnull=False),
                name="entitlement_issued_has_time",
            ),
            CheckConstraint(
                condition=~Q(kind__in=["certificate", "discount"], status="issued", code=""),
                name="entitlement_issued_has_code",
            ),
            CheckConstraint(
                condition=Q(status__in=["cancelled", "expired"], ended_at__isnull=False)
                | (~Q(status__in=["cancelled", "expired"]) & Q(ended_at=None)),
                name="entitlement_ended_has_time",
            ),
        ]
        indexes = [
            Index(fields=["member", "-id"], name="entitlement_by_member"),
            Index(
                fields=["gift", "value_minor", "id"], condition=Q(status="waiting"), name="entitlement_waiting_in_order"
            ),
            Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="entitlement_to_be_tried"
            ),
            Index(
                fields=["valid_until"],
                condition=Q(status="issued", valid_until__isnull=False),
                name="entitlement_by_expiry",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class StockCode(models.Model):
    """One code of a gift's stock, sealed. It is given away once."""

    gift = models.ForeignKey(Gift, models.PROTECT, related_name="+", db_index=False, verbose_name=_("gift"))
    value_minor = models.BigIntegerField(_("value"), default=0, help_text=_("Of a certificate, in minor units."))
    code = models.TextField(_("code"), help_text=_("Sealed."))
    code_index = models.CharField(max_length=64)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    batch = models.CharField(_("upload"), max_length=100, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    entitlement = models.OneToOneField(
        Entitlement, models.PROTECT, null=True, related_name="+", verbose_name=_("given as")
    )

    class Meta:
        verbose_name = _("stock code")
        verbose_name_plural = _("stock")
        constraints = [UniqueConstraint(fields=["gift", "code_index"], name="stockcode_once_a_gift")]
        indexes = [
            Index(fields=["gift", "value_minor", "id"], condition=Q(entitlement=None), name="stockcode_free_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.gift_id}/{self.pk}"
