"""What a rule can say of certificates: one of a brand, or of a pool's, for an amount that there is."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import wording
from campaigns.giving import Ask
from core.money import digits_of
from rewards.kinds import shelf
from rewards.kinds.gifts import GiftTerms
from rewards.kinds.shelf import Gift
from tenants import context

POOL = "pool"


class CertificateTerms(GiftTerms):
    """A certificate: the amount is its denomination, in minor units of the tenant's currency."""

    def title(self, gift: Gift) -> str:
        return gettext("%(name)s: of the member's choice") % {"name": gift.name} if gift.kind == POOL else gift.name

    def ask(self, *, what: str) -> Ask | None:
        currency, gift = context.current().currency, self.find(what)
        label = gettext("For how much, %(currency)s") % {"currency": currency}
        return Ask(label, digits_of(currency), denominations_of(gift) if gift else ())

    def problem_of(self, gift: Gift, amount: int | None) -> str | None:
        if not _brands_of(gift):
            return gettext("“%(name)s” has no brand in use: put one into it.") % {"name": gift.name}
        offered = denominations_of(gift)
        if not offered:
            return gettext("“%(name)s” has no denominations: say first what there is.") % {"name": gift.name}
        if amount is not None and amount not in offered:
            return gettext("Offered are %(amounts)s.") % {"amounts": wording.listed(map(wording.money, offered))}
        return None

    def advice_of(self, gift: Gift, amount: int | None) -> Sequence[str]:
        brands = [each for each in _brands_of(gift) if amount is None or amount in denominations_of(each)]
        if not brands or any(_can_serve(brand, amount) for brand in brands):
            return ()
        told = {"gift": self.said(gift, amount or 0) if amount else gift.name}
        return (gettext("There are no codes in stock and no provider for %(gift)s: it will wait for them.") % told,)

    def said(self, gift: Gift, amount: int) -> str:
        told = {"name": gift.name, "money": wording.money(amount)}
        if gift.kind == POOL:
            return gettext("a certificate for %(money)s of a brand of their choice") % told
        return gettext("a certificate of %(name)s for %(money)s") % told


def denominations_of(gift: Gift) -> tuple[int, ...]:
    """Return the amounts that there are of a brand, or of any brand of a pool; the smallest first."""
    found = (amount for brand in _brands_of(gift) for amount in brand.terms.get("denominations") or ())
    return tuple(sorted({amount for amount in found if isinstance(amount, int) and amount > 0}))


def _brands_of(gift: Gift) -> tuple[Gift, ...]:
    return tuple(_pooled(gift)) if gift.kind == POOL else (gift,)


def _pooled(pool: Gift) -> Iterator[Gift]:
    gifts = shelf.gifts()
    for code in pool.terms.get("brands") or ():
        brand = gifts.get(code)
        if brand and brand.is_active and brand.kind != POOL:
            yield brand


def _can_serve(brand: Gift, amount: int | None) -> bool:
    if shelf.providers() & {str(code) for code in brand.terms.get("providers") or ()}:
        return True
    free = shelf.free_codes()
    return any(free.get((brand.id, each)) for each in ([amount] if amount else denominations_of(brand)))


TERMS = CertificateTerms(label=_("Certificates"), kinds=("certificate", POOL))
