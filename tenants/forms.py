"""What is asked of people who make tenants and domains."""

import re
import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from tenants import hosts, provisioning
from tenants.models import Domain, Tenant

HOST_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def time_zones() -> list[tuple[str, str]]:
    """Return all names of time zones, for a list to choose from."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What may be changed of a tenant. The slug and the currency are in addresses and in the ledger for ever."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, initial="UTC", widget=UnfoldAdminSelect2Widget
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, initial="en", widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ("name", "time_zone", "language", "requests_a_day_max", "events_a_day_max")


class NewTenantForm(TenantForm):
    """What a new tenant should be. `provisioning` says whether it may."""

    admin_username = forms.CharField(
        label=_("First admin's user name"), initial="admin", max_length=150, widget=UnfoldAdminTextInputWidget
    )
    admin_password = forms.CharField(
        label=_("First admin's password"),
        required=False,
        strip=False,
        help_text=_("Empty: one is made, and shown once."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ("name", "slug", "time_zone", "currency", "language")

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            for fault in provisioning.list_faults(wish=self.wish()):
                self.add_error(fault["pointer"].removeprefix("/"), str(fault["detail"]))
        return cleaned

    def wish(self) -> provisioning.Wish:
        """Return what was asked for, with a password made up where none was given."""
        given = self.cleaned_data
        return provisioning.Wish(
            name=given["name"],
            slug=given["slug"],
            time_zone=given["time_zone"],
            currency=given["currency"],
            language=given["language"],
            admin_username=given["admin_username"],
            admin_password=given["admin_password"] or provisioning.new_password(),
        )


class DomainForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A host name of a tenant's own. Whoever enters it makes its DNS point here."""

    class Meta:
        model = Domain
        fields = ("domain", "tenant", "is_primary")
        labels = {"domain": _("Address"), "tenant": _("Tenant"), "is_primary": _("Primary")}

    def clean_domain(self) -> str:
        name = str(self.cleaned_data["domain"]).lower().removesuffix(".")
        if not HOST_NAME.fullmatch(name):
            raise forms.ValidationError(_("This is not a host name, such as club.example.com."))
        if hosts.is_ours(name) and name != self.instance.domain:
            raise forms.ValidationError(_("Names under the platform's own are given by the platform."))
        return name
