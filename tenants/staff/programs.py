"""
API keys among the staff.

A decision keeps who made it, and that is a row of the staff. So a key that decides has one too: with the key's name, by
which everybody tells it from people, and without any way to log in.
"""

from datetime import datetime
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet

from core.db import in_transaction
from tenants.staff.models import Staff

# Nobody has a user name with spaces in it: the form of the staff allows none.
START: Final = "API key "


@in_transaction
def named(*, key: str, at: datetime) -> Staff:
    """Return who stands among the staff for a key, by what the key is called; made now if it never decided before."""
    columns = {"password": make_password(None), "is_active": False, "is_staff": False, "date_joined": at}
    found, _is_new = Staff.objects.get_or_create(username=f"{START}{key}", defaults=columns)
    return found


def key_of(staff: Staff) -> str | None:
    """Return what the key is called that somebody of the staff stands for, or None for a person."""
    username = staff.get_username()
    return username.removeprefix(START) if username.startswith(START) else None


def only_people(staff: QuerySet[Staff]) -> QuerySet[Staff]:
    """Leave out whoever stands for a key."""
    return staff.exclude(username__startswith=START)
