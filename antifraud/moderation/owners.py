"""
Whose case it is: nobody of the staff decides about a reward of their own, or of a friend whom they invited.

Somebody of the staff is a member if the member has their e-mail address, or the one that is their user name; or if a
line of the list of own staff has their user name as its note and the member, or something that the member is known by,
as its value.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from antifraud.models import Case
from campaigns.models import CampaignVersion
from core import sealing
from core.db import fetch
from core.errors import Denied
from events.merging import selves
from members.models import Member
from members.normalise import InvalidIdentity, normalise_one
from tenants import context
from tenants.staff.models import Staff


class OwnCase(Denied):
    """Whoever decides is a party: one of the rewarded, or the other side of the referral."""

    message = _("This case is about yourself or a friend whom you invited. Somebody else has to decide it.")


def require_stranger(*, case: Case, by: Staff, at: datetime) -> None:
    """
    See to it that the case is not about whoever decides, superusers included.

    :raises OwnCase:
    """
    if own_of(cases=[case], by=by, at=at):
        raise OwnCase


def require_other(*, member: Member, by: Staff, at: datetime) -> None:
    """
    See to it that a member is not whoever acts on them, superusers included.

    :raises OwnCase:
    """
    if fetch(SELF, {"member_id": member.pk, **_known_by(by), "at": at}):
        raise OwnCase(_("This member is yourself. Somebody else has to do it."))


def own_of(*, cases: Iterable[Case], by: Staff, at: datetime) -> set[int]:
    """Return the ids of those cases to which somebody of the staff is a party, in one statement."""
    params = {"case_ids": [case.pk for case in cases], **_known_by(by), "at": at}
    return {row.case_id for row in fetch(OWN, params)}


def campaigns_of(*, cases: Sequence[Case], by: Staff) -> set[int]:
    """Return the ids of those campaigns of the cases of which somebody wrote a version. It forbids nothing."""
    campaign_ids = {case.campaign_id for case in cases}
    written = CampaignVersion.objects.filter(campaign__in=campaign_ids, author=by.get_username())
    return set(written.values_list("campaign_id", flat=True).distinct())


def _known_by(by: Staff) -> dict[str, object]:
    """Return what tells somebody of the staff among the members. Where there is no address it may be the user name."""
    username = by.get_username()
    return {"emails": [_index_of(by.email), _index_of(username)], "username": username}


def _index_of(email: str) -> str:
    """Return the blind index that the address has as an identity, or "" if it cannot be one: nobody's is empty."""
    try:
        found = normalise_one(kind="email", value=email, region=None)
    except InvalidIdentity:
        return ""
    return sealing.index(schema=context.current().schema_name, kind="email", lookup=found.lookup)


# Whether somebody of the staff is the member of a row `party`.
IS_SELF = """
EXISTS (
    SELECT FROM members_identity i
    WHERE i.member_id = party.member_id AND i.kind = 'email' AND i.lookup = ANY(%(emails)s::text[])
) OR EXISTS (
    SELECT FROM antifraud_listing l
    WHERE l.list = 'staff' AND lower(l.note) = lower(%(username)s) AND (l.until IS NULL OR l.until > %(at)s) AND (
        (l.kind = 'member' AND l.lookup = party.member_id::text) OR EXISTS (
            SELECT FROM members_identity i
            WHERE i.member_id = party.member_id AND i.kind = l.kind AND i.lookup = l.lookup
        )
    )
)
"""

OWN = f"""
WITH party AS (
    SELECT cr.case_id, coalesce(m.merged_into_id, m.id) AS member_id FROM antifraud_casereward cr
    JOIN rewards_reward r ON r.id = cr.reward_id
    CROSS JOIN LATERAL (
        SELECT r.member_id
        UNION ALL SELECT unnest(ARRAY[f.inviter_id, f.invitee_id]) FROM referrals_referral f WHERE f.id = r.referral_id
        -- Of what a friend earns alone, too: it is theirs whom somebody has invited.
        UNION ALL SELECT f.inviter_id FROM referrals_referral f WHERE f.invitee_id = ANY({selves("r.member_id")})
    ) side
    -- A referral names whoever was merged by the number they had: what they are known by is the other's now.
    JOIN members_member m ON m.id = side.member_id
    WHERE cr.case_id = ANY(%(case_ids)s::bigint[])
)
SELECT DISTINCT party.case_id FROM party
WHERE {IS_SELF}
"""  # noqa: S608 (constants only)

SELF = f"SELECT FROM (SELECT %(member_id)s::bigint AS member_id) party WHERE {IS_SELF}"
