"""What programs read of campaigns, and how they pause one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import lifecycle
from campaigns.models import Campaign, CampaignVersion, Limit
from tenants import audit, context
from tenants.models import Tenant
from tenants.staff.models import AuditEntry
from tests.cast import NOON, act, make_campaign
from tests.programs import program_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/campaigns"
BOTH_SIDES = {"recipient": "both", "conditions": [{"field": "amount_minor", "operator": "at_least", "value": 50_000}]}


@pytest.fixture
def reader(acme):
    return program_of(acme, "campaigns:read")


@pytest.fixture
def page(acme):
    """Give what stands in a page that everybody reads: a key that may read what is on offer."""
    return program_of(acme, "public:read")


@pytest.fixture
def writer(acme):
    return program_of(acme, "campaigns:write")


def in_english(tenant):
    # Not the row that all tests share.
    Tenant.objects.filter(pk=tenant.pk).update(language="en")
    context.forget()


def builtin():
    """Return what keeps what is issued by hand, as the first such reward makes it."""
    return Campaign.objects.create(name="Issued by hand", status="active", is_builtin=True)


@pytest.fixture
def campaign(acme) -> Campaign:
    in_english(acme)
    made = make_campaign(rule=BOTH_SIDES, budget_points=5000, landing_url="https://acme.example/friends")
    Limit.objects.create(campaign=made, per="inviter", period="month", max_count=10)
    return made


def test_a_campaign_tells_its_rules_in_words_and_for_programs(reader, campaign):
    found = reader.get(f"{ADDRESS}/{campaign.pk}").json()

    assert found["audience"] == "For members who invite friends and friends who were invited."
    assert found["sentences"][0] == found["rules"][0]["sentence"]
    assert found["sentences"][0] == (
        "The inviter and the friend get 100 points each when a friend pays a first order of RUB\xa0500 or more."
    )
    rule = found["rules"][0] | {"id": 1, "sentence": ""}
    assert rule == {
        "id": 1,
        "sentence": "",
        "trigger": "order.paid",
        "recipient": "both",
        "order_number": "first",
        "match": "all",
        "conditions": [{"field": "amount_minor", "operator": "at_least", "value": 50_000}],
        "gives": [{"kind": "points", "what": "", "amount": 100}],
        "amount_kind": "fixed",
        "rate_bps": None,
        "hold_days": 0,
        "awaits": "",
        "awaits_days": None,
    }
    assert (found["status"], found["landing_url"]) == ("active", "https://acme.example/friends")


def test_a_ladder_has_its_steps(reader, acme):
    made = make_campaign(rule={"amount_kind": "tiers", "amount_points": None}, tiers=[(1, 100), (3, 150)])

    found = reader.get(f"{ADDRESS}/{made.pk}").json()

    assert found["tiers"] == [{"from_count": 1, "amount": 100}, {"from_count": 3, "amount": 150}]


def test_limits_and_budget_are_told_to_whoever_may_read_campaigns(reader, campaign):
    found = reader.get(f"{ADDRESS}/{campaign.pk}").json()

    assert found["budget"] == {"points": 5000, "cost_minor": None, "given_points": 0, "when_short": "refuse"}
    assert found["limits"] == [
        {
            "sentence": "Each inviter brings at most 10 rewards a month, friends' rewards included.",
            "per": "inviter",
            "period": "month",
            "days": None,
            "max_count": 10,
            "max_points": None,
            "max_cost_minor": None,
        }
    ]


def test_a_public_key_is_told_neither_limits_nor_budget(page, campaign):
    (found,) = page.get(ADDRESS).json()["data"]

    assert (found["id"], found["limits"], found["budget"]) == (campaign.pk, None, None)
    assert [each for each in found["sentences"] if "10 rewards" in each or "5,000" in each] == []


def test_a_public_key_sees_only_what_is_on_offer_now(page, acme):
    now = timezone.now()
    on_offer = make_campaign(name="Now")
    make_campaign(name="Tomorrow", starts_at=now + timedelta(days=1))
    make_campaign(name="Yesterday", starts_at=NOON, ends_at=now - timedelta(days=1))
    paused = make_campaign(name="Paused")
    act(lifecycle.pause, paused, at=NOON)
    builtin()

    assert [each["id"] for each in page.get(ADDRESS).json()["data"]] == [on_offer.pk]
    answer = page.get(f"{ADDRESS}/{paused.pk}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_campaign")


def test_whoever_may_read_campaigns_sees_all_of_them_and_can_ask_for_a_status(reader, acme):
    first, second = make_campaign(name="One"), make_campaign(name="Two")
    act(lifecycle.pause, first, at=NOON)

    assert [each["name"] for each in reader.get(ADDRESS).json()["data"]] == ["Two", "One"]
    assert [each["id"] for each in reader.get(ADDRESS, status="paused").json()["data"]] == [first.pk]
    assert [each["id"] for each in reader.get(ADDRESS, status="active").json()["data"]] == [second.pk]
    assert reader.get(ADDRESS, status="sleeping").status_code == 400


def test_what_keeps_rewards_that_were_issued_by_hand_says_so(reader, acme):
    in_english(acme)

    found = reader.get(f"{ADDRESS}/{builtin().pk}").json()

    assert found["is_builtin"] is True
    assert found["sentences"] == ["It is built in: it keeps what was given by hand or by a program, without a rule."]


def test_a_list_takes_as_many_statements_for_one_campaign_as_for_five(reader, acme, django_assert_num_queries):
    make_campaign(name="First", budget_points=100)
    reader.get(ADDRESS)
    with django_assert_num_queries(6) as one:
        reader.get(ADDRESS)
    for number in range(4):
        make_campaign(name=f"Campaign {number}", tiers=[(1, 100)], rule={"amount_kind": "tiers"})

    with django_assert_num_queries(len(one)):
        assert len(reader.get(ADDRESS).json()["data"]) == 5


def test_another_tenant_finds_no_campaign_of_ours(bolt, campaign):
    stranger = program_of(bolt, "campaigns:read", "campaigns:write")

    assert stranger.get(ADDRESS).json()["data"] == []
    assert stranger.get(f"{ADDRESS}/{campaign.pk}").status_code == 404
    assert stranger.post({"reason": "x"}, f"{ADDRESS}/{campaign.pk}/pause").status_code == 404
    with context.in_tenant("t_acme"):
        campaign.refresh_from_db()
    assert campaign.status == "active"


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_reading_is_not_pausing(reader, page, campaign, verb):
    for program in (reader, page):
        assert program.post({"reason": "x"}, f"{ADDRESS}/{campaign.pk}/{verb}").status_code == 403
    campaign.refresh_from_db()
    assert campaign.status == "active"


# Pausing


def test_a_key_pauses_a_campaign_and_says_why(writer, campaign):
    answer = writer.post({"reason": "Out of stock"}, f"{ADDRESS}/{campaign.pk}/pause")

    assert (answer.status_code, answer.json()["status"]) == (200, "paused")
    entry = AuditEntry.objects.get(action="campaign.pause")
    assert (entry.actor_kind, entry.target) == ("key", f"campaign:{campaign.pk} Bring a friend")
    assert entry.changes == {"reason": "Out of stock", "version": 2}
    assert CampaignVersion.objects.get(campaign=campaign, number=2).author == entry.actor
    assert audit.verify() == []


def test_pausing_again_changes_nothing(writer, campaign):
    for _time in range(3):
        assert writer.post({"reason": "x"}, f"{ADDRESS}/{campaign.pk}/pause").json()["status"] == "paused"

    assert CampaignVersion.objects.filter(campaign=campaign).count() == 2
    assert AuditEntry.objects.filter(action="campaign.pause").count() == 1


def test_a_pause_wants_a_reason(writer, campaign):
    answer = writer.post({}, f"{ADDRESS}/{campaign.pk}/pause")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/reason")
    campaign.refresh_from_db()
    assert campaign.status == "active"


def test_a_paused_campaign_goes_on(writer, campaign):
    act(lifecycle.pause, campaign, at=NOON)

    for _time in range(2):
        answer = writer.post({}, f"{ADDRESS}/{campaign.pk}/resume")
        assert (answer.status_code, answer.json()["status"]) == (200, "active")

    assert CampaignVersion.objects.filter(campaign=campaign).count() == 3
    assert AuditEntry.objects.filter(action="campaign.resume", actor_kind="key").count() == 1


def test_what_a_stop_rule_has_stopped_no_key_resumes(writer, campaign):
    act(lifecycle.stop, campaign, at=NOON)

    for verb in ("resume", "pause"):
        answer = writer.post({"reason": "x"}, f"{ADDRESS}/{campaign.pk}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (409, "move_not_allowed")

    campaign.refresh_from_db()
    assert campaign.status == "stopped"
    assert not AuditEntry.objects.filter(actor_kind="key").exists()


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_what_has_ended_stays_so(writer, campaign, verb):
    act(lifecycle.end, campaign, at=NOON)

    assert writer.post({"reason": "x"}, f"{ADDRESS}/{campaign.pk}/{verb}").status_code == 409
    campaign.refresh_from_db()
    assert campaign.status == "ended"
