"""What is asked of people who issue, change and replace keys."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
)

from tenants import key_wishes, keys
from tenants.key_wishes import Wish
from tenants.models import ApiKey, Tenant

# With the name by which the API and its documents call each.
NAMED = [(scope, format_lazy("{} ({})", label, scope)) for scope, label in ApiKey.Scope.choices]
SECRET, PUBLISHABLE = ApiKey.Kind.SECRET, ApiKey.Kind.PUBLISHABLE
# What a new key is rarely meant to do: it is ticked on purpose.
RARE = (ApiKey.Scope.EVENTS_BACKFILL, ApiKey.Scope.EXPORTS_READ)
OVERLAPS_HOURS = (0, 1, 24, 72, 168)


class LinesField(forms.CharField):
    """A list, each of whose values stands on a line of its own."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != list(initial or ()))


class LimitedForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """From where a key may be used, and how often."""

    # Whether more than the platform's usual number may be chosen.
    may_raise: ClassVar[bool] = False

    allowed_networks = LinesField(
        label=_("Allowed networks"),
        help_text=_("One a line: an address or a network, such as 203.0.113.0/24. Empty: from everywhere."),
    )
    allowed_origins = LinesField(
        label=_("Allowed origins"),
        help_text=_("One a line: the beginning of the address of a site that uses it: https://shop.example.com"),
    )
    requests_a_second_max = forms.IntegerField(
        label=_("Requests a second"),
        required=False,
        min_value=1,
        max_value=key_wishes.RATE_MAX,
        help_text=_("Twice as many may come at once. Empty: the platform's."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def kind_of(self) -> str:
        """Return what kind of key this is about."""
        return str(self.cleaned_data.get("kind") or self.instance.kind)

    def limits(self) -> dict[str, Any]:
        """Return what was asked for. What only the other kind has was hidden, and is not meant."""
        given, is_page = self.cleaned_data, self.kind_of() == PUBLISHABLE
        return {
            "allowed_networks": [] if is_page else given.get("allowed_networks") or [],
            "allowed_origins": (given.get("allowed_origins") or []) if is_page else [],
            "requests_a_second_max": given.get("requests_a_second_max"),
        }

    def clean_requests_a_second_max(self) -> int | None:
        wanted: int | None = self.cleaned_data["requests_a_second_max"]
        is_page = self.kind_of() == PUBLISHABLE
        usual = settings.API_REQUESTS_A_SECOND_OF_VISITOR if is_page else settings.API_REQUESTS_A_SECOND
        if (
            wanted is not None
            and wanted > usual
            and not self.may_raise
            and "requests_a_second_max" in self.changed_data
        ):
            raise forms.ValidationError(
                gettext("At most %(usual)d; the platform's support can give a key more.") % {"usual": usual}
            )
        return wanted

    def say_what_is_wrong(self, wish: Wish) -> None:
        """Put each fault at its field."""
        for fault in key_wishes.list_faults(wish=wish, public_scopes=keys.PUBLIC_SCOPES):
            name = str(fault["pointer"]).removeprefix("/")
            if name == "scopes" and wish.kind == PUBLISHABLE:
                name = "public_scopes"
            self.add_error(name if name in self.fields else None, str(fault["detail"]))


class KeyForm(LimitedForm):
    """What a new key may do, and where it leads."""

    environment = forms.ChoiceField(
        label=_("Environment"),
        choices=Tenant.Environment,
        initial=Tenant.Environment.LIVE,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=_("A sandbox key changes nothing that is real."),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=ApiKey.Kind,
        initial=SECRET,
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=_("A publishable key may stand in the source of a page, where everybody reads it."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=NAMED,
        initial=[scope for scope in keys.ALL_SCOPES if scope not in RARE],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    public_scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[(scope, told) for scope, told in NAMED if scope in keys.PUBLIC_SCOPES],
        initial=keys.PUBLIC_SCOPES,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            *("name", "kind", "scopes", "allowed_networks", "allowed_origins"),
            *("requests_a_second_max", "expires_at"),
        )

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or SECRET

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == PUBLISHABLE:
            # The others were hidden, and are not meant.
            cleaned["scopes"] = cleaned.get("public_scopes", [])
        if not self.errors:
            asked = {name: value for name, value in self.wish().items() if name != "environment"}
            self.say_what_is_wrong(Wish.of(**asked))
        return cleaned

    def wish(self) -> dict[str, Any]:
        """Return what was asked for, as `keys.add` takes it."""
        given = self.cleaned_data
        return {
            "environment": given["environment"],
            "kind": given["kind"],
            "name": given["name"],
            "scopes": given["scopes"],
            "expires_at": given["expires_at"],
            **self.limits(),
        }


class PlatformKeyForm(KeyForm):
    """The platform's staff may issue a key for anybody."""

    may_raise = True

    class Meta(KeyForm.Meta):
        fields: tuple[str, ...] = ("tenant", *KeyForm.Meta.fields)


class KeyLimitsForm(LimitedForm):
    """What may be changed of a key."""

    class Meta:
        model = ApiKey
        fields = ("allowed_networks", "allowed_origins", "requests_a_second_max")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.say_what_is_wrong(keys.wish_of(self.instance, **self.limits()))
        return cleaned


class PlatformKeyLimitsForm(KeyLimitsForm):
    """The platform's staff may give a key more than is usual."""

    may_raise = True


def _overlaps() -> list[tuple[int, str]]:
    at_once = [(0, gettext("not at all: it ends at once"))]
    return at_once + [
        (hours, ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours}) for hours in OVERLAPS_HOURS[1:]
    ]


class OverlapForm(forms.Form):
    """For how long the old key is valid yet."""

    hours = forms.TypedChoiceField(
        label=_("The old key is valid for"),
        choices=_overlaps,
        coerce=int,
        initial=24,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=_(
            "Give your programs the new key meanwhile. This key's page shows when it was used last, and from where."
        ),
    )
