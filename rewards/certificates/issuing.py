"""Certificates that staff or a program gives without a reward or a purchase, and takes back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.db import current_schema, in_transaction
from core.errors import Conflict, NotFound
from events.merging import selves_of
from members import people
from rewards import entitlements, redemptions
from rewards.actors import Actor
from rewards.certificates import brands
from rewards.entitlements import NewEntitlement
from rewards.models import Entitlement, Gift
from tenants import context

KINDS: Final = (Gift.Kind.CERTIFICATE, Gift.Kind.POOL)
KEY_LENGTH_MAX: Final = 150
BIGINT_MAX: Final = 2**63 - 1


class NoSuchCertificate(NotFound):
    """There is no certificate of this number."""

    message = _("There is no such certificate.")


class CertificateSeen(Conflict):
    """The member has seen its code, or used it: it cannot be taken back."""

    message = _("The member has seen the code, so the certificate cannot be taken back.")


class PartOfMore(Conflict):
    """It follows from a reward or a purchase, which is what has to be cancelled."""

    message = _("This certificate comes from a reward or a purchase: cancel that.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to give to whom: a brand's certificate, or one of a pool. `key` is the asker's own name for it."""

    key: str
    member_id: int
    gift_code: str
    value_minor: int


def get(*, certificate_id: int) -> Entitlement:
    """
    Return a certificate by its number.

    :raises NoSuchCertificate:
    """
    rows = Entitlement.objects.select_related("gift", "provider")
    found = rows.filter(pk=min(certificate_id, BIGINT_MAX), kind__in=KINDS).first()
    if found is None:
        raise NoSuchCertificate
    return found


@in_transaction
def issue(*, wanted: Wanted, actor: Actor, at: datetime) -> Entitlement:
    """
    Give a certificate, once under its key, and return it as far as it has come.

    :raises brands.UnknownGift:
    :raises brands.DenominationNotOffered:
    :raises redemptions.KeyReused: when the key was used for another certificate.
    """
    people.lock(current_schema())
    key = f"certificate:{wanted.key}"
    wanted = replace(wanted, member_id=people.present(wanted.member_id))
    # Of whoever was merged since, it was asked for by their number then.
    numbers = (wanted.member_id, *selves_of(wanted.member_id))
    asked = [redemptions.fingerprint_of([each, wanted.gift_code, wanted.value_minor]) for each in numbers]
    known = Entitlement.objects.select_related("gift").filter(key=key).first()
    if known is not None:
        if known.details.get("asked") not in asked:
            raise redemptions.KeyReused
        return known
    gift = brands.get(wanted.gift_code)
    brands.check_value(gift, wanted.value_minor)
    new = NewEntitlement(
        key=key,
        kind=gift.kind,
        gift_id=gift.pk,
        member_id=wanted.member_id,
        value_minor=wanted.value_minor,
        currency=context.current().currency,
        actor=actor.name,
        details={"asked": asked[0]},
    )
    (made,) = entitlements.give(new=[new], at=at)
    changes = {"gift": gift.code, "value_minor": wanted.value_minor, "member_id": wanted.member_id}
    actor.note(action="certificate.issued", target=f"certificate:{made.pk}", changes=changes, at=at)
    return made


@in_transaction
def cancel(*, certificate: Entitlement, reason: str, actor: Actor, at: datetime) -> Entitlement:
    """
    Take a certificate back that nobody has seen, and return it. One that is cancelled stays as it is.

    :raises CertificateSeen: when its code was shown or used.
    :raises PartOfMore: when it comes from a reward or a purchase.
    """
    people.lock(current_schema())
    row = get(certificate_id=certificate.pk)
    if row.status == Entitlement.Status.CANCELLED:
        return row
    if row.reward_id or row.redemption_id:
        raise PartOfMore
    lost = entitlements.stop(entitlements=[row], why=reason, actor=actor.name, at=at)
    if lost or row.status == Entitlement.Status.EXPIRED:
        raise CertificateSeen
    actor.note(action="certificate.cancelled", target=f"certificate:{row.pk}", changes={"reason": reason}, at=at)
    return get(certificate_id=row.pk)


@in_transaction
def choose(*, certificate: Entitlement, brand: str, actor: Actor, at: datetime) -> Entitlement:
    """
    Choose the brand for a member, as they have said to a program.

    :raises brands.AlreadyChosen:
    :raises brands.BrandNotInPool:
    """
    people.lock(current_schema())
    row = get(certificate_id=certificate.pk)
    was = row.status
    chosen = brands.choose(entitlement=row, brand=brand, at=at)
    if was == Entitlement.Status.CHOOSING:
        actor.note(action="certificate.chosen", target=f"certificate:{row.pk}", changes={"brand": brand}, at=at)
    return chosen
