"""How a campaign lives, and what is published of it."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from campaigns import definitions, lifecycle, versions
from campaigns.models import Campaign, CampaignVersion
from campaigns.tests.making import act, make_campaign, make_rule
from campaigns.tests.offers import NOON
from core import db
from tenants import context

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)

VERBS = {
    "activate": (lifecycle.activate, "active", {"draft"}),
    "pause": (lifecycle.pause, "paused", {"active"}),
    "resume": (lifecycle.resume, "active", {"paused", "stopped"}),
    "stop": (lifecycle.stop, "stopped", {"active", "paused"}),
    "end": (lifecycle.end, "ended", {"active", "paused", "stopped"}),
}


def test_activation_publishes_the_first_version_and_starts_now():
    campaign = make_campaign()

    version = act(lifecycle.activate, campaign, at=NOON + timedelta(milliseconds=7))

    campaign.refresh_from_db()
    assert (campaign.status, campaign.starts_at) == ("active", NOON)
    assert (version.number, version.valid_from, version.author) == (1, NOON + timedelta(milliseconds=7), "mia")
    assert versions.offer_in(version).status == "active"
    assert versions.offer_in(version).starts_at == NOON


def test_activation_keeps_a_start_that_was_given():
    campaign = make_campaign(starts_at=NOON + 60 * MINUTE)

    act(lifecycle.activate, campaign, at=NOON)

    campaign.refresh_from_db()
    assert campaign.starts_at == NOON + 60 * MINUTE


def test_a_campaign_that_would_reward_nobody_is_not_activated():
    campaign = make_campaign({"is_active": False})

    with pytest.raises(lifecycle.NotReady) as failure:
        act(lifecycle.activate, campaign, at=NOON)

    assert [str(each["detail"]) for each in failure.value.errors] == ["No rule is in use: nobody would get anything."]
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    assert not CampaignVersion.objects.exists()


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("status", ["draft", "active", "paused", "stopped", "ended"])
def test_each_verb_leaves_its_own_statuses_and_no_others(name, status):
    verb, leads_to, leaves = VERBS[name]
    campaign = make_campaign(status=status)

    if status in leaves:
        assert versions.offer_in(act(verb, campaign, at=NOON)).status == leads_to
        assert campaign.status == Campaign.objects.get().status == leads_to
    else:
        with pytest.raises(lifecycle.MoveNotAllowed):
            act(verb, campaign, at=NOON)
        assert campaign.status == Campaign.objects.get().status == status
        assert not CampaignVersion.objects.exists()


def test_publishing_what_is_in_force_already_makes_no_version():
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)

    assert act(lifecycle.publish, campaign, at=NOON + MINUTE) is None

    assert CampaignVersion.objects.count() == 1


def test_a_definition_of_an_older_release_that_means_the_same_makes_no_version():
    campaign = make_campaign(status="active", starts_at=NOON)
    definition = definitions.as_json(versions.offer_of(campaign=campaign))
    del definition["refund_policy"]
    for rule in definition["rules"]:
        for name in ("reward_what", "extras", "awaits", "awaits_days"):
            del rule[name]
    CampaignVersion.objects.create(campaign=campaign, number=1, valid_from=NOON, definition=definition)

    assert act(lifecycle.publish, campaign, at=NOON + MINUTE) is None
    assert CampaignVersion.objects.count() == 1

    campaign.rules.update(awaits="check_in")
    assert act(lifecycle.publish, campaign, at=NOON + MINUTE).number == 2


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("status", Campaign.Status.values)
def test_what_is_built_in_stays_as_it_is(name, status):
    campaign = make_campaign(status=status, is_builtin=True)

    with pytest.raises(lifecycle.MoveNotAllowed, match=r"^“Bring a friend” is built in, and stays as it is\.$"):
        act(VERBS[name][0], campaign, at=NOON)

    campaign.refresh_from_db()
    assert campaign.status == status
    assert not CampaignVersion.objects.exists()


def test_a_change_is_a_new_version_and_the_old_one_stays():
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)
    campaign.rules.update(amount_points=250)

    version = act(lifecycle.publish, campaign, at=NOON + MINUTE, author="max")

    assert (version.number, version.valid_from, version.author) == (2, NOON + MINUTE, "max")
    amounts = [versions.offer_in(each).rules[0].amount_points for each in versions.list_versions(campaign=campaign)]
    assert amounts == [250, 100]


def test_a_rule_that_is_switched_off_is_in_no_version():
    campaign = make_campaign({}, {"is_active": False, "amount_points": 7})

    version = act(lifecycle.activate, campaign, at=NOON)

    assert [line.amount_points for line in versions.offer_in(version).rules] == [100]


def test_an_earlier_clock_does_not_take_versions_back_in_time():
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)
    make_rule(campaign, amount_points=7)

    version = act(lifecycle.publish, campaign, at=NOON - MINUTE)

    assert (version.number, version.valid_from) == (2, NOON)


def test_a_draft_is_not_published():
    with pytest.raises(lifecycle.NeverActivated):
        act(lifecycle.publish, make_campaign(), at=NOON)

    assert not CampaignVersion.objects.exists()


def test_a_verb_needs_a_transaction():
    campaign = make_campaign(status="active")
    connection.in_atomic_block, kept = False, connection.in_atomic_block
    try:
        with pytest.raises(db.NoTransaction):
            lifecycle.pause(campaign=campaign, author="mia", at=NOON)
    finally:
        connection.in_atomic_block = kept


@pytest.mark.parametrize("change", [{"number": 9}, {"definition": {}}, {"valid_from": NOON + MINUTE}, {"author": "x"}])
def test_the_database_lets_nobody_change_a_version(change):
    act(lifecycle.activate, make_campaign(), at=NOON)

    with pytest.raises(Exception, match="is append-only"), db.savepoint():
        CampaignVersion.objects.update(**change)


def test_the_database_lets_nobody_delete_a_version():
    act(lifecycle.activate, make_campaign(), at=NOON)

    with pytest.raises(Exception, match="is append-only"), db.savepoint():
        db.execute("DELETE FROM campaigns_campaignversion")


def race(schema_name, *acts):
    """Run all at once, each in a thread and a connection of its own, and return what each gave or raised."""
    start = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index, verb):
        try:
            with context.in_tenant(schema_name):
                start.wait(timeout=10)
                results[index] = verb()
        except Exception as failure:  # noqa: BLE001, RUF100 (it is what the test looks at)
            results[index] = failure
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, verb)) for index, verb in enumerate(acts)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    return results


@pytest.mark.django_db(transaction=True)
def test_of_two_publications_of_one_change_at_once_one_makes_a_version(acme):
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)
    campaign.rules.update(amount_points=250)

    made = race(
        acme.schema_name,
        lambda: act(lifecycle.publish, campaign, at=NOON + MINUTE),
        lambda: act(lifecycle.publish, campaign, at=NOON + MINUTE),
    )

    assert sorted(each.number if each else 0 for each in made) == [0, 2]
    assert [each.number for each in versions.list_versions(campaign=campaign)] == [2, 1]


@pytest.mark.django_db(transaction=True)
def test_of_two_moves_at_once_one_wins_and_the_other_is_told(acme):
    campaign = make_campaign()
    act(lifecycle.activate, campaign, at=NOON)

    made = race(
        acme.schema_name,
        lambda: act(lifecycle.pause, Campaign.objects.get(), at=NOON + MINUTE),
        lambda: act(lifecycle.pause, Campaign.objects.get(), at=NOON + MINUTE),
    )

    assert sorted(type(each).__name__ for each in made) == ["CampaignVersion", "MoveNotAllowed"]
    assert CampaignVersion.objects.count() == 2
