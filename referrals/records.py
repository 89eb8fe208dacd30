"""Referrals as they are read: who brought whom, through what, and how far it has come."""

from typing import Final

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.errors import NotFound
from events.merging import selves_of
from members import names
from members.models import Member
from referrals.models import Referral

JOINED, QUALIFIED = "joined", "qualified"
STATUSES: Final = (JOINED, QUALIFIED)


class UnknownReferral(NotFound):
    """No referral of this tenant has that number."""

    message = _("There is no such referral.")


def list_referrals() -> QuerySet[Referral]:
    """Return referrals, each with its code, its campaign and what the tenant calls both people."""
    return Referral.objects.select_related("code").annotate(
        inviter_external_id=_external_id("inviter"),
        invitee_external_id=_external_id("invitee"),
        campaign_id=F("click__campaign"),
    )


def of_status(referrals: QuerySet[Referral], status: str) -> QuerySet[Referral]:
    """Return those of one of STATUSES. What has qualified once stays so, even if its rewards are rejected later."""
    return referrals.filter(qualified_at__isnull=status == JOINED)


def get(*, referral_id: int) -> Referral:
    """
    Return one referral as `list_referrals` does.

    :raises UnknownReferral:
    """
    found = list_referrals().filter(pk=referral_id).first()
    if found is None:
        raise UnknownReferral
    return found


def of_inviter(referrals: QuerySet[Referral], member: Member | None) -> QuerySet[Referral]:
    """Return those by whom a member brought somebody, or whoever was merged into them did; none of nobody."""
    return referrals.filter(inviter__in=selves_of(member.pk)) if member else referrals.none()


def of_invitee(referrals: QuerySet[Referral], member: Member | None) -> QuerySet[Referral]:
    """Return those that brought a member, likewise."""
    return referrals.filter(invitee__in=selves_of(member.pk)) if member else referrals.none()


def find_of_invitee(*, member: Member) -> Referral | None:
    """Return the referral that brought a member, if one did: their own before one of whoever was merged into them."""
    found = of_invitee(list_referrals(), member)
    # Of two who were merged after one had invited the other nobody has invited anybody.
    others = found.exclude(inviter=member).exclude(inviter__merged_into=member)
    return min(others, key=lambda each: (each.invitee_id != member.pk, each.attributed_at, each.pk), default=None)


def _external_id(side: str) -> Subquery:
    # Who was merged into another is called what they are called now.
    whose = Coalesce(OuterRef(f"{side}__merged_into"), OuterRef(side))
    return names.external_id_of(whose)
