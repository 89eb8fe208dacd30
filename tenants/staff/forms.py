"""What is asked of people about people who work here."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget

from tenants import roles
from tenants.forms import time_zones
from tenants.staff.models import Staff


class NewStaffForm(UserCreationForm):  # type: ignore[misc]  # Unfold has no types
    """Somebody new, with a first password."""

    class Meta:
        model = Staff
        fields = ("username", "email")


class _WithPreferences(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("The tenant's")), *settings.LANGUAGES],
        widget=UnfoldAdminSelectWidget,
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("The tenant's")), *time_zones()],
        widget=UnfoldAdminSelect2Widget,
    )


class StaffForm(_WithPreferences, UserChangeForm):  # type: ignore[misc]
    """Somebody who works here."""

    class Meta:
        model = Staff
        fields = "__all__"


class OwnForm(_WithPreferences, forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What everybody chooses for themselves, whatever their role."""

    class Meta:
        model = Staff
        fields = ("language", "time_zone")


class _WithRole(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=list(roles.LABELS.items()), widget=UnfoldAdminRadioSelectWidget)


class NewTenantStaffForm(_WithRole, NewStaffForm):
    """Somebody new of a tenant's staff, whose role says what they may do."""


class TenantStaffForm(_WithRole, StaffForm):
    """Somebody of a tenant's staff, whose role says what they may do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("role", roles.find(staff=self.instance))
