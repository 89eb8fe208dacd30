"""What each role of a tenant's staff may do. The groups in every schema are made to agree with this."""

from datetime import datetime
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _

from core.db import in_transaction
from tenants.staff.models import Staff

ADMIN: Final = "admin"
MARKETER: Final = "marketer"
MODERATOR: Final = "moderator"
ANALYST: Final = "analyst"
NAMES: Final = (ADMIN, MARKETER, MODERATOR, ANALYST)
LABELS: Final = {ADMIN: _("Admin"), MARKETER: _("Marketer"), MODERATOR: _("Moderator"), ANALYST: _("Analyst")}

# App label → the words of model permissions. `*` stands for every model of the app.
VIEW: Final = ("view",)
WRITE: Final = ("view", "add", "change", "delete")

# What everybody of the staff sees. Staff and the audit log are the admin's.
BUSINESS: Final = ("members", "events", "campaigns", "referrals", "rewards", "antifraud")
READING: Final = tuple((app, "*", VIEW) for app in BUSINESS)

# Role → (app label, model or `*`, actions). Custom permissions are named whole, in CUSTOM.
MODELS: Final[dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]]] = {
    ADMIN: (
        *((app, "*", WRITE) for app in BUSINESS),
        ("staff", "staff", WRITE),
        ("staff", "auditentry", VIEW),
        ("integrations", "endpoint", WRITE),
        ("integrations", "delivery", VIEW),
    ),
    MARKETER: (
        *READING,
        ("campaigns", "*", WRITE),
        ("referrals", "attributionpolicy", ("view", "change")),
        # Who uploads codes need not be able to read them.
        ("rewards", "stockcode", ("view", "add")),
        ("antifraud", "stoprule", WRITE),
        # Asking and confirming; of two people, whoever asked does not confirm.
        ("rewards", "adjustment", ("view", "add", "change")),
        # Issuing by hand, and cancelling.
        ("rewards", "reward", ("view", "add")),
        ("rewards", "entitlement", ("view", "change")),
        ("rewards", "asset", ("view", "add", "change")),
        ("rewards", "gift", WRITE),
        ("rewards", "level", WRITE),
        ("rewards", "redemption", ("view", "change")),
        ("rewards", "standing", ("view", "add", "change")),
        ("rewards", "rewardpolicy", ("view", "change")),
    ),
    MODERATOR: READING,
    ANALYST: READING,
}
CUSTOM: Final[dict[str, tuple[str, ...]]] = {
    ADMIN: ("antifraud.decide_case", "staff.manage_keys"),
    MODERATOR: ("antifraud.decide_case",),
}


def sync_roles() -> None:
    """Make the groups of the current schema agree with this module. What agrees already is not written."""
    permissions = list(Permission.objects.select_related("content_type"))
    groups = {group.name: group for group in Group.objects.prefetch_related("permissions")}
    for role in NAMES:
        group = groups.get(role) or Group.objects.create(name=role)
        wanted = {permission for permission in permissions if _grants(role, permission)}
        if wanted != set(group.permissions.all()):
            group.permissions.set(wanted)


@in_transaction
def add_staff(*, username: str, password_hash: str, role: str, at: datetime, email: str = "") -> Staff:
    """Add somebody with a role to the current tenant's staff. Nobody is a superuser: the role says what one may do."""
    staff = Staff.objects.create(username=username, password=password_hash, email=email, is_staff=True, date_joined=at)
    assign(staff=staff, role=role)
    return staff


def assign(*, staff: Staff, role: str) -> None:
    """Give somebody a role, in place of the one they had."""
    staff.groups.set([Group.objects.get(name=role)])


def find(*, staff: Staff) -> str | None:
    """Return somebody's role, or None for a superuser who has none."""
    if staff._state.adding:
        return None
    # Filtered here, so that a page of people can bring their groups along in one query.
    return next((group.name for group in staff.groups.all() if group.name in NAMES), None)


def _grants(role: str, permission: Permission) -> bool:
    kind = permission.content_type
    if f"{kind.app_label}.{permission.codename}" in CUSTOM.get(role, ()):
        return True
    return any(
        kind.app_label == app
        and model in {"*", kind.model}
        and permission.codename in {f"{action}_{kind.model}" for action in actions}
        for app, model, actions in MODELS[role]
    )
