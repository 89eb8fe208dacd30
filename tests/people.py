"""Staff of the tenant that is current, and the browsers they sit at."""

from django.test import Client

from core.db import transaction
from tenants import roles
from tenants.staff.models import Staff
from tests.cast import NOON, Shop

AXES = "django.contrib.auth.backends.ModelBackend"


def staff_of(role: str, *, username: str = "") -> Staff:
    """Add somebody with a role to the staff, who reads English, whatever the tenant's language is."""
    with transaction():
        person = roles.add_staff(username=username or f"the-{role}", password_hash="!", role=role, at=NOON)
        person.language = "en"
        person.save(update_fields=["language"])
    return person


def browser_of(person: Staff, *, host: str = "acme.localhost") -> Client:
    """Return a browser in which somebody has logged in."""
    client = Client(headers={"host": host})
    client.force_login(person, AXES)
    return client


def flag(shop: Shop, *, inviter: str = "anna", friend: str = "boris") -> None:
    """Let somebody invite a friend who pays with the same card: both sides of the referral are flagged."""
    shop.joins({"external_id": inviter, "card": f"token-{inviter}"})
    shop.joins({"external_id": friend, "card": f"token-{inviter}"}, invited_by=inviter)
    shop.pays(friend, "500")
