"""Who: one row a person, and the ways each is known."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Member(models.Model):
    """
    A tenant's customer: one person, however many identities they have.

    The row is never deleted (a trigger says so), because events, orders and rewards point at it for ever: whoever wants
    to be forgotten loses their identities.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("a member", "Active")
        BLOCKED = "blocked", _("Blocked")
        ERASED = "erased", pgettext_lazy("a member", "Erased")
        MERGED = "merged", pgettext_lazy("a member", "Merged into another")

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    first_seen_at = models.DateTimeField(
        _("first seen at"), help_text=_("When the tenant first reported anything about this person.")
    )
    joined_at = models.DateTimeField(
        _("joined at"), null=True, blank=True, help_text=_("When the person signed up (member.joined).")
    )

    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("merged into"),
        help_text=_("Who this person turned out to be: what they are known by and what they own is there now."),
    )

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            CheckConstraint(
                condition=Q(status__in=["active", "blocked", "erased", "merged"]), name="member_status_known"
            ),
            CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False) | Q(~Q(status="merged"), merged_into=None),
                name="member_merged_into_one",
            ),
            CheckConstraint(condition=~Q(merged_into=F("id")), name="member_not_merged_into_itself"),
        ]

    def __str__(self) -> str:
        return _("Member %(id)s") % {"id": self.pk}


class Identity(models.Model):
    """One way a member is known. Personal values are sealed; `lookup` is what equality is asked of."""

    class Kind(models.TextChoices):
        EXTERNAL_ID = "external_id", _("Your id")
        TELEGRAM = "telegram", _("Telegram")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        CARD = "card", _("Card")
        DEVICE = "device", _("Device")
        IP = "ip", _("IP address")
        # Made from the others, so that what is nearly the same can be found by equality.
        SUBNET = "subnet", _("Subnet")
        EMAIL_ALIKE = "email_alike", _("Look-alike e-mail")

    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False, verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    lookup = models.CharField(
        max_length=200, help_text="The normalised value (external_id, telegram) or its keyed blind index."
    )
    value = models.TextField(help_text="The value as given, normalised; sealed for e-mail, phone, card and device.")
    resolves = models.BooleanField(
        default=False,
        help_text="This row decides whose the value is. A value shared by more members resolves to the first; "
        "cards, devices and addresses never resolve: they only tie people together.",
    )
    is_former = models.BooleanField(
        _("former"),
        default=False,
        db_default=False,
        help_text=_(
            "The external_id or Telegram account of a member who was merged into this one: it still finds them."
        ),
    )
    added_at = models.DateTimeField(_("added at"))

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            UniqueConstraint(fields=["member", "kind", "lookup"], name="identity_once_a_member"),
            UniqueConstraint(fields=["kind", "lookup"], condition=Q(resolves=True), name="identity_resolves_to_one"),
            UniqueConstraint(
                fields=["member"],
                condition=Q(kind="external_id", is_former=False),
                name="identity_one_external_id_a_member",
            ),
            CheckConstraint(
                condition=Q(resolves=False) | ~Q(kind__in=["card", "device", "ip", "subnet", "email_alike"]),
                name="identity_card_never_resolves",
            ),
        ]
        indexes = [Index(fields=["kind", "lookup"], name="identity_by_lookup")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
