"""What follows when a stop rule fires, of each kind of action and of each thing that is looked at."""

from datetime import timedelta

import pytest

from antifraud.lists import bans
from antifraud.models import StopRule, Tally, Trip
from antifraud.stops import patrol, resuming
from campaigns.models import Campaign
from core.db import transaction
from events.models import Event
from members.models import Member
from tenants.staff.models import AuditEntry
from tests.cast import NOON, codes_of, make_campaign
from tests.people import staff_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
EACH_SIGN_UP = {"trigger": "member.joined", "recipient": "inviter"}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _only_ours(acme):
    """Leave the stop rules that a tenant begins with out of use: a test says which there are."""
    StopRule.objects.update(is_active=False)


def stop_rule(**told):
    return StopRule.objects.create(**{"metric": "rewards", "threshold": 2, "window_minutes": 60, **told})


def pay(shop, count, name="anna"):
    return [codes_of(shop.pays(name, "500"))[0] for _ in range(count)]


def invite(shop, count, *, by="anna", start=0, **data):
    """So many friends sign up; return what was said of the reward that each earned its inviter."""
    return [
        codes_of(shop.joins(f"friend-of-{by}-{number}", invited_by=by, **data))[-1]
        for number in range(start, start + count)
    ]


def tally(scope, subject=""):
    """Return what was noted, over all minutes, without what is zero."""
    columns = [field.name for field in Tally._meta.fields if field.name not in {"id", "scope", "subject", "minute"}]
    rows = Tally.objects.filter(scope=scope, subject=str(subject)).values_list(*columns)
    return {column: sum(each) for column, each in zip(columns, zip(*rows, strict=True), strict=False) if sum(each)}


# Flag


def test_a_flagged_campaign_goes_on_and_all_its_rewards_wait(shop):
    campaign = make_campaign(rule=EACH_ORDER)
    stop_rule(action="flag")

    assert pay(shop, 5) == ["granted", "granted", "flagged", "flagged", "flagged"]

    trip = Trip.objects.get()
    campaign.refresh_from_db()
    assert (trip.action, trip.campaign, campaign.status) == ("flag", campaign, Campaign.Status.ACTIVE)
    assert shop.rewards_of("anna")[4].reasons == [{"signal": "stopped", "evidence": {"trip": trip.pk}}]
    assert not Event.objects.filter(kind="campaign.stopped").exists()
    assert Event.objects.filter(kind="trip.opened").count() == 1


def test_what_is_pending_of_a_flagged_campaign_stays_as_it_is(shop):
    make_campaign(rule={**EACH_ORDER, "hold_days": 14})
    stop_rule(action="flag")

    pay(shop, 3)

    assert [reward.status for reward in shop.rewards_of("anna")] == ["pending", "pending", "flagged"]


def test_once_it_is_closed_rewards_are_given_again(shop, max_):
    make_campaign(rule=EACH_ORDER)
    stop_rule(action="flag", cooldown_minutes=0)
    pay(shop, 3)

    resuming.resume(trip=Trip.objects.get(), by=max_, at=NOON)

    assert pay(shop, 3) == ["granted", "granted", "flagged"]
    assert Event.objects.get(kind="trip.closed").data["by"] == "max"
    assert AuditEntry.objects.latest("pk").action == "trip.closed"


# Throttle


def test_a_throttled_campaign_gives_so_many_an_hour(shop):
    make_campaign(rule=EACH_ORDER)
    stop_rule(action="throttle", threshold=4, throttle_per_hour=3)

    assert pay(shop, 6) == ["granted"] * 4 + ["flagged", "flagged"]
    shop.at = NOON + HOUR
    assert pay(shop, 5) == ["granted", "granted", "granted", "flagged", "flagged"]


# Notify


def test_where_only_somebody_is_told_nothing_waits(shop):
    make_campaign(rule=EACH_ORDER)
    stop_rule(action="notify")

    assert pay(shop, 5) == ["granted"] * 5

    assert [(trip.action, trip.figure) for trip in Trip.objects.all()] == [("notify", 3)]
    assert Event.objects.get(kind="trip.opened").data["action"] == "notify"


# Inviters


