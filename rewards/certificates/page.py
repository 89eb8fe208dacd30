"""
The page of a certificate: a signed link for its member, who sees it and whoever they show it to.

The link does not end by itself: a member keeps it as they would keep a card. What it opens is what the certificate is
now: cancelled or over, it shows no code any more.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core import signing
from django.utils.translation import gettext_lazy as _

from core import sealing
from core.db import current_schema, fetch, transaction
from core.errors import Conflict, NotFound
from events import facts
from events.facts import Fact
from members import people
from rewards import entitlements, pictures
from rewards.certificates import barcodes, brands
from rewards.certificates.settling import PDF_SEALED_AS, PIN_SEALED_AS
from rewards.models import Entitlement, Gift

KINDS: Final = (Gift.Kind.CERTIFICATE, Gift.Kind.POOL)
SHOWING: Final = (Entitlement.Status.ISSUED, Entitlement.Status.USED)
AGENT_LENGTH_MAX: Final = 150
# Of one certificate: whoever has its link can press the button for ever, from ever new addresses.
VIEWS_MAX: Final = 100


class UnknownCertificate(NotFound):
    """The link was not made here."""

    message = _("There is no such certificate. Is the link complete?")


class NotShowable(Conflict):
    """There is no code to show: not yet, or not any more."""

    message = _("This certificate has no code that could be shown.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What is shown: the code, its picture if it has one, and whatever else the provider gave."""

    text: str
    barcode: str
    picture: str | None
    pin: str
    pdf_url: str


def link_of(entitlement: Entitlement) -> str:
    """Return the address of a certificate's page. Whoever has it can see the code."""
    return f"{pictures.home()}/c/{token_of(entitlement.pk)}"


def token_of(entitlement_id: int) -> str:
    """Return what names and signs a certificate in its link."""
    return _signer().sign(str(entitlement_id))


def get(token: str) -> Entitlement:
    """
    Return the certificate of a link.

    :raises UnknownCertificate: also for a link that was made for another tenant.
    """
    try:
        entitlement_id = int(_signer().unsign(token))
    except (signing.BadSignature, ValueError) as error:
        raise UnknownCertificate from error
    found = Entitlement.objects.filter(pk=entitlement_id, kind__in=KINDS).select_related("gift").first()
    if found is None:
        raise UnknownCertificate
    return found


def is_showable(entitlement: Entitlement, *, at: datetime) -> bool:
    """Tell whether there is a code that may be shown."""
    is_over = entitlement.valid_until is not None and entitlement.valid_until <= at
    return entitlement.status in SHOWING and bool(entitlement.code) and not is_over


@transaction
def show(*, entitlement: Entitlement, address: str | None, agent: str, at: datetime) -> Code:
    """
    Open the code for its member, and write down that it was seen, when, and roughly from where.

    From now on it cannot be taken back. A row that is being cancelled is waited for, so it is one or the other. Who
    looks again and again is written down once an hour, and of one certificate no more than VIEWS_MAX are.

    :raises NotShowable:
    """
    seen_from = _network_of(address)
    key = f"entitlement:{entitlement.pk}:shown:{at:%Y-%m-%dT%H}:{seen_from}"
    asked = {"id": entitlement.pk, "key": key, "views_max": VIEWS_MAX, "at": at}
    shown = fetch(SHOW, asked) if is_showable(entitlement, at=at) else []
    if not shown:
        raise NotShowable
    row = Entitlement.objects.select_related("gift").get(pk=entitlement.pk)
    if shown[0].is_new:
        data = {
            "entitlement_id": row.pk,
            "kind": row.kind,
            "gift": row.gift.code,
            "seen_from": seen_from,
            "agent": agent[:AGENT_LENGTH_MAX],
        }
        facts.record(facts=[Fact("entitlement.shown", key, data, row.member_id)], at=at)
    return code_of(row)


@transaction
def choose(*, schema: str, entitlement: Entitlement, brand: str, at: datetime) -> Entitlement:
    """
    Let the member choose a brand: `brands.choose`, under the tenant's lock.

    :raises brands.AlreadyChosen:
    :raises brands.BrandNotInPool:
    """
    people.lock(schema)
    row = Entitlement.objects.select_related("gift").get(pk=entitlement.pk)
    return brands.choose(entitlement=row, brand=brand, at=at)


def code_of(entitlement: Entitlement) -> Code:
    """Return the code and what belongs to it. Whoever calls this writes down who sees it."""
    text = entitlements.code_of(entitlement)
    kind = str(entitlement.gift.terms.get("barcode") or "qr")
    return Code(
        text=text,
        barcode=kind,
        picture=barcodes.picture_of(text, kind=kind),
        pin=_opened(entitlement, "pin", PIN_SEALED_AS),
        pdf_url=_opened(entitlement, "pdf", PDF_SEALED_AS),
    )


def _opened(entitlement: Entitlement, name: str, kind: str) -> str:
    sealed = entitlement.details.get(name)
    return sealing.unseal(schema=current_schema(), kind=kind, value=sealed) if sealed else ""


def _network_of(address: str | None) -> str:
    """Return an address without its last part: enough to tell two places apart, too little to tell two people."""
    if address is None:
        return ""
    found = ipaddress.ip_address(address)
    prefix = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{prefix}", strict=False))


def _signer() -> signing.Signer:
    # The tenant is in the salt: the link of one opens nothing of another, whatever their numbers are.
    return signing.Signer(sep=".", salt=f"certificate:{current_schema()}")


# The row is held from the first look on, so that two at once are counted as two.
SHOW = """
WITH seen AS (
    SELECT id, coalesce((details ->> 'views')::int, 0) AS views, NOT EXISTS (
        SELECT FROM events_event WHERE source = 'sarafan' AND key = %(key)s
    ) AS is_first
    FROM rewards_entitlement
    WHERE id = %(id)s AND status IN ('issued', 'used') AND code <> '' AND (valid_until IS NULL OR valid_until > %(at)s)
    FOR NO KEY UPDATE
)
UPDATE rewards_entitlement e
SET shown_at = coalesce(e.shown_at, %(at)s), details = CASE
    WHEN is_first AND views < %(views_max)s THEN e.details || jsonb_build_object('views', views + 1)
    ELSE e.details
END
FROM seen WHERE e.id = seen.id
RETURNING is_first AND views < %(views_max)s AS is_new
"""
