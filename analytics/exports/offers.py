"""What is offered and how it is counted, table by table: what other tables name by a number or a code."""

from typing import Final

from analytics.exports.tables import ID, Column, Export, plain

GIVES: Final = """jsonb_build_array(jsonb_build_object(
        'kind', t.reward_kind, 'what', t.reward_what, 'amount', coalesce(t.amount_points, 0)
    )) || t.extras"""

CAMPAIGNS: Final = Export(
    name="campaigns",
    meaning="What you offer or offered, as it is now.",
    table="campaigns_campaign",
    joins="",
    at="created_at",
    columns=(
        ID,
        *plain("name", "status", starts_at="Empty: when it is first activated.", ends_at="Empty: when you end it."),
        *plain(is_builtin="It keeps what was issued without a rule.", created_at=""),
    ),
)
RULES: Final = Export(
    name="rules",
    meaning="The lines of campaigns, as they are now.",
    table="campaigns_rule",
    joins="",
    at="",
    columns=(
        ID,
        *plain("campaign_id", "position", is_active="Whether it is in use."),
        *plain(trigger="The kind of event that it starts from.", recipient="actor, inviter, invitee or both."),
        *plain(order_number="Which order of a member counts.", match="Whether all conditions hold, or any."),
        Column("conditions", "[{field, operator, value}]", "t.conditions", is_json=True),
        Column("gives", "[{kind, what, amount}]: all at once; 0 of a percentage or a ladder.", GIVES, is_json=True),
        *plain("amount_kind", rate_bps="In hundredths of a percent.", hold_days="Days until it can be used."),
        *plain(awaits="Of a promise: the kind of event that makes it due.", awaits_days="How long the promise holds."),
    ),
)
GIFTS: Final = Export(
    name="gifts",
    meaning="What can be given besides units, and bought where it has a price: without codes, files and addresses.",
    table="rewards_gift",
    joins="LEFT JOIN rewards_asset asset ON asset.id = t.asset_id",
    at="",
    columns=(
        ID,
        *plain("code", "kind", "name", "description", is_active="Whether it is in use."),
        *plain(cost_minor="What one costs you, in minor units of your currency."),
        Column("asset", "What it is paid in.", "asset.code"),
        *plain(price="Empty: it is not in the catalogue."),
        Column("prices_by_level", "{level: price}", "t.prices", is_json=True),
        *plain(stock="Pieces left. Empty: not counted.", per_member="As many as one member may buy."),
        *plain("available_from"),
        Column("available_until", "The first instant when it is not.", "t.available_to"),
    ),
)
LEVELS: Final = Export(
    name="levels",
    meaning="The ladder that members climb, as it is now. Who stands where is told by members.",
    table="rewards_level",
    joins="",
    at="",
    columns=(
        ID,
        *plain("code", "name", threshold="From how much on, in what the ladder measures."),
        *plain(multiplier_bps="Of points earned: 12500 is ×1.25.", title="What to show beside a member's name."),
        Column("privileges", "Codes of gifts.", "t.privileges", is_json=True),
    ),
)
ASSETS: Final = Export(
    name="assets",
    meaning="What is counted in units: points, money, spins, tickets.",
    table="rewards_asset",
    joins="",
    at="",
    columns=(
        ID,
        *plain("code", "name", "kind", currency="Of money.", scale="Digits after the point, for people."),
        *plain(minor_per_unit="What one is worth, in minor units of your currency.", is_active="Whether it is in use."),
    ),
)