def test_an_inviter_of_too_many_waits_and_others_do_not(shop):
    make_campaign(rule=EACH_SIGN_UP)
    stop_rule(scope="inviter", action="flag")
    shop.joins("zoe")

    assert invite(shop, 4) == ["granted", "granted", "flagged", "flagged"]
    assert invite(shop, 2, by="zoe") == ["granted", "granted"]

    trip = Trip.objects.get()
    assert (trip.scope, trip.subject, trip.campaign) == ("inviter", str(shop.id_of("anna")), None)
    assert Event.objects.get(kind="trip.opened").data["inviter_id"] == shop.id_of("anna")


def test_an_inviter_who_is_blocked_gets_nothing_more_until_somebody_unblocks_them(shop, max_):
    make_campaign(rule=EACH_SIGN_UP)
    stop_rule(scope="inviter", action="block", cooldown_minutes=0)

    assert invite(shop, 4) == ["granted", "granted", "flagged", "member_blocked"]
    assert Member.objects.get(pk=shop.id_of("anna")).status == "blocked"
    assert shop.balance_of("anna") == 200

    resuming.resume(trip=Trip.objects.get(), by=max_, at=NOON)

    assert Member.objects.get(pk=shop.id_of("anna")).status == "active"
    assert invite(shop, 1, start=10) == ["granted"]
    facts = Event.objects.filter(kind__startswith="member.", source="sarafan").order_by("pk")
    assert [(fact.kind, fact.data["by"]) for fact in facts] == [("member.banned", ""), ("member.unbanned", "max")]


def test_whom_staff_has_banned_since_stays_banned(shop):
    make_campaign(rule=EACH_SIGN_UP)
    stop_rule(scope="inviter", action="block", cooldown_minutes=0)
    invite(shop, 3)
    anna, mia = Member.objects.get(pk=shop.id_of("anna")), staff_of("moderator", username="mia")
    with transaction():
        bans.lift(member=anna, by=mia, note="a mistake", at=NOON)
        bans.ban(member=anna, by=mia, note="no mistake", at=NOON)

    resuming.resume(trip=Trip.objects.get(), by=mia, at=NOON)

    anna.refresh_from_db()
    assert anna.status == "blocked"
    assert AuditEntry.objects.latest("pk").action == "trip.closed"


def test_inviters_are_counted_only_while_a_rule_asks_for_them(shop):
    make_campaign(rule=EACH_SIGN_UP)
    stop_rule()

    invite(shop, 1)
    assert not Tally.objects.filter(scope="inviter").exists()
    # One that only the patrol looks at will do.
    stop_rule(scope="inviter", metric="conversion", action="notify", threshold=100)
    invite(shop, 1, start=1)

    assert tally("inviter", shop.id_of("anna")) == {"signups": 1, "rewards": 1, "points": 100, "cost_minor": 10_000}


# Channels, and everything together


def test_a_channel_is_counted_by_itself(shop):
    make_campaign(rule=EACH_SIGN_UP)
    stop_rule(scope="channel", action="flag")

    assert invite(shop, 3, channel="telegram") == ["granted", "granted", "flagged"]
    assert invite(shop, 2, start=3, channel="site") == ["granted", "granted"]

    trip = Trip.objects.get()
    assert (trip.scope, trip.subject) == ("channel", "telegram")
    assert tally("channel", "telegram") == {"signups": 3, "rewards": 3, "points": 300, "cost_minor": 30_000}


def test_everything_together_is_looked_at_over_all_campaigns(shop):
    for name in ("Spring", "Summer"):
        make_campaign(name=name, rule=EACH_ORDER)
    stop_rule(scope="tenant", action="flag", threshold=3)

    first, second = shop.pays("anna", "500"), shop.pays("anna", "500")

    assert [codes_of(first), codes_of(second)] == [["granted", "granted"], ["granted", "flagged"]]
    assert [(trip.scope, trip.subject, trip.figure) for trip in Trip.objects.all()] == [("tenant", "", 4)]


# What is noted


