"""A stage for tests of referrals: people with codes, who click and join."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from core.db import transaction
from events.models import Event
from members.models import Identity, Member
from referrals import attribution, codes
from referrals.attribution import NewReferral
from referrals.models import Click, Code, Referral

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)


class Stage:
    """What a referral refers to."""

    def __init__(self) -> None:
        self.numbers = count(1)

    def member(self, name: str) -> Member:
        member = Member.objects.create(first_seen_at=NOON)
        Identity.objects.create(
            member=member, kind="external_id", lookup=name, value=name, resolves=True, added_at=NOON
        )
        return member

    def code_of(self, member: Member) -> Code:
        return Code.objects.get(text=codes.code_of(member_id=member.pk, at=NOON))

    def event(self) -> Event:
        return Event.objects.create(
            source="api",
            key=f"event-{next(self.numbers)}",
            kind="member.joined",
            fingerprint="",
            occurred_at=NOON,
            received_at=NOON,
            status="handled",
        )

    def click(self, inviter: Member, *, visitor: str = "v", at: datetime = NOON, **columns: Any) -> Click:
        key = f"click-{next(self.numbers)}"
        return Click.objects.create(key=key, code=self.code_of(inviter), visitor=visitor, at=at, **columns)

    def new(self, inviter: Member, invitee: Member, **columns: Any) -> NewReferral:
        usual = {
            "inviter_id": inviter.pk,
            "invitee_id": invitee.pk,
            "code_id": self.code_of(inviter).pk,
            "event_id": self.event().pk,
            "attributed_at": NOON,
        }
        return NewReferral(**{**usual, **columns})

    @transaction
    def brings(self, inviter: Member, invitee: Member, *, qualified_at: datetime | None = None) -> Referral:
        qualified = {invitee.pk: qualified_at} if qualified_at else {}
        attribution.write(new=[self.new(inviter, invitee)], qualified=qualified)
        return Referral.objects.get(invitee=invitee)
