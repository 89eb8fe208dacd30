"""
The one registry of what happens: a kind is an entry here, and nothing else knows the kinds by heart.

KINDS can be reported. Their JSON schema is what the API documents and what `events.shapes` checks by. Two words in it
are ours: `x-cut-to` shortens a text that comes from a visitor's browser, where a limit would lose the whole event;
`x-size-bytes-max` bounds an object by its JSON.

FACTS are those of our own that a rule may start from. What a reward itself brings about is none of them, or a campaign
would feed itself. `events.facts` asks whether a tenant has such a rule.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from events.fields import Field, FieldType, Kind
from events.schemas import (
    AMOUNT,
    AMOUNT_MINOR_MAX,
    CHANNEL,
    CURRENCY,
    DATA_SIZE_BYTES_MAX,
    ITEM,
    ITEMS_MAX,
    ORDER_ID,
    RETURNED_ITEM,
    UTM,
    boolean,
    data,
    free_object,
    integer,
    text,
    visitors_text,
)

CUSTOM: Final = "custom.*"
CUSTOM_NAME: Final = r"^custom\.[a-z0-9_.]{1,50}$"


# --- Parts of catalogues --------------------------------------------------------------------------------------------


def _pieces(values: Mapping[str, Any]) -> int | None:
    items = values.get("items")
    return sum(item.get("quantity", 1) for item in items) if items else None


MEMBER_FIELDS: Final = (
    Field(name="member.orders", label=_("Paid orders before this one"), type=FieldType.INTEGER, example=0),
    Field(name="member.days", label=_("Days since they joined"), type=FieldType.INTEGER, example=30),
    Field(name="member.invited", label=_("Invited by somebody"), type=FieldType.BOOLEAN, example=True),
)
CHANNEL_FIELD = Field(name="channel", label=_("Channel"), type=FieldType.TEXT, example="telegram")
COMMON_FIELDS: Final = (CHANNEL_FIELD, *MEMBER_FIELDS)
AMOUNT_FIELD = Field(name="amount_minor", label=_("Order amount"), type=FieldType.MONEY, example=50_000)
# Which levels there are, the tenant says (settings.FIELD_CHOICES).
LEVEL_FIELD = Field(
    name="level", label=_("Level"), type=FieldType.CHOICE, example="gold", read=lambda told: told["code"]
)


# --- What can be reported -------------------------------------------------------------------------------------------

_REPORTED: Final = (
    Kind(
        name="member.joined",
        label=_("Member joined"),
        meaning=_("Somebody signed up, perhaps through a member's link or code."),
        schema=data(
            code=visitors_text(200, "The referral code that was used."),
            click_id=visitors_text(200, "The click_id that the referral link gave to your landing page."),
            channel=CHANNEL,
            utm=UTM,
            telegram_username=boolean("Whether their Telegram account has a name, if your bot knows."),
            telegram_photo=boolean("Whether their Telegram account has a picture, if your bot knows."),
        ),
        fields=(
            Field(name="utm.source", label=_("UTM source"), type=FieldType.TEXT, example="newsletter"),
            Field(name="utm.medium", label=_("UTM medium"), type=FieldType.TEXT, example="email"),
            Field(name="utm.campaign", label=_("UTM campaign"), type=FieldType.TEXT, example="spring"),
            *COMMON_FIELDS,
        ),
        example={"code": "K7Q2M9TX4WB", "channel": "telegram", "utm": {"source": "bot", "campaign": "spring"}},
    ),
    Kind(
        name="invite.sent",
        label=_("Invitation sent"),
        meaning=_("A member shared the referral link or sent invitations."),
        schema=data(channel=CHANNEL, count=integer(1, 1000, "How many invitations; 1 when left out.")),
        fields=(
            Field(name="count", label=_("Invitations"), type=FieldType.INTEGER, example=3),
            *COMMON_FIELDS,
        ),
        example={"channel": "telegram", "count": 3},
    ),
    Kind(
        name="order.paid",
        label=_("Order paid"),
        meaning=_("A member paid an order. Each order counts once."),
        schema=data(
            "order_id",
            "amount_minor",
            "currency",
            order_id=ORDER_ID,
            amount_minor=AMOUNT,
            currency={"type": "string", "pattern": r"^[A-Z]{3}$", "description": CURRENCY},
            items={"type": "array", "items": ITEM, "maxItems": ITEMS_MAX},
            channel=CHANNEL,
            coupon=text(100, "The discount code that was used.", length_min=0),
        ),
        fields=(
            AMOUNT_FIELD,
            Field(name="items.sku", label=_("Article (SKU)"), type=FieldType.TEXT, example="VINYL-042"),
            Field(name="items.count", label=_("Pieces in the order"), type=FieldType.INTEGER, example=2, read=_pieces),
            Field(name="coupon", label=_("Discount code"), type=FieldType.TEXT, example="SPRING"),
            Field(name="currency", label=_("Currency"), type=FieldType.TEXT, example="USD"),
            *COMMON_FIELDS,
        ),
        example={
            "order_id": "1001",
            "amount_minor": 4990,
            "currency": "USD",
            "items": [{"sku": "VINYL-042", "name": "Kind of Blue", "quantity": 1, "price_minor": 4990}],
            "channel": "site",
        },
        business_key=lambda values: f"order.paid:{values['order_id']}",
    ),
    Kind(
        name="order.refunded",
        label=_("Order refunded"),
        meaning=_("Part of a paid order was given back, or all of it. What it earned is taken back in proportion."),
        schema=data(
            "order_id",
            "refund_id",
            "amount_minor",
            order_id=ORDER_ID,
            refund_id=text(80, "Your id of the refund: each counts once for its order, whatever the key."),
            amount_minor=integer(1, AMOUNT_MINOR_MAX, "What was given back, in minor units of the currency."),
            items={
                "type": "array",
                "items": RETURNED_ITEM,
                "maxItems": ITEMS_MAX,
                "description": "What came back. Rules that ask for articles are asked again about what is left.",
            },
        ),
        fields=(AMOUNT_FIELD, *COMMON_FIELDS),
        example={"order_id": "1001", "refund_id": "1001-1", "amount_minor": 1990},
        is_trigger=False,
        # The length keeps apart ids that hold a colon themselves.
        business_key=lambda values: (
            f"order.refunded:{len(values['order_id'])}:{values['order_id']}:{values['refund_id']}"
        ),
    ),
    Kind(
        name="order.cancelled",
        label=_("Order cancelled"),
        meaning=_("A paid order was cancelled as a whole. What it earned is taken back."),
        schema=data("order_id", order_id=ORDER_ID, reason=text(500, "In your words.", length_min=0)),
        fields=COMMON_FIELDS,
        example={"order_id": "1001", "reason": "out of stock"},
        is_trigger=False,
    ),
    Kind(
        name="check_in",
        label=_("Check-in"),
        meaning=_("A member showed up: in the shop, at an event, in the app."),
        schema=data(place=text(100, "Where, in your words.", length_min=0), channel=CHANNEL),
        fields=(
            Field(name="place", label=_("Place"), type=FieldType.TEXT, example="Main Street"),
            *COMMON_FIELDS,
        ),
        example={"place": "Main Street"},
    ),
    Kind(
        name=CUSTOM,
        label=_("Your own event"),
        meaning=_("Anything of your own: custom. and a name of small letters, digits, dots and underscores."),
        schema=free_object(DATA_SIZE_BYTES_MAX, "Free. Rules can ask for its members value, label and channel."),
        fields=(
            Field(name="value", label=_("Value"), type=FieldType.INTEGER, example=10),
            Field(name="label", label=_("Label"), type=FieldType.TEXT, example="gold"),
            *COMMON_FIELDS,
        ),
        example={"value": 10, "label": "quiz"},
    ),
)

# --- What we tell ourselves -----------------------------------------------------------------------------------------

_OUR_OWN: Final = (
    Kind(
        name="level.reached",
        label=_("Member reached a level"),
        meaning=_("They have enough for it, perhaps for a higher one too. A rule rewards each level once."),
        fields=(LEVEL_FIELD, *MEMBER_FIELDS),
    ),
    Kind(
        name="level.will_fall",
        label=_("Member is about to lose a level"),
        meaning=_("Some days before it happens, as the reward policy says: time to bring them back."),
        fields=(LEVEL_FIELD, *MEMBER_FIELDS),
    ),
    Kind(
        name="referral.qualified",
        label=_("Invited friend qualified"),
        meaning=_("The inviter got the first reward for this friend. Each friend qualifies once."),
        fields=MEMBER_FIELDS,
    ),
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _REPORTED}
FACTS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _OUR_OWN}
ALL: Final[Mapping[str, Kind]] = {**KINDS, **FACTS}


def find_kind(name: str) -> Kind | None:
    """Return the kind of an event by its name. All of `custom.<name>` are one kind."""
    return ALL.get(name) if name in FACTS else find_reported(name)


def find_reported(name: str) -> Kind | None:
    """Return a kind that can be reported by its name."""
    found = KINDS.get(name)
    if found is None and re.fullmatch(CUSTOM_NAME, name):
        return KINDS[CUSTOM]
    return None if name == CUSTOM else found


def label_of(name: str) -> str:
    """
    Return what people call the kind of an event; a custom one by its own name.

    What the facts are called that no rule starts from, a higher floor knows: `settings.FACT_LABEL` names its verb.
    """
    if name.startswith("custom."):
        return name
    found = find_kind(name)
    return str(found.label if found else import_string(settings.FACT_LABEL)(name))