def test_a_campaign_counts_the_orders_that_its_rules_are_about(shop):
    campaign = make_campaign(rule={**EACH_ORDER, "order_number": "first"})
    other = make_campaign(name="Check-ins", rule={**EACH_ORDER, "trigger": "check_in"})

    shop.pays("anna", "500", order="1")
    shop.pays("anna", "700", order="2")
    shop.refunds("anna", "100", order="1", refund="a")
    shop.refunds("anna", "100", order="1", refund="b")
    shop.cancels("anna", order="2")

    assert tally("campaign", campaign.pk) == {
        "orders": 1,
        "order_minor": 50_000,
        "rewards": 1,
        "points": 100,
        "cost_minor": 10_000,
        "refunds": 1,
    }
    assert tally("campaign", other.pk) == {}
    assert tally("tenant") == {
        "signups": 1,
        "orders": 2,
        "order_minor": 120_000,
        "rewards": 1,
        "points": 100,
        "cost_minor": 10_000,
        "refunds": 2,
    }


def test_sign_ups_on_one_device_and_from_one_address_are_told_from_those_on_new_ones(shop):
    for name, device, ip in (
        ("boris", "phone", "198.51.100.7"),
        ("clara", "phone", "198.51.100.7"),
        ("dina", "tab", ""),
    ):
        shop.joins({"external_id": name, "device": device} | ({"ip": ip} if ip else {}))

    assert tally("tenant") == {"signups": 4, "device_signups": 3, "devices": 2, "ip_signups": 2, "ips": 1}


def test_of_two_who_sign_up_on_one_device_in_one_batch_one_is_the_first(shop):
    for name in ("boris", "clara"):
        shop.report("member.joined", {"external_id": name, "device": "phone"})
    shop.handle()

    assert tally("tenant") == {"signups": 3, "device_signups": 2, "devices": 1}


def test_whoever_joined_before_signs_up_no_second_time(shop):
    shop.joins("anna")

    assert tally("tenant") == {"signups": 1}


@pytest.mark.parametrize(("action", "by_batch"), [("flag", 1), ("notify", 0)])
def test_too_many_returns_are_seen_at_the_end_of_the_batch_or_told_of_by_the_patrol(shop, action, by_batch):
    make_campaign(rule=EACH_ORDER)
    stop_rule(metric="refund_share", threshold=5_000, data_min=4, action=action)
    for number in range(4):
        shop.pays("anna", "500", order=str(number))
    for number in range(2):
        shop.cancels("anna", order=str(number))
    assert not Trip.objects.exists()

    shop.cancels("anna", order="2")

    assert Trip.objects.count() == by_batch
    assert patrol.walk(at=NOON) == 1 - by_batch
    assert [(trip.metric, trip.figure) for trip in Trip.objects.all()] == [("refund_share", 7_500)]


# The figures of that moment


def test_a_trip_keeps_the_way_there(shop):
    make_campaign(rule=EACH_ORDER, at=NOON - 5 * HOUR)
    for hours, count in ((3, 1), (2, 2), (1, 1)):
        shop.at = NOON - hours * HOUR - timedelta(minutes=30)
        pay(shop, count)
    shop.at = NOON
    stop_rule()

    pay(shop, 3)

    trip = Trip.objects.get()
    assert [figure for _instant, figure in trip.chart] == [2, 1, 3]
    assert trip.chart[-1][0] == NOON.isoformat()


def test_what_is_usual_at_this_hour_of_the_week_is_no_anomaly_and_much_more_is(shop):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - timedelta(weeks=9))
    for weeks in range(1, 7):
        minute = NOON - timedelta(weeks=weeks, minutes=10)
        Tally.objects.create(scope="campaign", subject=str(campaign.pk), minute=minute, rewards=2, points=200)
    stop_rule(comparison="anomaly", threshold=3)

    # Six weeks of two: the tail of Poisson allows nine.
    assert pay(shop, 11) == ["granted"] * 9 + ["flagged"] * 2

    trip = Trip.objects.get()
    assert (trip.figure, trip.threshold) == (10, 3)
    assert trip.baseline == {"method": "poisson", "median": 2.0, "spread": 0.0, "most": 9, "weeks": [2, 2, 2, 2, 2]}
    campaign.refresh_from_db()
    assert campaign.status == "stopped"
