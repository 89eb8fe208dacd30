"""What can be exported: who there is and what happened, and all the other tables."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from analytics.exports import offers, owed
from analytics.exports.tables import ID, MEMBER, Column, Export, own_id, plain
from core.errors import NotFound


class UnknownExport(NotFound):
    """Nothing of this name can be exported."""

    message = _("Nothing of this name can be exported. GET /api/v1/exports lists what can.")


def find(name: str) -> Export:
    """
    Return an export by its name.

    :raises UnknownExport:
    """
    if name not in EXPORTS:
        raise UnknownExport
    return EXPORTS[name]


KNOWN_BY = """(
        SELECT jsonb_agg(jsonb_build_object('kind', known.kind, 'value', known.value) ORDER BY known.id)
        FROM members_identity known
        WHERE known.member_id = t.id AND known.kind IN ('telegram', 'email', 'phone') AND known.value <> '')"""

MEMBERS: Final = Export(
    name="members",
    meaning="Everybody you ever told us of. Whoever was erased is a number.",
    table="members_member",
    joins=own_id("t.id", "own")
    + """
    LEFT JOIN rewards_standing standing ON standing.member_id = t.id
    LEFT JOIN rewards_level level ON level.id = standing.level_id""",
    at="first_seen_at",
    columns=(
        ID,
        Column("external_id", "Your own id.", "own.lookup"),
        *plain("status", merged_into_id="Who they turned out to be.", first_seen_at="When you first told us of them."),
        *plain(joined_at="When they signed up."),
        Column(
            "identities",
            "What else they are known by: [{kind, value}] of telegram, email, phone. Only with the scope members:read.",
            KNOWN_BY,
            is_json=True,
        ),
        # No table of its own: a standing has no id, and is written over, given to another and deleted.
        Column("level", "The code of the level that they stand on.", "level.code"),
        Column("level_since", "Since when they do.", "standing.since"),
    ),
    secret=frozenset({"identities"}),
)
# Senders put into it what they like, which may be about people.
DATA = """(
        SELECT t.data WHERE NOT EXISTS (
            SELECT FROM members_member who
            WHERE who.id = coalesce(own_row.merged_into_id, own_row.id) AND who.status = 'erased'))"""
EVENTS: Final = Export(
    name="events",
    meaning="What happened: all that you reported, and the facts that we recorded.",
    table="events_event",
    joins=own_id("t.member_id", "own"),
    at="received_at",
    columns=(
        ID,
        *plain("key", "kind", source="api: you reported it. sarafan: we recorded it."),
        *MEMBER,
        *plain("occurred_at", "received_at", "status", error="Why it could not be handled."),
        *plain("handled_at", cause_id="The event that it follows from.", is_history="Loaded later."),
        Column(
            "data",
            "As it was reported. Only with the scope members:read; empty once the member is erased.",
            DATA,
            is_json=True,
        ),
    ),
    secret=frozenset({"data"}),
)
ORDERS: Final = Export(
    name="orders",
    meaning="What your shop's orders came to.",
    table="events_order",
    joins=own_id("t.member_id", "own"),
    at="paid_at",
    columns=(
        ID,
        Column("order_id", "Your order_id.", "t.number"),
        *MEMBER,
        *plain(event_id="The order.paid event.", amount_minor="In minor units of the currency."),
        *plain("currency", refunded_minor="What was given back so far.", paid_at="", cancelled_at=""),
    ),
)
REFERRALS: Final = Export(
    name="referrals",
    meaning="Who brought whom.",
    table="referrals_referral",
    joins="JOIN referrals_code code ON code.id = t.code_id "
    "LEFT JOIN referrals_click click ON click.id = t.click_id"
    + own_id("t.inviter_id", "inviter")
    + own_id("t.invitee_id", "invitee"),
    at="attributed_at",
    columns=(
        ID,
        *plain(inviter_id="Our number of the inviter."),
        Column("inviter_external_id", "Your own id of the inviter.", "inviter.lookup"),
        *plain(invitee_id="Our number of the friend."),
        Column("invitee_external_id", "Your own id of the friend.", "invitee.lookup"),
        Column("code", "The code that was used.", "code.text"),
        Column("click_id", "The click_id of the link that was followed.", "click.key"),
        *plain("channel"),
        Column("utm", "", "t.utm", is_json=True),
        *plain(event_id="The event that it was told by.", attributed_at="When the friend joined."),
        *plain(qualified_at="When the friend first earned the inviter a reward."),
    ),
)
CASES: Final = Export(
    name="cases",
    meaning="What waited for a moderator, and what was decided.",
    table="antifraud_case",
    joins="LEFT JOIN staff_staff assigned ON assigned.id = t.assigned_to_id "
    "LEFT JOIN staff_staff decided ON decided.id = t.decided_by_id",
    at="opened_at",
    columns=(
        ID,
        *plain("status", "campaign_id", "opened_at", "due_at", "escalated_at"),
        Column("assigned_to", "A user name.", "assigned.username"),
        *plain("decided_at"),
        Column("decided_by", "A user name, or API key and what it is called.", "decided.username"),
        Column(
            "rewards",
            "The rewards it is about, by their numbers.",
            "(SELECT jsonb_agg(held.reward_id ORDER BY held.reward_id) "
            "FROM antifraud_casereward held WHERE held.case_id = t.id)",
            is_json=True,
        ),
    ),
)
CLICKS: Final = Export(
    name="clicks",
    meaning="Visits of members' links.",
    table="referrals_click",
    joins="JOIN referrals_code code ON code.id = t.code_id" + own_id("code.member_id", "own"),
    at="at",
    columns=(
        ID,
        Column("click_id", "What the landing page was given.", "t.key"),
        Column("code", "", "code.text"),
        Column("member_id", "Whose link it was.", "code.member_id"),
        Column("external_id", "Whose link it was, by your own id.", "own.lookup"),
        *plain("campaign_id", "channel"),
        Column("utm", "", "t.utm", is_json=True),
        *plain("at"),
    ),
)

EXPORTS: Final[dict[str, Export]] = {
    each.name: each
    for each in (
        *(MEMBERS, EVENTS, ORDERS, REFERRALS),
        *(owed.REWARDS, owed.POSTINGS, owed.ENTITLEMENTS),
        *(CASES, CLICKS),
        *(owed.REDEMPTIONS, owed.ADJUSTMENTS),
        *(offers.CAMPAIGNS, offers.RULES, offers.GIFTS, offers.LEVELS, offers.ASSETS),
    )
}
