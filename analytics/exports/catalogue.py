"""What can be exported: the columns of each table, and what they mean."""

from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core.errors import NotFound


class UnknownExport(NotFound):
    """Nothing of this name can be exported."""

    message = _("Nothing of this name can be exported. GET /api/v1/exports lists what can.")


class Column(NamedTuple):
    """One column: its name, what stands in it, and the SQL of it. `is_json` is a text that holds JSON."""

    name: str
    meaning: str
    sql: str
    is_json: bool = False


class Export(NamedTuple):
    """
    One table, which its SQL calls `t`: what it has, with what it is joined to, and when each row happened.

    `secret` names columns that take more than the right to export.
    """

    name: str
    meaning: str
    table: str
    joins: str
    at: str
    columns: tuple[Column, ...]
    secret: frozenset[str] = frozenset()

    def shown(self, *, with_secret: bool) -> tuple[Column, ...]:
        """Return the columns, or those of them that anybody who may export is given."""
        return tuple(each for each in self.columns if with_secret or each.name not in self.secret)


def find(name: str) -> Export:
    """
    Return an export by its name.

    :raises UnknownExport:
    """
    if name not in EXPORTS:
        raise UnknownExport
    return EXPORTS[name]


def _own_id(member: str, alias: str) -> str:
    """Return a join that finds the tenant's own id of a member, or of whom they were merged into."""
    return f"""
    LEFT JOIN members_member {alias}_row ON {alias}_row.id = {member}
    LEFT JOIN members_identity {alias} ON {alias}.member_id = coalesce({alias}_row.merged_into_id, {alias}_row.id)
        AND {alias}.kind = 'external_id' AND {alias}.resolves AND NOT {alias}.is_former"""


def _plain(*names: str, **meanings: str) -> tuple[Column, ...]:
    """Return columns of the table itself, by their names, with what they mean where the name does not say it."""
    return tuple(Column(name, meanings.get(name, ""), f"t.{name}") for name in (*names, *meanings))


ID: Final = Column("id", "Rows come in this order.", "t.id")
MEMBER: Final = (
    Column("member_id", "Our number of the member.", "t.member_id"),
    Column("external_id", "Your own id of the member.", "own.lookup"),
)
KNOWN_BY = """(
        SELECT jsonb_agg(jsonb_build_object('kind', known.kind, 'value', known.value) ORDER BY known.id)
        FROM members_identity known
        WHERE known.member_id = t.id AND known.kind IN ('telegram', 'email', 'phone') AND known.value <> '')"""

