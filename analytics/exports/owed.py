"""What members are owed, have and have spent, table by table."""

from typing import Final

from analytics.exports.tables import ID, MEMBER, Column, Export, own_id, plain

REWARDS: Final = Export(
    name="rewards",
    meaning="What was ever owed, with its state now.",
    table="rewards_reward",
    joins="LEFT JOIN rewards_asset asset ON asset.id = t.asset_id "
    "LEFT JOIN events_order o ON o.id = t.order_id" + own_id("t.member_id", "own"),
    at="created_at",
    columns=(
        ID,
        *MEMBER,
        *plain("campaign_id", "rule_id", event_id="The event that earned it.", referral_id="The referral it is for."),
        Column("order_id", "Your order_id.", "o.number"),
        *plain("side", "occurrence", "part", "kind", what="The gift's code, of what is not counted."),
        Column("asset", "Empty for what is not counted.", "asset.code"),
        *plain(due="What the rule gives.", given="What limits and budget left of it."),
        Column("taken_back", "What refunds took back of it.", "t.reversed"),
        *plain("lost", "lost_why", cost_minor="What it costs you, in minor units of your currency."),
        *plain("status", "occurred_at", "matures_at", "awaits", "awaits_until", "created_at", "granted_at"),
    ),
)
POSTINGS: Final = Export(
    name="postings",
    meaning="The ledger: every move of units. Nothing in it ever changes.",
    table="rewards_posting",
    joins="JOIN rewards_account source ON source.id = t.source_id "
    "JOIN rewards_account target ON target.id = t.target_id JOIN rewards_asset asset ON asset.id = source.asset_id"
    + own_id("source.member_id", "giver")
    + own_id("target.member_id", "taker"),
    at="at",
    columns=(
        ID,
        *plain("key", "at"),
        Column("asset", "", "asset.code"),
        *plain("amount", "reason"),
        Column("source", "The kind of the account that it left.", "source.kind"),
        Column("source_member_id", "Whose that is.", "source.member_id"),
        Column("source_external_id", "Whose that is, by your own id.", "giver.lookup"),
        Column("target", "The kind of the account that it came to.", "target.kind"),
        Column("target_member_id", "Whose that is.", "target.member_id"),
        Column("target_external_id", "Whose that is, by your own id.", "taker.lookup"),
        *plain("reward_id", "redemption_id", note="Why, where somebody did it by hand."),
        *plain(reverses_id="The posting that it takes back."),
    ),
)
ENTITLEMENTS: Final = Export(
    name="entitlements",
    meaning="Certificates, codes, privileges, products: without their codes.",
    table="rewards_entitlement",
    joins="JOIN rewards_gift gift ON gift.id = t.gift_id "
    "LEFT JOIN rewards_provider provider ON provider.id = t.provider_id" + own_id("t.member_id", "own"),
    at="created_at",
    columns=(
        ID,
        *plain("kind"),
        Column("gift", "The gift's code.", "gift.code"),
        *MEMBER,
        *plain("reward_id", redemption_id="The purchase.", value_minor="Of a certificate, in minor units."),
        *plain("currency", "status", "valid_from", valid_until="The first instant when it is not."),
        Column("provider", "Where it was bought.", "provider.code"),
        *plain("created_at", "issued_at", shown_at="When its member first saw it.", used_at=""),
        *plain("used_for", "ended_at", "ended_why"),
    ),
)
REDEMPTIONS: Final = Export(
    name="redemptions",
    meaning="What members spent on orders and gifts, or were paid out, or set aside for it.",
    table="rewards_redemption",
    joins="JOIN rewards_asset asset ON asset.id = t.asset_id "
    "LEFT JOIN rewards_gift gift ON gift.id = t.gift_id" + own_id("t.member_id", "own"),
    at="created_at",
    columns=(
        ID,
        *plain("key", purpose="order, purchase or payout."),
        *MEMBER,
        Column("asset", "", "asset.code"),
        *plain(amount="What was set aside, in smallest units.", captured="What of it was spent.", status=""),
        Column("gift", "Of a purchase: the gift's code.", "gift.code"),
        Column("order_id", "Your order_id, if you said it.", "t.order_number"),
        *plain(reference="Of a payout: of the payment.", note="Why it was given back, where somebody said it."),
        *plain("created_at", expires_at="Until when it is set aside.", settled_at="When it was no longer."),
    ),
)
ADJUSTMENTS: Final = Export(
    name="adjustments",
    meaning="What was given or taken by hand, with its state now. Its posting has the key adjustment:<id>.",
    table="rewards_adjustment",
    joins="JOIN rewards_asset asset ON asset.id = t.asset_id" + own_id("t.member_id", "own"),
    at="asked_at",
    columns=(
        ID,
        *plain("key"),
        *MEMBER,
        Column("asset", "", "asset.code"),
        *plain(amount="In smallest units. Below zero: taken.", reason="The member reads it.", status=""),
        *plain("asked_at", asked_by="A user name, or what an API key is called."),
        *plain("decided_at", decided_by="The second person. Empty where none was needed."),
    ),
)
