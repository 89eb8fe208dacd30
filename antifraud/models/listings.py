"""Who and what is judged by name: blocked, exempt, our own staff, addresses of data centres."""

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Listing(models.Model):
    """
    One line of a list. It counts until `until`, if it says so.

    `lookup` is what equality is asked of: an identity's blind index or id, a domain in lower case, a range in CIDR
    notation, a member's number. `value` is for reading back, sealed where identities of the kind are.
    """

    class List(models.TextChoices):
        BLOCK = "block", _("Stop list")
        EXEMPT = "exempt", _("Exemptions")
        STAFF = "staff", _("Own staff")
        DATACENTER = "datacenter", _("Data centres")

    class Kind(models.TextChoices):
        MEMBER = "member", _("Member")
        EXTERNAL_ID = "external_id", _("Your id")
        TELEGRAM = "telegram", _("Telegram")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        CARD = "card", _("Card")
        DEVICE = "device", _("Device")
        EMAIL_DOMAIN = "email_domain", _("E-mail domain")
        IP_RANGE = "ip_range", _("IP range")

    class Answer(models.TextChoices):
        FLAG = "flag", _("Wait for a moderator")
        REFUSE = "refuse", _("Give nothing")

    list = models.CharField(_("list"), max_length=10, choices=List, default=List.BLOCK)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    lookup = models.CharField(max_length=200)
    value = models.TextField(_("value"))
    answer = models.CharField(
        _("then"),
        max_length=6,
        choices=Answer,
        blank=True,
        default="",
        help_text=_("What becomes of a reward. Only stop lists say it."),
    )
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: for ever."))
    note = models.CharField(_("note"), max_length=300, blank=True)
    added_by = models.CharField(_("added by"), max_length=150, blank=True)
    added_at = models.DateTimeField(_("added at"))

    class Meta:
        verbose_name = _("line of a list")
        verbose_name_plural = _("lists")
        constraints = [
            UniqueConstraint(fields=["list", "kind", "lookup"], name="listing_once"),
            CheckConstraint(
                condition=Q(list="block", answer__in=["flag", "refuse"])
                | Q(list__in=["exempt", "staff", "datacenter"], answer=""),
                name="listing_of_stop_list_says_what_then",
            ),
            # An exemption that nobody remembers is a hole.
            CheckConstraint(condition=~Q(list="exempt") | Q(until__isnull=False), name="listing_exemption_ends"),
            CheckConstraint(condition=~Q(list="datacenter") | Q(kind="ip_range"), name="listing_datacenter_is_a_range"),
        ]
        indexes = [Index(fields=["kind", "lookup"], name="listing_by_lookup")]

    def __str__(self) -> str:
        return f"{self.list} {self.kind} {self.pk}"
