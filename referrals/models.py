"""Who brought whom: codes that are shared, clicks on their links, and the one referral each invitee has for ever."""

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _


class Code(models.Model):
    """
    What a member shares. Never reused, and good for ever: a printed card must not become somebody else's.

    Each has one that is random and never derived from who they are. Beside it they may choose others, such as ANNA: the
    last one chosen is what they share.
    """

    text = models.CharField(_("code"), max_length=16)
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+", verbose_name=_("member"))
    is_chosen = models.BooleanField(
        _("chosen"), default=False, db_default=False, help_text=_("By the member or for them; not random.")
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("referral code")
        verbose_name_plural = _("referral codes")
        constraints = [
            UniqueConstraint(fields=["text"], name="code_text_once"),
            UniqueConstraint(fields=["member"], condition=Q(is_chosen=False), name="code_random_once_a_member"),
        ]

    def __str__(self) -> str:
        return self.text


class Click(models.Model):
    """One visit of a referral link."""

    key = models.CharField(max_length=32, help_text="Random; goes to the landing page as click_id.")
    code = models.ForeignKey(Code, models.PROTECT, related_name="+", verbose_name=_("code"))
    visitor = models.CharField(max_length=32, help_text="Random, from a cookie: ties the clicks of one browser.")
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.PROTECT, null=True, related_name="+", verbose_name=_("campaign")
    )
    channel = models.CharField(_("channel"), max_length=50, blank=True)
    utm = models.JSONField(_("UTM"), default=dict)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        constraints = [UniqueConstraint(fields=["key"], name="click_key_once")]
        indexes = [
            Index(fields=["visitor", "at"], name="click_by_visitor"),
            Index(fields=["code", "at"], name="click_by_code"),
        ]

    def __str__(self) -> str:
        return self.key


class Referral(models.Model):
    """An inviter brought an invitee. At most one per invitee, for ever: the row is made once and never re-pointed."""

    inviter = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, verbose_name=_("inviter")
    )
    invitee = models.OneToOneField("members.Member", models.PROTECT, related_name="+", verbose_name=_("invitee"))
    code = models.ForeignKey(Code, models.PROTECT, related_name="+", verbose_name=_("code"))
    click = models.ForeignKey(Click, models.PROTECT, null=True, related_name="+", verbose_name=_("click"))
    event = models.OneToOneField("events.Event", models.PROTECT, related_name="+", verbose_name=_("event"))
    channel = models.CharField(_("channel"), max_length=50, blank=True)
    utm = models.JSONField(_("UTM"), default=dict)
    attributed_at = models.DateTimeField(_("attributed at"), help_text=_("When the invitee joined."))
    qualified_at = models.DateTimeField(
        _("qualified at"), null=True, help_text=_("When it first earned the inviter a reward that was not refused.")
    )

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [CheckConstraint(condition=~Q(inviter=F("invitee")), name="referral_not_of_oneself")]
        indexes = [Index(fields=["inviter", "attributed_at"], name="referral_by_inviter")]

    def __str__(self) -> str:
        return f"{self.inviter_id} → {self.invitee_id}"


class AttributionPolicy(models.Model):
    """The tenant's choice of how a click becomes a referral. One row."""

    class Touch(models.TextChoices):
        LAST = "last", _("The last click")
        FIRST = "first", _("The first click")

    singleton = models.BooleanField(default=True, unique=True, editable=False)
    window_days = models.PositiveSmallIntegerField(
        _("window, days"), default=30, help_text=_("How long after a click a friend may sign up.")
    )
    touch = models.CharField(_("who is credited"), max_length=5, choices=Touch, default=Touch.LAST)
    landing_url = models.URLField(
        _("landing address"), max_length=500, blank=True, help_text=_("For links, when no campaign has its own.")
    )

    class Meta:
        verbose_name = _("attribution policy")
        verbose_name_plural = _("attribution policy")
        constraints = [
            CheckConstraint(condition=Q(singleton=True), name="attributionpolicy_is_one"),
            CheckConstraint(
                condition=Q(window_days__gte=1, window_days__lte=365), name="attributionpolicy_window_sane"
            ),
        ]

    def __str__(self) -> str:
        return str(_("Attribution policy"))
