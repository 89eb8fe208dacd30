"""The ladder of levels, and who stands where."""

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Level(models.Model):
    """A step of the tenant's ladder: from this much on, a member stands here, and this is what it brings."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=50)
    threshold = models.BigIntegerField(
        _("from"), help_text=_("Points earned, money spent in minor units, or friends, as the reward policy measures.")
    )
    multiplier_bps = models.PositiveIntegerField(
        _("multiplier"), default=10_000, help_text=_("Of points earned, in hundredths of a percent: 12500 is ×1.25.")
    )
    privileges = models.JSONField(_("privileges"), default=list, blank=True, help_text=_("Codes of gifts."))
    title = models.CharField(
        _("title"), max_length=50, blank=True, help_text=_("What chat and mini app show beside a member's name.")
    )
    picture = models.ImageField(_("badge"), upload_to="levels/", max_length=200, blank=True)

    class Meta:
        verbose_name = _("level")
        verbose_name_plural = _("levels")
        constraints = [
            CheckConstraint(condition=Q(code__regex=r"^[a-z][a-z0-9_-]*$"), name="level_code_is_plain"),
            UniqueConstraint(fields=["threshold"], name="level_threshold_once"),
            CheckConstraint(condition=Q(threshold__gt=0), name="level_threshold_positive"),
            CheckConstraint(
                condition=Q(multiplier_bps__gte=1000, multiplier_bps__lte=100_000), name="level_multiplier_within_ten"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Standing(models.Model):
    """Which level a member has. Whoever has no row has not reached the first."""

    # No constraint: a member is never deleted.
    member = models.OneToOneField(
        "members.Member",
        models.PROTECT,
        primary_key=True,
        related_name="+",
        db_constraint=False,
        verbose_name=_("member"),
    )
    level = models.ForeignKey(Level, models.PROTECT, related_name="+", verbose_name=_("level"))
    since = models.DateTimeField(_("since"))
    measured = models.BigIntegerField(_("measured"), default=0, help_text=_("At the last review."))
    is_manual = models.BooleanField(_("given by hand"), default=False)
    manual_until = models.DateTimeField(_("until"), null=True, blank=True)
    falls_at = models.DateTimeField(
        _("falls at"), null=True, help_text=_("The grace period's end: the member has too little for the level.")
    )
    warned_at = models.DateTimeField(_("warned at"), null=True)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [
            CheckConstraint(condition=Q(manual_until=None) | Q(is_manual=True), name="standing_until_is_manual")
        ]
        indexes = [Index(fields=["falls_at"], condition=Q(falls_at__isnull=False), name="standing_falling")]

    def __str__(self) -> str:
        return f"{self.member_id}"
