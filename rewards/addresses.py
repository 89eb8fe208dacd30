"""Where a parcel goes. An address is stored sealed, and opened for whoever packs."""

import json
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core import sealing
from core.db import current_schema, execute, in_transaction, json_text
from core.errors import FieldError, Invalid

KIND: Final = "address"
# The longest each part may be, in the order of an envelope. The first three are needed.
LENGTHS: Final[Mapping[str, int]] = {
    "name": 100,
    "street": 300,
    "city": 100,
    "region": 100,
    "postcode": 20,
    "country": 60,
    "phone": 30,
    "comment": 300,
}
REQUIRED: Final = ("name", "street", "city")
LABELS: Final = {
    "name": _("Recipient"),
    "street": _("Street, house, flat"),
    "city": _("City"),
    "region": _("Region"),
    "postcode": _("Postcode"),
    "country": _("Country"),
    "phone": _("Phone"),
    "comment": _("Comment"),
}


class InvalidAddress(Invalid):
    """An address lacks something, or something in it is too long."""

    message = _("The address is not complete.")


def read(given: Any) -> dict[str, str]:
    """
    Return an address as it is kept: known parts, trimmed, without the empty ones.

    :raises InvalidAddress: with a pointer to each part that is wrong.
    """
    if not isinstance(given, Mapping):
        raise InvalidAddress(pointer="/address")
    errors = [error for name in {*given, *REQUIRED} if (error := _error_in(name, given.get(name)))]
    if errors:
        raise InvalidAddress(errors=sorted(errors, key=lambda error: error["pointer"]))
    return {name: given[name].strip() for name in LENGTHS if (given.get(name) or "").strip()}


def seal(address: Mapping[str, str]) -> str:
    """Return an address sealed for this tenant."""
    return sealing.seal(schema=current_schema(), kind=KIND, value=json_text(dict(address)))


def unseal(sealed: str) -> dict[str, str]:
    """Return an address as it was sealed, its parts in the order of an envelope; nothing for nothing."""
    if not sealed:
        return {}
    found = json.loads(sealing.unseal(schema=current_schema(), kind=KIND, value=sealed))
    return {name: found[name] for name in LENGTHS if name in found}


@in_transaction
def forget(*, member_id: int) -> None:
    """Keep no address of a member, not even of what is yet to be sent."""
    execute(FORGET, {"member_id": member_id})


def _error_in(name: object, value: object) -> FieldError | None:
    pointer = f"/address/{name}"
    if name not in LENGTHS:
        return FieldError(pointer=pointer, detail=_("An address has no such part."))
    if value is None or value == "":
        return FieldError(pointer=pointer, detail=_("This is required.")) if name in REQUIRED else None
    if not isinstance(value, str) or any(ord(letter) < 32 for letter in value):
        return FieldError(pointer=pointer, detail=_("This must be a text of one line."))
    if name in REQUIRED and not value.strip():
        return FieldError(pointer=pointer, detail=_("This is required."))
    return FieldError(pointer=pointer, detail=_("This is too long.")) if len(value) > LENGTHS[str(name)] else None


FORGET = """
UPDATE rewards_entitlement SET details = details - 'address'
WHERE member_id = %(member_id)s AND jsonb_exists(details, 'address')
"""
