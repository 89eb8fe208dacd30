"""Providers of certificates in the back office: where they are, what is wrong with them, and how much is left there."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminURLInputWidget

from core import sealing
from core.backoffice import ModelAdmin, audit, post_button
from core.money import format_money
from rewards.certificates import orders, problems
from rewards.certificates.providers import ADAPTERS
from rewards.certificates.providers.http import DEFAULTS
from rewards.models import Provider
from tenants import context
from tenants.clock import now


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A provider. Its secret is sealed as it is saved, and an empty field leaves it as it was."""

    adapter = forms.ChoiceField(
        label=_("adapter"), choices=[(name, name) for name in ADAPTERS], initial="http", widget=UnfoldAdminSelectWidget
    )
    url = forms.URLField(label=_("address"), max_length=500, assume_scheme="https", widget=UnfoldAdminURLInputWidget)
    new_secret = forms.CharField(
        label=_("secret"),
        required=False,
        strip=True,
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("What the provider knows us by. It is never shown again; empty: it stays as it is."),
    )

    class Meta:
        model = Provider
        fields = ("name", "code", "adapter", "url", "settings", "is_active")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if not url.startswith(("https://", "http://")):
            raise forms.ValidationError(_("The address begins with https://."))
        return url

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if self.instance.secret and "url" in self.changed_data and not found.get("new_secret"):
            # Else whoever may change the address could have the secret sent to a place of their own.
            self.add_error("new_secret", _("The address has changed: give the secret again."))
        return found

    def clean_settings(self) -> dict[str, Any]:
        given = self.cleaned_data["settings"] or {}
        if not isinstance(given, dict):
            raise forms.ValidationError(_("This is an object: {…}."))
        for name, value in given.items():
            if name not in DEFAULTS or not _is_like(value, DEFAULTS[name]):
                known = ", ".join(DEFAULTS)
                raise forms.ValidationError(
                    _("There is no setting “%(name)s”. There are: %(known)s.") % {"name": name, "known": known}
                )
        return given


def _is_like(value: Any, usual: Any) -> bool:
    """Tell whether a setting is a text, or an object of texts, as the usual one is."""
    if isinstance(usual, dict):
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return isinstance(value, str)


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    """Where certificates are bought online."""

    form = ProviderForm
    list_display = ["name", "code", "state", "balance", "buttons"]
    ordering = ["pk"]
    fieldsets = [
        (None, {"fields": ["name", "code", "adapter", "url", "new_secret", "is_active"]}),
        (_("State"), {"fields": ["state", "balance", "buttons"]}),
        (_("How it is spoken to"), {"fields": ["settings", "defaults"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Provider | None = None) -> Any:
        # Of what is not there yet there is no state.
        return self.fieldsets if obj else [each for each in self.fieldsets if "state" not in each[1]["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Provider | None = None) -> Sequence[str]:
        # Orders and brands go by the code.
        return ["state", "balance", "buttons", "defaults", *(["code"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        secret = form.cleaned_data.get("new_secret")
        if secret:
            schema = context.current().schema_name
            obj.secret = sealing.seal(schema=schema, kind=orders.SEALED_AS, value=secret)
        super().save_model(request, obj, form, change)

    # Columns

    @admin.display(description=_("state"))
    def state(self, provider: Provider) -> SafeString:
        if provider.problem:
            since = (
                date_format(timezone.localtime(provider.problem_at), "DATETIME_FORMAT") if provider.problem_at else ""
            )
            sentence = problems.sentence_of(provider.problem)
            return format_html('<span class="mark mark-bad" title="{}">{}</span>', since, sentence)
        label, tone = (_("In use"), "good") if provider.is_active else (_("Switched off"), "warn")
        return format_html('<span class="mark mark-{}">{}</span>', tone, label)

    @admin.display(description=_("balance"), ordering="balance_minor")
    def balance(self, provider: Provider) -> str:
        if provider.balance_minor is None or provider.balance_at is None:
            return "—"
        tenant = context.current()
        money = format_money(provider.balance_minor, tenant.currency, tenant.language)
        return f"{money} ({date_format(timezone.localtime(provider.balance_at), 'DATETIME_FORMAT')})"

    @admin.display(description="")
    def buttons(self, provider: Provider) -> SafeString:
        if provider._state.adding:
            return SafeString("")
        return format_html(
            '<span class="acts">{}{}</span>',
            post_button(_("Try again now"), self.post_path("try", provider.pk), tone="primary", icon="replay"),
            post_button(
                _("Ask for the balance"), self.post_path("balance", provider.pk), icon="account_balance_wallet"
            ),
        )

    @admin.display(description=_("what stands without settings"))
    def defaults(self, _provider: Provider) -> SafeString:
        text = json.dumps(DEFAULTS, indent=2, ensure_ascii=False, default=dict)
        return format_html('<pre class="wrap-anywhere" style="white-space: pre-wrap">{}</pre>', text)

    # Buttons

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/try/", self.try_again, name="try"),
            self.post_url("<int:pk>/balance/", self.ask_balance, name="balance"),
            *super().get_urls(),
        ]

    def try_again(self, request: HttpRequest, pk: int) -> str:
        provider = get_object_or_404(Provider, pk=pk)
        schema = context.current().schema_name
        count = orders.try_again(schema=schema, provider=provider, at=now())
        audit(request, action="provider.tried", target=f"provider:{provider.pk} {provider.code}")
        return gettext("Certificates that are tried now: %(count)s.") % {"count": count}

    def ask_balance(self, request: HttpRequest, pk: int) -> Promise:
        provider = get_object_or_404(Provider, pk=pk)
        orders.send(orders.BALANCE_TASK, schema_name=context.current().schema_name, provider_id=provider.pk)
        return _("The provider is being asked: look again in a moment.")
