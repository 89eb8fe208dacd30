"""Those who come from elsewhere: programs with keys and people with cookies, and what they try."""

import json
import re
from typing import Any

from django.test import Client

from tenants import context, keys
from tenants.models import Tenant
from tenants.staff.models import Staff
from tests.cast import NOON
from tests.people import AXES
from tests.walk import Place

# Whom they ask for.
ANNA = "acme-anna"
# What is sent to whatever takes a body: to the API something about Acme's Anna, to a page all that buttons may ask for.
BODIES: dict[str, dict[str, Any]] = {
    "events": {"key": "intruder-1", "kind": "check_in", "member": {"external_id": ANNA}},
    "members": {"external_id": ANNA},
}
FORM = {"sure": "yes", "post": "yes", "confirmed": "yes", "who": ANNA, "name": "Mine now", "note": "Mine now"}


def key_of(schema: str) -> str:
    """Return a new key that leads to `schema` and may do everything there."""
    tenant = Tenant.objects.get(schema_name=schema)
    _row, full = keys.issue(tenant=tenant, environment=tenant.environment, name="x", scopes=keys.ALL_SCOPES, at=NOON)
    return full


def program(schema: str, *, host: str) -> Client:
    """Return a program that calls `host` with a key of somebody's."""
    authorization = f"Bearer {key_of(schema)}"
    return Client(headers={"host": host, "authorization": authorization}, raise_request_exception=False)


def visitor(schema: str | None, *, host: str) -> Client:
    """Return a browser at `host`, with the cookie of somebody who may do everything in `schema`, or with none."""
    browser = Client(headers={"host": host}, raise_request_exception=False)
    if schema is not None:
        with context.in_public() if schema == "public" else context.in_tenant(schema):
            root = Staff.objects.create_superuser("root", password=None, language="en")
            browser.force_login(root, AXES)
    return browser


def send(caller: Client, method: str, place: Place) -> Any:
    """Ask for a place, or try to change what is there."""
    # What one page has to say would else be said by the next.
    caller.cookies.pop("messages", None)
    if method == "GET":
        return caller.get(place.path)
    if place.path.startswith("/api/"):
        body = json.dumps(BODIES.get(place.name, {}))
        return caller.generic(method, place.path, body, content_type="application/json")
    return caller.post(place.path, {**FORM, "action": "reject_selected", "_selected_action": place.asked})


def told_by(response: Any, *, of: re.Pattern[str], asked: tuple[str, ...]) -> str | None:
    """Return what an answer tells of somebody, if anything. What it was asked for it may repeat."""
    body = b"".join(response) if response.streaming else response.content
    text = body.decode() + response.headers.get("Location", "")
    # Not a short number such as 1: without it the longer ones would not be what they are.
    for each in filter(of.search, asked):
        text = text.replace(each, "")
    found = of.search(text)
    return found and text[max(found.start() - 60, 0) : found.end() + 20]
