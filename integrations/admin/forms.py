"""What is asked of people who set up webhooks."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from core.errors import Failure
from integrations.models import Endpoint
from integrations.webhooks import addresses, endpoints, kinds
from integrations.webhooks.endpoints import Wanted

CONFIRMED = [(kind.name, kind.label) for kind in kinds.ALL.values() if kind.is_confirmed]
OTHERS = [(kind.name, kind.label) for kind in kinds.ALL.values() if not kind.is_confirmed]


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A webhook: where, and what of."""

    url = forms.CharField(
        label=_("address"),
        max_length=addresses.LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "url", "spellcheck": "false"}),
        help_text=_("Of your server, such as https://shop.example.com/webhooks"),
    )
    confirmed = forms.MultipleChoiceField(
        label=_("confirmed"),
        required=False,
        choices=CONFIRMED,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("They stand: neither a moderator nor time decides about them any more."),
    )
    others = forms.MultipleChoiceField(
        label=_("not confirmed yet"),
        required=False,
        choices=OTHERS,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("They may come to nothing: what is on hold, set aside or waits for a moderator."),
    )

    class Meta:
        model = Endpoint
        fields = ("url", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.instance.kinds if self.instance.pk else kinds.CONFIRMED
        for name, choices in (("confirmed", CONFIRMED), ("others", OTHERS)):
            # Whoever may only look has no fields.
            if name in self.fields:
                self.fields[name].initial = [kind for kind, _label in choices if kind in chosen]

    def clean_url(self) -> str:
        try:
            return addresses.checked(self.cleaned_data["url"])
        except Failure as failure:
            raise forms.ValidationError(str(failure)) from failure

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if not [*found.get("confirmed", ()), *found.get("others", ())]:
            self.add_error("confirmed", _("Choose at least one fact."))
        if self.instance.pk is None and Endpoint.objects.count() >= endpoints.ENDPOINTS_MAX:
            raise forms.ValidationError(str(endpoints.TooManyWebhooks.message))
        return found

    def wanted(self) -> Wanted:
        """Return what was asked for."""
        given = self.cleaned_data
        return Wanted(url=given["url"], kinds=[*given["confirmed"], *given["others"]], description=given["description"])


class SinceForm(forms.Form):
    """From when on to send again, and what."""

    since = forms.SplitDateTimeField(
        label=_("From then on"),
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("At most 30 days ago."),
    )
    which = forms.ChoiceField(
        label=_("What"),
        choices=[
            ("undelivered", _("What has not arrived, or was never sent")),
            ("all", _("Everything, once more")),
        ],
        initial="undelivered",
        widget=UnfoldAdminRadioSelectWidget,
    )

    def told(self) -> dict[str, Any]:
        """Return what was asked for."""
        since: datetime = self.cleaned_data["since"]
        return {"since": since, "which": self.cleaned_data["which"]}
