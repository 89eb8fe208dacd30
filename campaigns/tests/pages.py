"""The campaign's page as a browser has it: what it shows is what it sends, but for what a person changes."""

from typing import Any

from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from core.db import transaction
from tenants import roles
from tenants.staff.models import Staff
from tests.cast import NOON

ADD = "/admin/campaigns/campaign/add/"
LIST = "/admin/campaigns/campaign/"
_empty: dict[str, Any] = {}
BACKEND = "django.contrib.auth.backends.ModelBackend"


def page_of(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk], urlconf="config.urls_tenant")


def staff_of(role: str) -> Staff:
    """Add somebody with a role to the staff; the role is the name."""
    with transaction():
        return roles.add_staff(username=role, password_hash="!", role=role, at=NOON)


def browser_of(role: str, *, host: str = "acme.localhost") -> Client:
    """Return a browser in which somebody with this role has logged in, who reads English."""
    person = staff_of(role)
    Staff.objects.filter(pk=person.pk).update(language="en")
    client = Client(headers={"host": host, "accept-language": "en"})
    client.force_login(person, BACKEND)
    return client


def sent_by(response: Any) -> dict[str, Any]:
    """Return what the form of a page would send if nothing were changed."""
    told = _values(response.context["adminform"].form)
    for inline in response.context["inline_admin_formsets"]:
        told |= _values(inline.formset.management_form)
        for form in inline.formset.forms:
            told |= _values(form)
    return told


def save(client: Client, url: str, *, button: str = "_save", **changes: Any) -> Any:
    """Open a page, change some of it and press a button. Names are written `rules_0_percent` for rules-0-percent."""
    if url != ADD:
        told = sent_by(client.get(url))
    else:
        # An empty form is always the same, and dear to render.
        _empty.update(_empty or sent_by(client.get(url)))
        told = dict(_empty)
    told |= {_name(name): value for name, value in changes.items()}
    return client.post(url, {**told, button: "1"})


def press(client: Client, campaign: Campaign, name: str, **sent: Any) -> Any:
    """Press one of the buttons above a campaign's page."""
    return client.post(f"{LIST}{campaign.pk}/{name}/", sent)


def messages_of(response: Any) -> list[str]:
    """Return what a page says was done, or was not."""
    return [str(message) for message in response.context["messages"]]


def errors_in(response: Any) -> dict[str, list[str]]:
    """Return what a refused form says, by field."""
    found = {name: [*errors] for name, errors in response.context["adminform"].form.errors.items()}
    for inline in response.context["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        if inline.formset.non_form_errors():
            found[prefix] = [*inline.formset.non_form_errors()]
        for form in inline.formset.forms:
            found |= {f"{form.prefix}-{name}": [*errors] for name, errors in form.errors.items()}
    return found


def _name(name: str) -> str:
    prefix, number, field = (*name.split("_", 2), "", "")[:3]
    return f"{prefix}-{number}-{field}" if number.isdigit() else name.replace("TOTAL", "-TOTAL_FORMS")


def _values(form: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        widgets = bound.subwidgets[0].data.get("subwidgets") if bound.subwidgets else None
        if widgets:
            told |= {each["name"]: each["value"] or "" for each in widgets}
        elif isinstance(value, bool):
            told |= {bound.html_name: "on"} if value else {}
        else:
            told[bound.html_name] = "" if value is None else value
    return told
