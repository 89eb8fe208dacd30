"""Browsers of a tenant's staff, and what a page shows them once."""

import re
from collections.abc import Callable
from typing import Any

from django.test import Client

from tenants import context, roles
from tests.cast import NOON
from tests.people import AXES

PASSWORD = "correct horse battery"


def browser(client_of: Callable[..., Client], slug: str, role: str) -> Client:
    """Log somebody of a tenant's in, who has this role."""
    client = client_of(f"{slug}.localhost")
    with context.in_tenant(f"t_{slug}"):
        person = roles.add_staff(username=f"the-{role}", password_hash="!", role=role, at=NOON)
        client.force_login(person, AXES)
    return client


def shown(response: Any) -> list[str]:
    """Return the secrets that a page shows."""
    assert response.status_code == 200, response
    found = re.findall(r"<code [^>]*>([^<]+)</code>", response.content.decode())
    assert found, "Nothing is shown: the form was refused."
    return found
