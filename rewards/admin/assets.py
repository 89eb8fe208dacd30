"""What a tenant counts in: points and whatever else, what one is worth, and how long it lives."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core import money
from core.backoffice import ModelAdmin
from core.money import format_money
from rewards import assets, units
from rewards.assets import COUNTED, POINTS
from rewards.models import Asset
from tenants import context

# What amounts in the ledger mean: to change it would change what is owed.
LOCKED = ("kind", "currency", "scale")
POSITIVE = ("minor_per_unit", "balance_max", "payout_min", "expiry_count")


class AssetForm(forms.ModelForm):  # type: ignore[type-arg]
    """An asset. What does not apply to its kind or its expiry is cleared, whatever was typed."""

    class Meta:
        model = Asset
        fields = (
            "name",
            "code",
            "kind",
            "currency",
            "scale",
            "rounding",
            "minor_per_unit",
            "may_owe",
            "balance_max",
            "expiry",
            "expiry_count",
            "payout_min",
            "is_active",
        )
        help_texts = {
            "name": _("What members read: points, stars, bonuses."),
            "code": _("What programs call it. It stays as it is."),
            "scale": _(
                "With 2, 1250 units are read as 12.50. Of money it follows from the currency. Cannot be changed once "
                "something is owed."
            ),
            "rounding": _("Of what a percentage or a multiplier gives, from now on."),
            "balance_max": _(
                "In smallest units, with what is on hold. Campaigns give less rather than more; who has more keeps it."
            ),
            "payout_min": _("In smallest units: what must have come together before money is paid out."),
            "is_active": _("Out of use nothing new is offered in it. What members have stays theirs."),
        }

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).strip().upper()

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if not code.isascii() or not code.replace("_", "a").isalnum() or code != code.lower() or not code[0].isalpha():
            raise forms.ValidationError(_("Small letters, digits and underscores, a letter first."))
        return code

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        self._settle_money(told)
        self._settle_expiry(told)
        for name in POSITIVE:
            if told.get(name) is not None and told[name] < 1:
                self.add_error(name, gettext("At least 1, or empty where it may be."))
        if "scale" in told and told["scale"] > 4:
            self.add_error("scale", gettext("At most 4."))
        if self.instance.code == POINTS and not told.get("is_active", True):
            self.add_error("is_active", gettext("Points are always in use: campaigns count in them."))
        return told

    def _settle_money(self, told: dict[str, Any]) -> None:
        if self._value(told, "kind") != Asset.Kind.MONEY:
            told["payout_min"] = None
            if "currency" in told:
                told["currency"] = ""
            return
        if "currency" not in told:
            return
        if not money.is_currency(told["currency"]):
            self.add_error("currency", gettext("Money has a currency, such as RUB, USD or CNY."))
            return
        told["scale"] = money.digits_of(told["currency"])

    def _settle_expiry(self, told: dict[str, Any]) -> None:
        if "expiry" not in told:
            return
        if told["expiry"] not in COUNTED:
            told["expiry_count"] = None
        elif told.get("expiry_count") is None and "expiry_count" not in self.errors:
            self.add_error("expiry_count", gettext("How many days or months?"))
        if self._reaches_back(told):
            self.add_error(
                "expiry",
                gettext(
                    "Members have some that would expire earlier than they were told: days of rest count for all of "
                    "it. Choose another rule, or more days, or make another asset."
                ),
            )

    def _reaches_back(self, told: dict[str, Any]) -> bool:
        # What is dated keeps its date. What is not would follow the new rule at once.
        if told["expiry"] != Asset.Expiry.IDLE or not self.instance.pk or not assets.is_used(asset_id=self.instance.pk):
            return False
        before = Asset.objects.get(pk=self.instance.pk)
        was = before.expiry_count if before.expiry == Asset.Expiry.IDLE else None
        return was is None or (told.get("expiry_count") or 0) < was

    def _value(self, told: dict[str, Any], name: str) -> Any:
        # What is locked is not in the form.
        return told.get(name, getattr(self.instance, name))


@admin.register(Asset)
class AssetAdmin(ModelAdmin):
    """Points are there from the beginning; others are added. None is ever deleted: what was owed stays readable."""

    form = AssetForm
    list_display = ["named", "kind", "worth", "lives", "largest", "is_active"]
    list_display_links = ["named"]
    ordering = ["pk"]
    fieldsets = [
        (None, {"fields": ["name", "code", "kind", "currency", "scale", "is_active"]}),
        (
            _("What one is worth"),
            {
                "fields": ["minor_per_unit", "rounding"],
                "description": _("Counts from now on: what was given stays as it is."),
            },
        ),
        (
            _("Balance"),
            {
                "fields": ["may_owe", "balance_max"],
                "description": _("Counts from now on: no balance changes when this does."),
            },
        ),
        (
            _("Expiry"),
            {
                "fields": ["expiry", "expiry_count"],
                "description": _(
                    "Of what is earned from now on. What members have keeps the day that they were told. Days of rest "
                    "are the exception: each earning and spending begins them anew, for all without a day of its own."
                ),
            },
        ),
        (_("Payout"), {"fields": ["payout_min"], "description": _("Of money only.")}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Asset | None = None) -> list[str]:
        if obj is None:
            return []
        is_settled = obj.code == POINTS or assets.is_used(asset_id=obj.pk)
        return ["code", *LOCKED] if is_settled else ["code"]

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, obj, form, change)
        else:
            assets.create(asset=obj)

    @admin.display(description=_("asset"), ordering="name")
    def named(self, asset: Asset) -> SafeString:
        return format_html(
            '<span class="strong">{}</span> <span class="soft">{}</span>', asset.name, asset.currency or asset.code
        )

    @admin.display(description=_("worth of one"), ordering="minor_per_unit")
    def worth(self, asset: Asset) -> str:
        if asset.kind == Asset.Kind.MONEY:
            return "—"
        return format_money(asset.minor_per_unit, context.current().currency, get_language() or "en")

    @admin.display(description=_("they expire"))
    def lives(self, asset: Asset) -> str:
        count = asset.expiry_count or 0
        told = {"count": count}
        if asset.expiry == Asset.Expiry.DAYS:
            return ngettext("after %(count)s day", "after %(count)s days", count) % told
        if asset.expiry == Asset.Expiry.MONTHS:
            return ngettext("after %(count)s month", "after %(count)s months", count) % told
        if asset.expiry == Asset.Expiry.IDLE:
            return ngettext("after %(count)s day of rest", "after %(count)s days of rest", count) % told
        return str(asset.get_expiry_display())

    @admin.display(description=_("largest balance"), ordering="balance_max")
    def largest(self, asset: Asset) -> str:
        return "—" if asset.balance_max is None else units.bare(asset.balance_max, asset)
