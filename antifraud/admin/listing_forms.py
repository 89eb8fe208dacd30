"""What the back office asks before it puts lines into a list."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from antifraud.lists import lines, list_sheets, listings
from antifraud.lists.list_sheets import Terms
from antifraud.lists.listings import Wish
from antifraud.models import Listing
from core.db import current_schema
from core.errors import Failure
from members import identities
from tenants import context, periods
from tenants.clock import now

VALUE_HELP = _(
    "A member's number, an identity as it was reported, a domain like example.com, or a range like 203.0.113.0/24."
)


class _EndForm(forms.Form):
    """What holds for a line, whatever it is about."""

    last_day = forms.DateField(
        label=_("last day"),
        required=False,
        # The browser's own: the admin's calendar needs the scripts of the admin's forms.
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=_("Empty: for ever. An exemption has to have one."),
    )
    note = forms.CharField(
        label=_("note"),
        required=False,
        max_length=listings.NOTE_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=_(
            "Why. Of our own staff: the name that they log in with here, so that they decide no case of theirs."
        ),
    )

    def until(self) -> datetime | None:
        """Return the end of a valid form's last day, by the tenant's clock."""
        last_day = self.cleaned_data.get("last_day")
        return periods.midnight(last_day + timedelta(days=1), zone=context.zone()) if last_day else None


class ListingForm(_EndForm, forms.ModelForm):  # type: ignore[type-arg]
    """One line. What is wrong stands at its field."""

    value = forms.CharField(
        label=_("who or what"),
        max_length=254,
        help_text=VALUE_HELP,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = Listing
        fields = ("list", "kind", "answer", "note")

    field_order = ["list", "kind", "value", "answer", "last_day", "note"]

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if told.get("list") != Listing.List.BLOCK:
            told["answer"] = ""
        if {"list", "kind", "value"} <= told.keys():
            self._read(told)
        return told

    def _read(self, told: dict[str, Any]) -> None:
        schema, region = current_schema(), identities.region_of(context.current().currency)
        try:
            line = lines.line_of(kind=told["kind"], text=told["value"], schema=schema, region=region)
            if listings.missing_members([line]):
                raise listings.NobodyListed
        except Failure as failure:
            self.add_error("value", str(failure))
            return
        wish = Wish(list=told["list"], line=line, answer=told["answer"], until=self.until(), note=told.get("note", ""))
        try:
            listings.require_sound(wish, at=now())
        except Failure as failure:
            pointer = failure.errors[0]["pointer"].removeprefix("/")
            self.add_error("last_day" if pointer == "until" else pointer, str(failure))
        told["wish"] = wish

    def _post_clean(self) -> None:
        """Leave the row alone: `listings.put` writes it, and the form has said all that could be wrong with it."""


class UploadForm(_EndForm):
    """A file of lines, and what holds for those of its rows that do not say it."""

    list = forms.ChoiceField(label=_("list"), choices=Listing.List.choices, widget=UnfoldAdminSelectWidget)
    kind = forms.ChoiceField(label=_("kind"), choices=Listing.Kind.choices, widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=_("file"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("CSV with the columns value, kind, then, until, note; all but the first may be left out. "
                    "Up to 50,000 rows."),
    )  # fmt: skip
    answer = forms.ChoiceField(
        label=_("then"),
        choices=[("", "—"), *Listing.Answer.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("What becomes of a reward. Only stop lists say it."),
    )
    field_order = ["list", "kind", "file", "answer", "last_day", "note"]

    def read(self, *, at: datetime) -> list_sheets.Sheet:
        """Return what a valid form's file has. Failures as for `list_sheets.read`."""
        told = self.cleaned_data
        terms = Terms(
            list=told["list"],
            kind=told["kind"],
            answer=told["answer"] if told["list"] == Listing.List.BLOCK else "",
            until=self.until(),
            note=told["note"],
            zone=context.zone(),
            schema=current_schema(),
            region=identities.region_of(context.current().currency),
        )
        return list_sheets.read(told["file"].read(), terms=terms, at=at)
