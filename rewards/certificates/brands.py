"""What a brand's terms say: denominations, providers, bar code; and the choice among the brands of a pool."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.db import fetch, in_transaction
from core.errors import Conflict, Invalid
from rewards import entitlements as given
from rewards.catalogue import UnknownGift
from rewards.models import Entitlement, Gift

BARCODES: Final = {"qr": _("QR code"), "code128": _("Bar code (Code 128)"), "none": _("The code alone")}


class DenominationNotOffered(Invalid):
    """The brand has no certificates of this value."""

    message = _("The brand does not offer this value.")


class BrandNotInPool(Invalid):
    """The pool does not have this brand, or not with this value."""

    message = _("This brand cannot be chosen here.")


class AlreadyChosen(Conflict):
    """Nothing waits for a choice any more."""

    message = _("The brand has been chosen already.")


def get(code: str) -> Gift:
    """
    Return a brand or a pool in use by its code.

    :raises UnknownGift:
    """
    kinds = [Gift.Kind.CERTIFICATE, Gift.Kind.POOL]
    gift = Gift.objects.filter(code=code, kind__in=kinds, is_active=True).first()
    if gift is None:
        raise UnknownGift
    return gift


def denominations(gift: Gift) -> tuple[int, ...]:
    """Return the values that a brand has, or any brand of a pool, in minor units; none if every value will do."""
    if gift.kind == Gift.Kind.POOL:
        return tuple(sorted({value for brand in choices(gift) for value in denominations(brand)}))
    return tuple(sorted(int(value) for value in gift.terms.get("denominations") or ()))


def check_value(gift: Gift, value_minor: int) -> None:
    """
    Let a value pass that the brand has, or some brand of the pool.

    :raises DenominationNotOffered:
    """
    if gift.kind == Gift.Kind.POOL:
        if not any(_offers(brand, value_minor) for brand in choices(gift)):
            raise DenominationNotOffered(pointer="/value_minor")
    elif not _offers(gift, value_minor):
        raise DenominationNotOffered(pointer="/value_minor")


def choices(pool: Gift, *, value_minor: int | None = None) -> list[Gift]:
    """Return the brands of a pool that are in use, in its order; only those with this value, if one is given."""
    codes = [str(code) for code in pool.terms.get("brands") or ()]
    found: QuerySet[Gift] = Gift.objects.filter(code__in=codes, kind=Gift.Kind.CERTIFICATE, is_active=True)
    brands = sorted(found, key=lambda gift: codes.index(gift.code))
    return [brand for brand in brands if value_minor is None or _offers(brand, value_minor)]


def providers(gift: Gift) -> list[str]:
    """Return the codes of the providers where a brand is bought, in the order in which they are tried."""
    return [str(code) for code in gift.terms.get("providers") or ()]


def product_of(terms: Mapping[str, Any], *, gift_code: str, provider: str) -> str:
    """Return what a provider calls a brand: its own name, or the gift's code."""
    products: Mapping[str, Any] = terms.get("products") or {}
    return str(products.get(provider) or gift_code)


@in_transaction
def choose(*, entitlement: Entitlement, brand: str, at: datetime) -> Entitlement:
    """
    Make a certificate of the member's choice one of a brand, and issue it as far as it goes now.

    The caller holds the tenant's lock. Choosing the same brand again changes nothing.

    :raises AlreadyChosen: when it has another brand, or is over.
    :raises BrandNotInPool: when the brand is not one of the pool's, for this value.
    """
    if entitlement.status != Entitlement.Status.CHOOSING:
        if entitlement.details.get("pool") and entitlement.gift.code == brand:
            return entitlement
        raise AlreadyChosen
    offered = {gift.code: gift for gift in choices(entitlement.gift, value_minor=entitlement.value_minor)}
    if brand not in offered:
        raise BrandNotInPool(pointer="/brand")
    params = {"id": entitlement.pk, "brand_id": offered[brand].pk, "pool": entitlement.gift.code}
    if not fetch(CHOOSE, params):
        raise AlreadyChosen
    chosen = _row(entitlement.pk)
    given.giving_of(chosen.kind).begin(entitlements=[chosen], at=at)
    return _row(entitlement.pk)


def _row(entitlement_id: int) -> Entitlement:
    return Entitlement.objects.select_related("gift").get(pk=entitlement_id)


def _offers(brand: Gift, value_minor: int) -> bool:
    offered = denominations(brand)
    return value_minor in offered if offered else value_minor > 0


CHOOSE = """
UPDATE rewards_entitlement
SET status = 'waiting', kind = 'certificate', gift_id = %(brand_id)s,
    details = details || jsonb_build_object('pool', %(pool)s::text)
WHERE id = %(id)s AND status = 'choosing'
RETURNING id
"""
