"""What is told of gifts in members' hands, and of where gifts come from."""

from typing import Any, Final

from core.errors import translated as _
from core.errors import type_of_text
from integrations.webhooks.catalogue.shapes import ACTOR, GIFT, REASON, FactKind, moment, number, record, words

ENTITLEMENT: Final = {
    "entitlement_id": number("Of the entitlement."),
    "kind": words("What kind of gift it is."),
    "gift": GIFT,
    "reward_id": number("Of the reward that it comes from."),
    "redemption_id": number("Of the purchase that it comes from."),
    "value_minor": number("What a certificate is worth, in minor units."),
    "currency": words("ISO 4217."),
    "valid_until": moment("Until when it can be used."),
    "actor": ACTOR,
    "why": REASON,
}
CODE: Final = {
    "order": words("Your order that a discount code was used for."),
    "takes_off_minor": number("What the code took off it, in minor units."),
}

_GIVEN = {"entitlement_id": 41, "kind": "certificate", "gift": "coffee", "reward_id": 12}
_CODE = {"entitlement_id": 42, "kind": "discount", "gift": "tenth", "reward_id": 13, "order": "1003"}


def _of_gift(what: str, label: type_of_text, example: dict[str, Any], *, is_confirmed: bool = True) -> FactKind:
    return FactKind(
        name=f"entitlement.{what}",
        label=label,
        schema=record("entitlement_id", "kind", "gift", **ENTITLEMENT, **CODE),
        example=example,
        object_type="entitlement",
        object_key="entitlement_id",
        is_confirmed=is_confirmed,
    )


KINDS: Final = (
    _of_gift("issued", _("A gift is in a member's hands"), {**_GIVEN, "value_minor": 50_000, "currency": "EUR"}),
    _of_gift("shown", _("A certificate was looked at"), _GIVEN),
    _of_gift("used", _("A gift was used"), {**_CODE, "takes_off_minor": 500}),
    _of_gift("released", _("A discount code can be used again"), _CODE),
    _of_gift("cancelled", _("A gift was taken back"), {**_GIVEN, "why": "given by mistake", "actor": "marta"}),
    _of_gift("expired", _("A gift's time is over"), _GIVEN),
    _of_gift("placed", _("A parcel is to be packed again"), {**_GIVEN, "kind": "product"}, is_confirmed=False),
    _of_gift("sent", _("A parcel is on its way"), {**_GIVEN, "kind": "product", "actor": "marta"}),
    _of_gift("delivered", _("A parcel was delivered"), {**_GIVEN, "kind": "product", "actor": "marta"}),
    FactKind(
        name="stock.low",
        label=_("A gift's codes run short"),
        schema=record(
            "gift",
            "left",
            gift=GIFT,
            left=number("How many codes are left."),
            low_stock=number("Below how many it is told."),
        ),
        example={"gift": "coffee", "left": 4, "low_stock": 5},
        object_type="gift",
        object_key="gift",
    ),
    FactKind(
        name="provider.trouble",
        label=_("A provider of certificates has trouble"),
        schema=record(
            "provider",
            "problem",
            provider=words("The provider's code."),
            problem=words("What is wrong, as a code."),
            entitlement_id=number("Of the certificate that it was seen at."),
            gift=GIFT,
        ),
        example={"provider": "giftly", "problem": "no_funds", "entitlement_id": 41, "gift": "coffee"},
        object_type="provider",
        object_key="provider",
    ),
)
