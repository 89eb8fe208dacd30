"""What a gift of each kind has to say of itself: the form's fields, and `Gift.terms` made of them and shown in them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.errors import Failure
from core.money import digits_of, to_major, to_minor
from rewards.kinds.discount import patterns
from rewards.models import Gift, Provider
from tenants import context

DAYS_MAX: Final = 3650
MONEY_MAX: Final = 10**9
DENOMINATIONS_MAX: Final = 50

type_of_fields = dict[str, forms.Field]
type_of_terms = dict[str, Any]


class Wrong(Exception):
    """Something in a field cannot be kept: the field's name, and a sentence."""

    def __init__(self, field: str, sentence: Any) -> None:
        super().__init__(field)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Section:
    """A kind's part of the form. `shown` tells its fields what terms say, `stored` makes terms of what they say."""

    title: Any
    fields: Callable[[], type_of_fields]
    shown: Callable[[Mapping[str, Any]], type_of_terms]
    stored: Callable[[Mapping[str, Any]], type_of_terms]


# The fields


def days_field(**told: Any) -> forms.IntegerField:
    """Return a field for a number of days, which may stay empty."""
    widget = widgets.UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(required=False, min_value=1, max_value=DAYS_MAX, widget=widget, **told)


def money_field(**told: Any) -> forms.DecimalField:
    """Return a field for an amount in the tenant's currency, which may stay empty."""
    currency = context.current().currency
    return forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_value=MONEY_MAX,
        decimal_places=digits_of(currency),
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "placeholder": currency}),
        **told,
    )


def minor(amount: Decimal | None) -> int | None:
    """Return an amount in minor units of the tenant's currency."""
    return None if amount is None else to_minor(amount, context.current().currency)


def major(amount_minor: int | None) -> Decimal | None:
    """Return an amount in the units of the tenant's currency."""
    return None if amount_minor is None else to_major(amount_minor, context.current().currency)


def _choice(label: Any, choices: Any, **told: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=widgets.UnfoldAdminSelectWidget(), **told)


def _several(label: Any, choices: Any, **told: Any) -> forms.MultipleChoiceField:
    widget = widgets.UnfoldAdminCheckboxSelectMultipleWidget()
    return forms.MultipleChoiceField(label=label, choices=choices, widget=widget, required=False, **told)


def _text(label: Any, **told: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, widget=widgets.UnfoldAdminTextInputWidget(), **told)


def _known(told: Mapping[str, Any]) -> type_of_terms:
    return {name: value for name, value in told.items() if value not in (None, "")}


# Discounts

TYPES: Final = {"percent": _("Percent of the order"), "sum": _("A sum"), "free_delivery": _("Free delivery")}


def _discount_fields() -> type_of_fields:
    return {
        "discount_type": _choice(_("Takes off"), [*TYPES.items()]),
        "discount_percent": forms.DecimalField(
            label=_("Percent"),
            required=False,
            min_value=Decimal("0.01"),
            max_value=100,
            decimal_places=2,
            widget=widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
        ),
        "discount_amount": money_field(label=_("Sum")),
        "discount_order_min": money_field(label=_("Smallest order"), help_text=_("Empty: any order will do.")),
        "discount_days": days_field(label=_("Valid, days"), help_text=_("Empty: it does not expire.")),
        "discount_pattern": _text(
            _("Pattern"),
            max_length=patterns.LENGTH_MAX,
            help_text=_("COFFEE-####-????: # is a digit, ? a letter. Empty: codes are taken from the stock."),
        ),
    }


def _discount_shown(terms: Mapping[str, Any]) -> type_of_terms:
    rate_bps = terms.get("rate_bps")
    return {
        "discount_type": terms.get("type", "percent"),
        "discount_percent": None if rate_bps is None else (Decimal(rate_bps) / 100).normalize(),
        "discount_amount": major(terms.get("amount_minor")),
        "discount_order_min": major(terms.get("order_min_minor")),
        "discount_days": terms.get("valid_days"),
        "discount_pattern": terms.get("pattern", ""),
    }


def _discount_stored(told: Mapping[str, Any]) -> type_of_terms:
    kind, pattern = told["discount_type"], (told["discount_pattern"] or "").strip().upper()
    if kind == "percent" and not told["discount_percent"]:
        raise Wrong("discount_percent", _("How many percent?"))
    if kind == "sum" and not told["discount_amount"]:
        raise Wrong("discount_amount", _("How much?"))
    if pattern and (problem := patterns.problem(pattern)):
        raise Wrong("discount_pattern", problem)
    worths: dict[str, type_of_terms] = {
        "percent": {"rate_bps": int((told["discount_percent"] or 0) * 100)},
        "sum": {"amount_minor": minor(told["discount_amount"])},
        "free_delivery": {},
    }
    return {
        "type": kind,
        **worths[kind],
        "order_min_minor": minor(told["discount_order_min"]) or None,
        "valid_days": told["discount_days"],
        "pattern": pattern,
    }


# Privileges, products, content


def _privilege_fields() -> type_of_fields:
    return {"privilege_days": days_field(label=_("Holds, days"), help_text=_("Empty: for ever."))}