MEMBERS: Final = Export(
    name="members",
    meaning="Everybody you ever told us of. Whoever was erased is a number.",
    table="members_member",
    joins=_own_id("t.id", "own"),
    at="first_seen_at",
    columns=(
        ID,
        Column("external_id", "Your own id.", "own.lookup"),
        *_plain("status", merged_into_id="Who they turned out to be.", first_seen_at="When you first told us of them."),
        *_plain(joined_at="When they signed up."),
        Column(
            "identities",
            "What else they are known by: [{kind, value}] of telegram, email, phone. Only with the scope members:read.",
            KNOWN_BY,
            is_json=True,
        ),
    ),
    secret=frozenset({"identities"}),
)
EVENTS: Final = Export(
    name="events",
    meaning="What happened: all that you reported, and the facts that we recorded.",
    table="events_event",
    joins=_own_id("t.member_id", "own"),
    at="received_at",
    columns=(
        ID,
        *_plain("key", "kind", source="api: you reported it. sarafan: we recorded it."),
        *MEMBER,
        *_plain("occurred_at", "received_at", "status", error="Why it could not be handled."),
        *_plain("handled_at", cause_id="The event that it follows from.", is_history="Loaded later."),
        Column("data", "As it was reported.", "t.data", is_json=True),
    ),
)
ORDERS: Final = Export(
    name="orders",
    meaning="What your shop's orders came to.",
    table="events_order",
    joins=_own_id("t.member_id", "own"),
    at="paid_at",
    columns=(
        ID,
        Column("order_id", "Your order_id.", "t.number"),
        *MEMBER,
        *_plain(event_id="The order.paid event.", amount_minor="In minor units of the currency."),
        *_plain("currency", refunded_minor="What was given back so far.", paid_at="", cancelled_at=""),
    ),
)
REFERRALS: Final = Export(
    name="referrals",
    meaning="Who brought whom.",
    table="referrals_referral",
    joins="JOIN referrals_code code ON code.id = t.code_id "
    "LEFT JOIN referrals_click click ON click.id = t.click_id"
    + _own_id("t.inviter_id", "inviter")
    + _own_id("t.invitee_id", "invitee"),
    at="attributed_at",
    columns=(
        ID,
        *_plain(inviter_id="Our number of the inviter."),
        Column("inviter_external_id", "Your own id of the inviter.", "inviter.lookup"),
        *_plain(invitee_id="Our number of the friend."),
        Column("invitee_external_id", "Your own id of the friend.", "invitee.lookup"),
        Column("code", "The code that was used.", "code.text"),
        Column("click_id", "The click_id of the link that was followed.", "click.key"),
        *_plain("channel"),
        Column("utm", "", "t.utm", is_json=True),
        *_plain(event_id="The event that it was told by.", attributed_at="When the friend joined."),
        *_plain(qualified_at="When the friend first earned the inviter a reward."),
    ),
)
REWARDS: Final = Export(
    name="rewards",
    meaning="What was ever owed, with its state now.",
    table="rewards_reward",
    joins="LEFT JOIN rewards_asset asset ON asset.id = t.asset_id "
    "LEFT JOIN events_order o ON o.id = t.order_id" + _own_id("t.member_id", "own"),
    at="created_at",
    columns=(
        ID,
        *MEMBER,
        *_plain("campaign_id", "rule_id", event_id="The event that earned it.", referral_id="The referral it is for."),
        Column("order_id", "Your order_id.", "o.number"),
        *_plain("side", "occurrence", "part", "kind", what="The gift's code, of what is not counted."),
        Column("asset", "Empty for what is not counted.", "asset.code"),
        *_plain(due="What the rule gives.", given="What limits and budget left of it."),
        Column("taken_back", "What refunds took back of it.", "t.reversed"),
        *_plain("lost", "lost_why", cost_minor="What it costs you, in minor units of your currency."),
        *_plain("status", "occurred_at", "matures_at", "awaits", "awaits_until", "created_at", "granted_at"),
    ),
)
POSTINGS: Final = Export(
    name="postings",
    meaning="The ledger: every move of units. Nothing in it ever changes.",
    table="rewards_posting",
    joins="JOIN rewards_account source ON source.id = t.source_id "
    "JOIN rewards_account target ON target.id = t.target_id JOIN rewards_asset asset ON asset.id = source.asset_id"
    + _own_id("source.member_id", "giver")
    + _own_id("target.member_id", "taker"),
    at="at",
    columns=(
        ID,
        *_plain("key", "at"),
        Column("asset", "", "asset.code"),
        *_plain("amount", "reason"),
        Column("source", "The kind of the account that it left.", "source.kind"),
        Column("source_member_id", "Whose that is.", "source.member_id"),
        Column("source_external_id", "Whose that is, by your own id.", "giver.lookup"),
        Column("target", "The kind of the account that it came to.", "target.kind"),
        Column("target_member_id", "Whose that is.", "target.member_id"),
        Column("target_external_id", "Whose that is, by your own id.", "taker.lookup"),
        *_plain("reward_id", "redemption_id", note="Why, where somebody did it by hand."),
        *_plain(reverses_id="The posting that it takes back."),
    ),
)
ENTITLEMENTS: Final = Export(
    name="entitlements",
    meaning="Certificates, codes, privileges, products: without their codes.",
    table="rewards_entitlement",
    joins="JOIN rewards_gift gift ON gift.id = t.gift_id "
    "LEFT JOIN rewards_provider provider ON provider.id = t.provider_id" + _own_id("t.member_id", "own"),
    at="created_at",
    columns=(
        ID,
        *_plain("kind"),
        Column("gift", "The gift's code.", "gift.code"),
        *MEMBER,
        *_plain("reward_id", redemption_id="The purchase.", value_minor="Of a certificate, in minor units."),
        *_plain("currency", "status", "valid_from", valid_until="The first instant when it is not."),
        Column("provider", "Where it was bought.", "provider.code"),
        *_plain("created_at", "issued_at", shown_at="When its member first saw it.", used_at=""),
        *_plain("used_for", "ended_at", "ended_why"),
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
        *_plain("status", "campaign_id", "opened_at", "due_at", "escalated_at"),
        Column("assigned_to", "A user name.", "assigned.username"),
        *_plain("decided_at"),
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
    joins="JOIN referrals_code code ON code.id = t.code_id" + _own_id("code.member_id", "own"),
    at="at",
    columns=(
        ID,
        Column("click_id", "What the landing page was given.", "t.key"),
        Column("code", "", "code.text"),
        Column("member_id", "Whose link it was.", "code.member_id"),
        Column("external_id", "Whose link it was, by your own id.", "own.lookup"),
        *_plain("campaign_id", "channel"),
        Column("utm", "", "t.utm", is_json=True),
        *_plain("at"),
    ),
)

EXPORTS: Final[dict[str, Export]] = {
    each.name: each for each in (MEMBERS, EVENTS, ORDERS, REFERRALS, REWARDS, POSTINGS, ENTITLEMENTS, CASES, CLICKS)
}
