"""Fixtures: a new developer sees points, a referral and a case at once."""

import pytest

from antifraud.models import Case
from campaigns.models import Campaign
from events.models import Event
from integrations.sandbox import fixtures, stories
from integrations.sandbox.fixtures import UnknownFixture
from integrations.tests.programs import ADDRESS, trying_out
from members.models import Member
from referrals.models import Referral
from rewards import ledger
from rewards.actors import Actor
from tenants import context
from tenants.sandboxes import SandboxOnly
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop

pytestmark = pytest.mark.django_db

BY = Actor("key", "till")


@pytest.fixture
def shop(acme):
    with context.in_tenant("t_acme_sandbox"):
        yield Shop()


def make(name: str) -> fixtures.Made:
    return fixtures.make(name=name, by=BY, at=NOON)


def test_a_referral_has_rewarded_both(shop):
    made = make("referral")

    assert {name: shop.balance_of(name) for name in made.members} == {
        "fixture-anna": 500,
        "fixture-boris": 300,
        "fixture-clara": 300,
    }
    anna = shop.id_of("fixture-anna")
    assert list(Referral.objects.order_by("pk").values_list("inviter", "invitee")) == [
        (anna, shop.id_of("fixture-boris")),
        (anna, shop.id_of("fixture-clara")),
    ]
    assert ledger.verify() == []


def test_orders_have_earned_what_is_there_and_what_is_on_hold(shop):
    make("loyalty")

    statuses = [(reward.status, reward.given) for reward in shop.rewards_of("fixture-dora")]
    assert statuses == [("granted", 10), ("pending", 5)]
    assert shop.balance_of("fixture-dora") == 10


def test_something_waits_for_a_moderator(shop):
    make("antifraud")

    case = Case.objects.get()
    assert case.status == "open"
    assert [reward.status for reward in shop.rewards_of("fixture-egor")] == ["flagged"]
    assert shop.balance_of("fixture-egor") == 0


@pytest.mark.parametrize("name", stories.ALL)
def test_made_twice_it_is_there_once(shop, name):
    first = make(name)
    second = fixtures.make(name=name, by=BY, at=NOON.replace(hour=20))

    assert [event.pk for event in second.events] == [event.pk for event in first.events]
    assert len(first.events) == len(stories.ALL[name].acts)
    assert second.campaigns == first.campaigns
    assert Campaign.objects.filter(is_builtin=False).count() == len(first.campaigns) == 1
    assert AuditEntry.objects.filter(action="sandbox.fixture_made").count() == 1


def test_all_of_them_together_disturb_nobody(shop):
    for name in stories.ALL:
        make(name)

    assert set(Event.objects.values_list("status", flat=True)) == {"handled"}
    assert set(Campaign.objects.filter(is_builtin=False).values_list("status", flat=True)) == {"active"}


def test_there_is_no_other(shop):
    with pytest.raises(UnknownFixture):
        make("blockchain")

    assert not Campaign.objects.filter(is_builtin=False).exists()


def test_in_a_live_tenant_nothing_is_made(acme):
    with pytest.raises(SandboxOnly):
        make("referral")

    assert not Member.objects.exists()
    assert not Campaign.objects.filter(is_builtin=False).exists()


def test_over_http_they_are_listed_and_made(acme):
    program = trying_out(acme)

    before = program.get(f"{ADDRESS}fixtures").json()["fixtures"]
    made = program.post({"name": "referral"}, f"{ADDRESS}fixtures")
    after = program.get(f"{ADDRESS}fixtures").json()["fixtures"]

    assert [(each["name"], each["campaigns"]) for each in before] == [(name, []) for name in stories.ALL]
    assert (made.status_code, made.json()) == (200, after[0])
    assert after[0]["members"] == ["fixture-anna", "fixture-boris", "fixture-clara"]
    told = program.get("/api/v1/members/fixture-anna").json()
    assert told["balances"]["points"]["available"] == 500
    assert program.post({"name": "blockchain"}, f"{ADDRESS}fixtures").status_code == 400
