"""What the exported tables say of each other, and what they keep to themselves."""

import json
from datetime import timedelta

import pytest

from analytics.exports.catalogue import EXPORTS
from analytics.tests import everything
from campaigns.models import Campaign, Rule
from members import people
from rewards.models import Adjustment, Entitlement, Gift, Level, Redemption, Standing
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop
from tests.programs import program_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/exports"

# The table that has the row which a column names, by its id or its code.
REFERS = {
    "members.merged_into_id": "members.id",
    "members.level": "levels.code",
    "events.member_id": "members.id",
    "events.cause_id": "events.id",
    "orders.member_id": "members.id",
    "orders.event_id": "events.id",
    "referrals.inviter_id": "members.id",
    "referrals.invitee_id": "members.id",
    "referrals.click_id": "clicks.click_id",
    "referrals.event_id": "events.id",
    "rewards.member_id": "members.id",
    "rewards.campaign_id": "campaigns.id",
    "rewards.rule_id": "rules.id",
    "rewards.event_id": "events.id",
    "rewards.referral_id": "referrals.id",
    "rewards.order_id": "orders.order_id",
    "rewards.asset": "assets.code",
    "postings.asset": "assets.code",
    "postings.source_member_id": "members.id",
    "postings.target_member_id": "members.id",
    "postings.reward_id": "rewards.id",
    "postings.redemption_id": "redemptions.id",
    "postings.reverses_id": "postings.id",
    "entitlements.gift": "gifts.code",
    "entitlements.member_id": "members.id",
    "entitlements.reward_id": "rewards.id",
    "entitlements.redemption_id": "redemptions.id",
    "cases.campaign_id": "campaigns.id",
    "clicks.member_id": "members.id",
    "clicks.campaign_id": "campaigns.id",
    "redemptions.member_id": "members.id",
    "redemptions.asset": "assets.code",
    "redemptions.gift": "gifts.code",
    "adjustments.member_id": "members.id",
    "adjustments.asset": "assets.code",
    "rules.campaign_id": "campaigns.id",
    "gifts.asset": "assets.code",
}
# What your programs call something, whether we were told of it or not.
YOURS = ("external_id", "order_id", "click_id")


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def warehouse(acme):
    return program_of(acme, "exports:read")


def text_of(answer):
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()


def rows_of(warehouse, what, **asked):
    return [json.loads(line) for line in text_of(warehouse.get(f"{ADDRESS}/{what}", **asked)).splitlines()]


def only(rows, **wanted):
    (row,) = (each for each in rows if wanted.items() <= each.items())
    return row


# What refers to what


def test_of_every_column_that_names_a_row_it_is_known_where_that_is():
    named = {
        f"{what}.{column.name}"
        for what, export in EXPORTS.items()
        for column in export.columns
        if column.name.endswith("_id") and not column.name.endswith(YOURS)
    }

    assert named - set(REFERS) == set()


def test_whatever_a_row_names_by_a_number_or_a_code_is_exported(warehouse, shop):
    everything.happens(shop)
    rows = {what: rows_of(warehouse, what) for what in EXPORTS}

    def values(place):
        what, _, column = place.partition(".")
        return {row[column] for row in rows[what]} - {None}

    assert {place for place, target in REFERS.items() if values(place) - values(target)} == set()
    assert {place for place in REFERS if not values(place)} == {
        "members.merged_into_id",
        "postings.reverses_id",
        "entitlements.reward_id",
        "clicks.campaign_id",
    }


# What is spent, and changed by hand


def test_what_is_spent_is_one_table_with_its_purpose(warehouse, shop):
    everything.happens(shop)

    rows = rows_of(warehouse, "redemptions")
    postings = rows_of(warehouse, "postings")

    told = {each["purpose"]: (each["asset"], each["amount"], each["captured"], each["status"]) for each in rows}
    assert told == {
        "purchase": ("points", 100, 100, "captured"),
        "order": ("points", 30, 0, "reserved"),
        "payout": ("cash", 1_000, 0, "reserved"),
    }
    assert {each["external_id"] for each in rows} == {"anna"}
    assert [(each["gift"], each["order_id"]) for each in rows] == [("mug", ""), (None, "A-2"), (None, "")]
    assert {each["redemption_id"]: each["amount"] for each in postings if each["redemption_id"]} == {
        each["id"]: each["amount"] for each in rows
    }


def test_a_change_by_hand_is_told_with_who_asked_for_it(warehouse, shop):
    everything.happens(shop)

    (row,) = rows_of(warehouse, "adjustments")

    made = Adjustment.objects.get()
    assert (row["id"], row["key"], row["member_id"], row["external_id"]) == (made.pk, "sorry", made.member_id, "anna")
    assert (row["asset"], row["amount"], row["reason"], row["status"]) == ("points", 500, "We are sorry.", "posted")
    assert (row["asked_by"], row["decided_by"], row["decided_at"]) == ("marta", "", "2026-03-17T12:00:00Z")
    assert only(rows_of(warehouse, "postings"), key=f"adjustment:{made.pk}")["amount"] == 500


