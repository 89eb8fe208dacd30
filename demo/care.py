"""How careful the record shop is: its lists, the stricter policy that it tries out, and what its moderator decided."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from antifraud.limits import overall
from antifraud.lists import bans, lines, listings
from antifraud.lists.lines import Line
from antifraud.lists.listings import Wish
from antifraud.models import Case, FraudPolicy
from antifraud.moderation import deciding
from campaigns.models import Limit
from core.db import in_transaction, transaction
from demo.cheats import BUSY_SIGNUPS, PATIENT_FRIEND, TABLETS_OF, TWINS_OF
from demo.history import name_of
from demo.webs import FARMER
from members import people
from members.models import Member
from tenants import context, roles
from tenants.staff.models import Staff

BY: Final = roles.MODERATOR
REASONS: Final = ("The friend has bought here before.", "Both orders went to the same address.")
DUE: Final = timedelta(hours=24)
LATE: Final = timedelta(hours=31)
# Stricter about telephones that several people sign up on; everything else as it is.
SHADOW: Final = {"flag_from": 40, "refuse_from": 150, "signals": {"many_accounts_device": {"weight": 60}}}


@in_transaction
def take(*, at: datetime) -> None:
    """Set it all up, as staff would by hand."""
    listings.put(wishes=_wishes(at), by=BY, at=at)
    FraudPolicy.objects.filter(singleton=True).update(
        reason_templates=list(REASONS), shadow=SHADOW, shadow_since=at - timedelta(days=30)
    )
    overall.save(limit=Limit(per="device", period="rolling", days=30, max_count=20))


def look_after(*, at: datetime) -> None:
    """
    Decide a part of the cases and block somebody, as the moderator would. Done again it does nothing more.

    Somebody's cases lie for longer than the policy allows: a history is told at once, so nothing would be late.
    """
    by = Staff.objects.get(username=BY)
    for name in (f"sim-busy-{BUSY_SIGNUPS - 3}", f"sim-busy-{BUSY_SIGNUPS - 2}"):
        for case in _waiting(name):
            transaction(deciding.approve)(case=case, by=by, note="A real fan: they brought their book club.", at=at)
    for name in (PATIENT_FRIEND, *(f"sim-twin-{number}" for number in TWINS_OF[:2])):
        for case in _waiting(name):
            transaction(deciding.reject)(case=case, by=by, note=REASONS[0], at=at)
    late = _waiting(f"sim-tablet-{TABLETS_OF[0]}")
    Case.objects.filter(pk__in=[case.pk for case in late]).update(opened_at=at - LATE, due_at=at - LATE + DUE)
    farmer = people.get_by_external_id(name_of(FARMER))
    if farmer.status == Member.Status.ACTIVE:
        with transaction():
            bans.ban(member=farmer, by=by, note="Six friends on one telephone", takes=bans.PENDING, at=at)


def _waiting(invitee: str) -> QuerySet[Case]:
    """Return the open cases about somebody's coming."""
    member = people.get_by_external_id(invitee)
    about = Case.objects.filter(case_rewards__reward__referral__invitee=member, status=Case.Status.OPEN)
    return about.order_by("pk").distinct()


def _wishes(at: datetime) -> list[Wish]:
    return [
        Wish(list="block", line=_line("email_domain", "throwaway.example"), answer="refuse", note="Seen in May"),
        Wish(list="block", line=_line("ip_range", "203.0.113.0/24"), answer="flag", note="A farm of telephones"),
        Wish(list="staff", line=_line("email", "clerk@records.example"), note=roles.MARKETER),
        Wish(
            list="exempt",
            line=_line("ip_range", "198.51.100.0/24"),
            until=at + timedelta(days=90),
            note="The office across the street: a company of eighty",
        ),
    ]


def _line(kind: str, text: str) -> Line:
    return lines.line_of(kind=kind, text=text, schema=context.current().schema_name, region=None)