def _product_fields() -> type_of_fields:
    return {
        "needs_address": forms.BooleanField(
            label=_("Sent by post"),
            required=False,
            help_text=_("Whoever buys it says where to. Otherwise it is handed over."),
            widget=widgets.UnfoldBooleanSwitchWidget(),
        )
    }


def _content_fields() -> type_of_fields:
    return {
        "content_url": forms.URLField(
            label=_("Address"),
            required=False,
            max_length=500,
            assume_scheme="https",
            help_text=_("Told after the purchase. Or upload a file below, which only its owners can open."),
            widget=widgets.UnfoldAdminURLInputWidget(attrs={"placeholder": "https://"}),
        )
    }


def _content_stored(told: Mapping[str, Any]) -> type_of_terms:
    url = told["content_url"] or ""
    if url and not url.lower().startswith(("http://", "https://")):
        raise Wrong("content_url", _("A web address begins with https:// or http://."))
    return _known({"url": url})


# Certificates

BARCODES: Final = {"qr": _("QR code"), "code128": _("Bar code (Code 128)"), "none": _("The code alone")}
SOLD = _("Of the values above, the one that the price buys. Empty: the first.")


def _certificate_fields() -> type_of_fields:
    providers = Provider.objects.order_by("code").values_list("code", "name")
    return {
        "denominations": _text(_("Values"), help_text=_("With semicolons between: 500; 1000; 3000."), max_length=500),
        "certificate_days": days_field(label=_("Valid, days"), help_text=_("Empty: as its code says.")),
        "providers": _several(
            _("Bought from"), [*providers], help_text=_("Where one is bought when the stock has no code of its value.")
        ),
        "barcode": _choice(_("Shown as"), [*BARCODES.items()]),
        "sold": money_field(label=_("Sold value"), help_text=SOLD),
    }


def _certificate_shown(terms: Mapping[str, Any]) -> type_of_terms:
    return {
        "denominations": "; ".join(f"{major(value).normalize():f}" for value in terms.get("denominations") or []),  # type: ignore[union-attr]
        "certificate_days": terms.get("valid_days"),
        "providers": terms.get("providers") or [],
        "barcode": terms.get("barcode", "qr"),
        "sold": major(terms.get("sold_minor")),
    }


def _certificate_stored(told: Mapping[str, Any]) -> type_of_terms:
    values = _values(told["denominations"] or "")
    sold = minor(told["sold"]) or None
    if told.get("price") is not None and not (sold or values):
        raise Wrong("denominations", _("Of what value is the one that the price buys?"))
    if sold and values and sold not in values:
        raise Wrong("sold", _("This is none of its values."))
    return {
        "denominations": values,
        "valid_days": told["certificate_days"],
        "providers": told["providers"],
        "barcode": told["barcode"],
        **_known({"sold_minor": sold}),
    }


def _values(text: str) -> list[int]:
    parts = [part for part in re.split(r"[;\n]+", text) if part.strip()]
    try:
        values = [minor(Decimal(re.sub(r"\s", "", part).replace(",", "."))) or 0 for part in parts]
    except (InvalidOperation, Failure) as error:
        raise Wrong("denominations", _("Write amounts with semicolons between, such as 500; 1000.")) from error
    if any(not 0 < value <= MONEY_MAX * 100 for value in values) or len(values) > DENOMINATIONS_MAX:
        raise Wrong("denominations", _("Write amounts with semicolons between, such as 500; 1000."))
    return [*dict.fromkeys(values)]


def _pool_fields() -> type_of_fields:
    brands = Gift.objects.filter(kind=Gift.Kind.CERTIFICATE).order_by("name").values_list("code", "name")
    return {
        "brands": _several(_("Brands"), [*brands], help_text=_("Of which the member chooses one.")),
        "sold": money_field(label=_("Sold value"), help_text=_("What the price buys: a value that the brands have.")),
    }


def _pool_stored(told: Mapping[str, Any]) -> type_of_terms:
    if not told["brands"]:
        raise Wrong("brands", _("Choose one brand at least."))
    if told.get("price") is not None and not told["sold"]:
        raise Wrong("sold", _("Of what value is the one that the price buys?"))
    return {"brands": told["brands"], **_known({"sold_minor": minor(told["sold"]) or None})}


SECTIONS: Final[Mapping[str, Section]] = {
    Gift.Kind.DISCOUNT: Section(_("The discount"), _discount_fields, _discount_shown, _discount_stored),
    Gift.Kind.PRIVILEGE: Section(
        _("The privilege"),
        _privilege_fields,
        lambda terms: {"privilege_days": terms.get("days")},
        lambda told: {"days": told["privilege_days"]},
    ),
    Gift.Kind.PRODUCT: Section(
        _("The product"),
        _product_fields,
        lambda terms: {"needs_address": bool(terms.get("needs_address"))},
        lambda told: {"needs_address": told["needs_address"]},
    ),
    Gift.Kind.CONTENT: Section(
        _("The content"), _content_fields, lambda terms: {"content_url": terms.get("url", "")}, _content_stored
    ),
    Gift.Kind.CERTIFICATE: Section(_("The certificate"), _certificate_fields, _certificate_shown, _certificate_stored),
    Gift.Kind.POOL: Section(
        _("The choice"),
        _pool_fields,
        lambda terms: {"brands": terms.get("brands") or [], "sold": major(terms.get("sold_minor"))},
        _pool_stored,
    ),
}
