"""What a marketer fills in about a gift: what it is, what it costs on which level, and who may have it."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.errors import Failure
from rewards import pictures
from rewards.admin import gift_terms
from rewards.admin.gift_terms import SECTIONS, Wrong, money_field
from rewards.models import Asset, Gift, Level

FILE_SIZE_BYTES_MAX: Final = 50 * 1024 * 1024
AMOUNT_MAX: Final = 10**12
LEVEL_PRICE: Final = "price_on_"
# What the form can say of a member: field, operator, and the name of the form's own field.
ASKED: Final = (
    ("member.orders", "at_least", "orders_min"),
    ("member.orders", "at_most", "orders_max"),
    ("member.days", "at_least", "days_min"),
    ("member.invited", "is", "invited"),
)
INVITED: Final = {"": _("Whether or not"), "yes": _("Only who was invited"), "no": _("Only who came alone")}


def whole_field(**told: Any) -> forms.IntegerField:
    """Return a field for a whole number from 0 on, which may stay empty."""
    widget = widgets.UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(required=False, min_value=0, max_value=AMOUNT_MAX, widget=widget, **told)


class GiftForm(forms.ModelForm):  # type: ignore[type-arg]
    """
    A gift of one kind. `form_for` adds the fields of its kind, and one for the price on each level.

    Pieces are bought while somebody edits: the form says how many more or fewer there should be than it showed.
    """

    kind: str
    levels: tuple[Level, ...] = ()

    stock_seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    audience_levels = forms.MultipleChoiceField(
        label=_("Only on these levels"),
        required=False,
        help_text=_("None ticked: on every level, and without one."),
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    orders_min = whole_field(label=_("Paid orders, at least"))
    orders_max = whole_field(label=_("Paid orders, at most"))
    days_min = whole_field(label=_("Days since joining, at least"))
    invited = forms.ChoiceField(
        label=_("Invited by a friend"),
        required=False,
        choices=[*INVITED.items()],
        widget=widgets.UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = Gift
        fields = (
            "name",
            "code",
            "description",
            "conditions_text",
            "picture",
            "file",
            "is_active",
            "asset",
            "price",
            "stock",
            "low_stock",
            "per_member",
            "available_from",
            "available_to",
            "position",
        )
        help_texts = {
            "code": _("What programs call it. It stays as it is."),
            "picture": _("PNG, JPEG or WebP, up to 2 MB. Square ones look best."),
            "file": _("Up to 50 MB. Only whoever has bought it gets a link, which is over after a day."),
            "position": _("The smallest comes first."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gift = self.instance
        gift.kind = gift.kind or self.kind
        if "asset" in self.fields:
            self.fields["asset"].queryset = Asset.objects.order_by("pk")  # type: ignore[attr-defined]
            self.fields["asset"].label_from_instance = lambda asset: asset.name  # type: ignore[attr-defined]
            _plain(self.fields["asset"].widget)
            self.fields["asset"].initial = Asset.objects.filter(code="points").values_list("pk", flat=True).first()
        for name in ("description", "conditions_text"):
            self.fields[name].widget.attrs["rows"] = 3
        self.fields["audience_levels"].choices = [(level.code, level.name) for level in self.levels]  # type: ignore[attr-defined]
        self.initial.update(stock_seen=gift.stock, cost=gift_terms.major(gift.cost_minor))
        self.initial.update(SECTIONS[gift.kind].shown(gift.terms) | _audience_shown(gift.audience))
        self.initial.update({LEVEL_PRICE + level.code: gift.prices.get(level.code) for level in self.levels})

    def clean_picture(self) -> Any:
        picture = self.cleaned_data["picture"]
        if isinstance(picture, UploadedFile):
            try:
                picture.name = f"{self.instance.kind}.{pictures.check(picture)}"
            except Failure as failure:
                raise ValidationError(str(failure)) from failure
        return picture

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if isinstance(file, UploadedFile) and (file.size or 0) > FILE_SIZE_BYTES_MAX:
            raise ValidationError(_("A file may have 50 MB at most."))
        return file

    def clean_price(self) -> int | None:
        price: int | None = self.cleaned_data["price"]
        if price is not None and not 0 <= price <= AMOUNT_MAX:
            raise ValidationError(_("A price is 0 or more."))
        return price

    def clean_stock(self) -> int | None:
        stock: int | None = self.cleaned_data["stock"]
        if stock is not None and not 0 <= stock <= AMOUNT_MAX:
            raise ValidationError(_("There are 0 pieces or more."))
        return stock

    def clean_per_member(self) -> int | None:
        per_member: int | None = self.cleaned_data["per_member"]
        if per_member == 0:
            raise ValidationError(_("At least one, or empty for no limit."))
        return per_member

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if told.get("price") is not None and told.get("asset") is None:
            self.add_error("asset", _("What is the price paid in?"))
        begins, ends = told.get("available_from"), told.get("available_to")
        if begins and ends and ends <= begins:
            self.add_error("available_to", _("It ends before it begins."))
        self._keep(told)
        return told

    def _keep(self, told: dict[str, Any]) -> None:
        gift = self.instance
        cost: Decimal | None = told.get("cost")
        gift.cost_minor = gift_terms.minor(cost)
        prices = {level.code: told.get(LEVEL_PRICE + level.code) for level in self.levels}
        gift.prices = {code: price for code, price in prices.items() if price is not None}
        gift.audience = _audience_stored(told, gift.audience)
        if self.errors:
            return
        try:
            gift.terms = SECTIONS[gift.kind].stored(told)
        except Wrong as wrong:
            self.add_error(wrong.field, wrong.sentence)


def _plain(widget: Any) -> None:
    """Leave out the buttons by which assets could be added and changed from here."""
    widget.can_add_related = widget.can_change_related = widget.can_view_related = widget.can_delete_related = False


def form_for(kind: str) -> type[GiftForm]:
    """Return the form of a kind, with the price on each level that there is."""
    levels = tuple(Level.objects.order_by("threshold"))
    prices = {LEVEL_PRICE + level.code: whole_field(label=level.name) for level in levels}
    cost = money_field(label=_("What one costs you"), help_text=_("For the figures of what rewards cost."))
    own = {**SECTIONS[kind].fields(), **prices, "cost": cost}
    return type("GiftForm", (GiftForm,), {**own, "kind": kind, "levels": levels})


def fieldsets_for(kind: str) -> list[tuple[Any, dict[str, Any]]]:
    """Return the sections of the form of a kind, in the order in which one thinks of them."""
    section = SECTIONS[kind]
    own = [*section.fields(), *(["file"] if kind == Gift.Kind.CONTENT else [])]
    levels = [LEVEL_PRICE + level.code for level in Level.objects.order_by("threshold")]
    price = [("asset", "price"), ("stock", "low_stock"), ("per_member", "position"), "available_from", "available_to"]
    asked: list[Any] = [("orders_min", "orders_max"), ("days_min", "invited")]
    sets: list[tuple[Any, dict[str, Any]]] = [
        (None, {"fields": ["name", "code", "description", "picture", "conditions_text", ("is_active", "cost")]}),
        (section.title, {"fields": own}),
        (
            _("In the catalogue"),
            {
                "fields": [*price, "stock_seen"],
                "description": _("Without a price it is not for sale: campaigns can still give it."),
            },
        ),
    ]
    if levels:
        about = _("What it costs on a level. Empty: the price above. 0: nothing.")
        sets.append((_("Prices by level"), {"fields": levels, "description": about}))
    return [*sets, (_("For whom"), {"fields": [*(["audience_levels"] if levels else []), *asked]})]


def _audience_shown(audience: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"audience_levels": audience.get("levels") or []}
    for row in audience.get("conditions") or []:
        name = _name_of(row)
        if name == "invited":
            found[name] = "yes" if row["value"] else "no"
        elif name:
            found[name] = row["value"]
    return found


def _audience_stored(told: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    # What somebody has written by another way, and this form cannot say, is kept.
    rows = [row for row in before.get("conditions") or [] if not _name_of(row)]
    for field, operator, name in ASKED:
        value = told.get(name)
        if name == "invited":
            value = {"yes": True, "no": False}.get(value or "")
        if value is not None:
            rows.append({"field": field, "operator": operator, "value": value})
    found = {"levels": told.get("audience_levels") or [], "conditions": rows}
    return {name: value for name, value in found.items() if value}


def _name_of(row: dict[str, Any]) -> str:
    known = {(field, operator): name for field, operator, name in ASKED}
    return known.get((row.get("field", ""), row.get("operator", "")), "")