def test_whoever_is_erased_is_a_number_in_what_they_spent(acme, warehouse, shop):
    everything.happens(shop)
    anna = people.get_by_external_id("anna")
    assert program_of(acme, "members:write").delete("/api/v1/members/anna").status_code == 204

    told = {what: rows_of(warehouse, what) for what in ("redemptions", "adjustments")}

    assert {what: len(rows) for what, rows in told.items()} == {"redemptions": 3, "adjustments": 1}
    assert {(each["member_id"], each["external_id"]) for rows in told.values() for each in rows} == {(anna.pk, None)}


# What is offered


def test_campaigns_and_their_rules_are_told_as_they_are_now(warehouse, shop):
    everything.happens(shop)
    campaign = Campaign.objects.get(name="Bring a friend")
    Campaign.objects.filter(pk=campaign.pk).update(status="paused", ends_at=NOON + timedelta(days=30))

    row = only(rows_of(warehouse, "campaigns"), name="Bring a friend")
    rule = only(rows_of(warehouse, "rules"), campaign_id=row["id"])

    assert (row["id"], row["status"], row["is_builtin"]) == (campaign.pk, "paused", False)
    assert row["ends_at"] == "2026-04-16T12:00:00Z"
    assert rule["id"] == Rule.objects.get(campaign=campaign).pk
    assert (rule["trigger"], rule["recipient"], rule["is_active"]) == ("order.paid", "both", True)
    assert rule["gives"] == [
        {"kind": "points", "what": "", "amount": 100},
        {"kind": "points", "what": "", "amount": 5},
    ]
    Rule.objects.filter(pk=rule["id"]).update(amount_kind="percent", amount_points=None, rate_bps=250)
    (percent,) = rows_of(warehouse, "rules")
    assert (percent["amount_kind"], percent["rate_bps"], percent["gives"][0]["amount"]) == ("percent", 250, 0)


def test_gifts_are_told_without_what_only_their_owners_see(warehouse, shop):
    code = everything.happens(shop)
    sealed = [*Entitlement.objects.exclude(code="").values_list("code", flat=True)]

    told = {what: text_of(warehouse.get(f"{ADDRESS}/{what}")) for what in EXPORTS}
    mug = only(rows_of(warehouse, "gifts"), code="mug")

    assert (mug["name"], mug["asset"], mug["price"], mug["stock"]) == ("Mug", "points", 100, None)
    assert len(rows_of(warehouse, "gifts")) == Gift.objects.count() == 4
    assert len(sealed) == 1
    hidden = (code, everything.HIDDEN, Gift.objects.get(code="tenth").terms["pattern"], *sealed)
    assert [(what, each) for what, text in told.items() for each in hidden if each in text] == []


def test_members_say_on_which_level_they_stand_and_since_when(warehouse, shop):
    everything.happens(shop)

    told = {each["external_id"]: (each["level"], each["level_since"]) for each in rows_of(warehouse, "members")}
    gold = only(rows_of(warehouse, "levels"), code="gold")

    assert told["anna"] == ("gold", "2026-03-17T12:00:00Z")
    assert [name for name, (level, since) in told.items() if level or since] == ["anna"]
    assert (gold["threshold"], gold["multiplier_bps"], gold["privileges"]) == (1, 10_000, ["vip"])
    assert gold["id"] == Level.objects.get().pk
    Standing.objects.all().delete()
    assert {each["level"] for each in rows_of(warehouse, "members")} == {None}


# Windows and cursors


@pytest.mark.parametrize("window", ["since", "until"])
def test_what_does_not_say_when_is_asked_for_without_a_window(warehouse, shop, window):
    timeless = {what for what, export in EXPORTS.items() if not export.at}

    told = {each["name"]: each["at"] for each in warehouse.get(ADDRESS).json()["data"]}
    answers = {what: warehouse.get(f"{ADDRESS}/{what}", **{window: NOON.isoformat()}) for what in EXPORTS}

    assert timeless == {"rules", "gifts", "levels", "assets"} == {what for what, at in told.items() if at is None}
    assert {what for what, each in answers.items() if each.status_code == 400} == timeless
    assert [each["parameter"] for each in answers["rules"].json()["errors"]] == [window]
    assert not AuditEntry.objects.filter(target="export:rules").exists()


def test_what_was_settled_since_is_not_sent_again_but_what_was_set_aside_is_sent_once(warehouse, shop):
    everything.happens(shop)
    answer = warehouse.get(f"{ADDRESS}/redemptions", limit=2)
    resume = answer.headers["X-Resume-Cursor"]
    first = Redemption.objects.earliest("pk")
    Redemption.objects.filter(pk=first.pk).update(status="returned", settled_at=NOON)

    (row,) = rows_of(warehouse, "redemptions", cursor=resume)

    assert row["id"] == Redemption.objects.latest("pk").pk
    assert only(rows_of(warehouse, "redemptions", since=NOON.isoformat()), id=first.pk)["status"] == "returned"


@pytest.mark.parametrize("what", ["redemptions", "adjustments"])
def test_who_may_not_export_is_told_nothing_of_what_was_spent(acme, shop, what):
    everything.happens(shop)

    answer = program_of(acme, "rewards:read", "payouts:write", "members:read").get(f"{ADDRESS}/{what}")

    assert (answer.status_code, answer.json()["required_scope"]) == (403, "exports:read")
