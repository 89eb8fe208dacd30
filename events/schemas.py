"""Parts of the JSON schemas by which `events.kinds` says what a kind of event tells."""

from collections.abc import Mapping
from typing import Any, Final

AMOUNT_MINOR_MAX: Final = 10**12
QUANTITY_MAX: Final = 10**6
ITEMS_MAX: Final = 200
EXTRA_SIZE_BYTES_MAX: Final = 4 * 1024
DATA_SIZE_BYTES_MAX: Final = 16 * 1024

# No control characters, and none of the invisible ones that let two different texts look alike.
PRINTABLE: Final = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*$"

type_of_schema = dict[str, Any]


def text(length_max: int, description: str, *, length_min: int = 1) -> type_of_schema:
    """Describe a text of the sender's own. It is trimmed before its length counts."""
    bounds = {"minLength": length_min, "maxLength": length_max}
    return {"type": "string", **bounds, "pattern": PRINTABLE, "description": description}


def visitors_text(length_max: int, description: str) -> type_of_schema:
    """Describe a text that comes from a visitor's browser: shortened, never refused."""
    note = f"{description} Cut to {length_max} characters."
    return {"type": "string", "x-cut-to": length_max, "description": note}


def integer(minimum: int, maximum: int, description: str) -> type_of_schema:
    return {"type": "integer", "minimum": minimum, "maximum": maximum, "description": description}


def boolean(description: str) -> type_of_schema:
    return {"type": "boolean", "description": description}


def record(properties: Mapping[str, type_of_schema], *, required: tuple[str, ...] = ()) -> type_of_schema:
    """Describe an object with these members and no others."""
    schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def free_object(size_bytes_max: int, description: str) -> type_of_schema:
    return {
        "type": "object",
        "additionalProperties": True,
        "x-size-bytes-max": size_bytes_max,
        "description": f"{description} At most {size_bytes_max // 1024} KiB.",
    }


def data(*required: str, **properties: type_of_schema) -> type_of_schema:
    """Describe the data of a kind: its own members, and `extra` for whatever else should be kept with the event."""
    extra = free_object(EXTRA_SIZE_BYTES_MAX, "Anything else you want to keep with the event.")
    return record({**properties, "extra": extra}, required=required)


CHANNEL = visitors_text(50, "Where it came from, in your words: telegram, site, shop.")
ORDER_ID = text(100, "Your id of the order.")
AMOUNT = integer(0, AMOUNT_MINOR_MAX, "In minor units of the currency (cents, kopecks), after discounts.")
UTM = record({name: visitors_text(200, f"utm_{name}.") for name in ("source", "medium", "campaign", "term", "content")})
CURRENCY = "ISO 4217. Rules count in the tenant's own: for them an order in another currency has no amount."
ITEM = record(
    {
        "sku": text(100, "Your id of the article."),
        "name": text(200, "What it is called.", length_min=0),
        "quantity": integer(1, QUANTITY_MAX, "How many of them."),
        "price_minor": integer(0, AMOUNT_MINOR_MAX, "Of one, in minor units of the currency."),
    },
    required=("sku", "quantity"),
)
RETURNED_ITEM = record({name: ITEM["properties"][name] for name in ("sku", "quantity")}, required=("sku", "quantity"))
