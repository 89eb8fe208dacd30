"""The feed against everything real: the API over HTTP, the database, and the pipeline, which is run in this process."""

from collections import Counter

import pytest
from django.utils import timezone

from antifraud.models import Case, Decision, Signal, Trip
from campaigns.models import Campaign
from core.db import current_schema
from demo import access, care, coffee_chain, feed, feeding, setup, stories, tenants, webs
from demo.businesses import COFFEE_CHAIN, RECORD_SHOP
from demo.cheats import BUSY, CLUMSY, PATIENT, TABLETS_OF, TWINS_OF
from demo.client import Client
from demo.history import name_of
from demo.progress import Progress
from events import handling
from events.models import Event
from members import people
from referrals.models import Referral
from rewards import ledger
from rewards.models import Entitlement, Reward
from tenants import context
from tenants.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(live_server):
    """Give the platform's address of a real server."""
    return f"http://127.0.0.1:{live_server.thread.port}"


@pytest.fixture
def file(tmp_path):
    """Set the demo up, and give what its file says."""
    path = tmp_path / "demo.json"
    setup.ensure(path=path, at=timezone.now())
    return access.read(path)


def handle() -> None:
    """Do in this process what a worker does in its own."""
    while handling.handle_batch(schema=current_schema(), at=timezone.now()):
        pass


def feed_coffee(address):
    return feeding.feed_business(business=COFFEE_CHAIN, address=address, await_handled=handle, at=timezone.now())


def test_the_coffee_chain_is_fed_once_even_if_it_was_cut_short(address, file, capsys):
    acts = story_of(COFFEE_CHAIN)
    with context.in_tenant("t_bean"):
        tell(acts[:100], address=address, key=file["second_tenant"]["keys"]["live"])

    assert feed_coffee(address) == len(acts) - 100
    assert feed_coffee(address) == 0

    assert capsys.readouterr().out.endswith(f"{len(acts)} of {len(acts)} events\n")
    with context.in_tenant("t_bean"):
        assert Event.objects.filter(source="api", status="handled").count() == len(acts)
        assert Referral.objects.count() == sum(bool(act.inviter) for act in acts)
        assert Reward.objects.filter(status="granted").exists()
        # Whoever has earned a thousand points has a code, once.
        names = [f"sim-office-{number}" for number in range(1, coffee_chain.OFFICES + 1)]
        codes = Entitlement.objects.filter(gift__code="promo-code", status="issued")
        assert sorted(each.member_id for each in codes) == sorted(people.get_by_external_id(name).pk for name in names)
        assert ledger.verify() == []
    assert not ApiKey.objects.filter(name=feeding.KEY_NAME, revoked_at=None).exists()


def test_the_cheats_wait_and_the_fair_is_stopped(address, file):
    named = {name_of(number) for number in (*TWINS_OF, *TABLETS_OF, CLUMSY, BUSY, PATIENT)}
    acts = [act for act in story_of(RECORD_SHOP) if is_about(act.who["external_id"], named) or act.at is None]
    with context.in_tenant("t_demo"):
        tell([act for act in acts if act.inviter in {"", *named}], address=address, key=file["keys"]["live"])

        assert not Event.objects.exclude(status="handled").exists()
        # The other campaign that rewards friends holds the same people.
        cases = Case.objects.exclude(campaign__name="Record month").order_by("pk")
        signals = [case.case_rewards.first().reward.reasons[0]["signal"] for case in cases]
        assert Counter(signals) == {
            "known_before": 1,
            "self_referral_device": 2,
            "self_referral_email": 3,
            "stopped": 3,
            "velocity": 4,
        }
        assert Campaign.objects.get(name__contains="fair").status == "stopped"
        assert [(trip.figure, trip.threshold) for trip in Trip.objects.all()] == [(26, 25)]
        refused = Signal.objects.filter(verdict="refuse").values_list("name", flat=True)
        assert set(refused) == {"self_referral_email", "self_referral_device"}
        assert ledger.verify() == []


def test_crooked_webs_wait_and_an_office_is_paid(address, file):
    crooked = [f"sim-ring-{number}" for number in range(1, webs.RING + 1)]
    crooked += [f"sim-farm-{number}" for number in range(1, webs.FARM + 1)]
    office = [f"sim-colleague-{number}" for number in range(1, webs.OFFICE + 1)]
    inviters = {name_of(number) for number in (webs.RING_BEGINS_WITH, webs.FARMER, webs.COLLEAGUE)}
    named = {*crooked, *office, *inviters}
    with context.in_tenant("t_demo"):
        acts = [act for act in story_of(RECORD_SHOP) if act.who["external_id"] in named]
        tell(acts, address=address, key=file["keys"]["live"])

        assert not waiting(office)
        assert {"ring", "many_accounts_device"} <= signals_of(crooked)
        # The ring closes with its last member, the farm shows with the second telephone number of one telephone.
        assert {"sim-ring-5", *(f"sim-farm-{number}" for number in range(3, webs.FARM + 1))} <= waiting(crooked)
        assert ledger.verify() == []


def test_the_moderator_has_decided_some_and_lets_one_lie(address, file):
    named = {name_of(number) for number in (*TWINS_OF, *TABLETS_OF, BUSY, PATIENT, webs.FARMER)}
    named |= {f"sim-farm-{number}" for number in range(1, webs.FARM + 1)}
    with context.in_tenant("t_demo"):
        acts = [act for act in story_of(RECORD_SHOP) if act.at and is_about(act.who["external_id"], named)]
        tell([act for act in acts if act.inviter in {"", *named}], address=address, key=file["keys"]["live"])
        at = timezone.now()
        care.look_after(at=at)
        care.look_after(at=at)

        # Each friend is in two campaigns, and what becomes of a blocked member's is called off.
        assert Counter(Decision.objects.values_list("action", flat=True)) == {"approve": 4, "reject": 6}
        assert set(Case.objects.filter(status="open", due_at__lt=at).values_list("opened_at", flat=True)) == {
            at - care.LATE
        }
        assert people.get_by_external_id(name_of(webs.FARMER)).status == "blocked"
        assert ledger.verify() == []


def waiting(names):
    """Return whose coming somebody is not paid for: it waits, or was refused."""
    ids = {people.get_by_external_id(name).pk: name for name in names}
    flagged = Reward.objects.filter(status="flagged", referral__invitee__in=ids)
    refused = Signal.objects.filter(verdict="refuse", event__member__in=ids)
    return {
        ids[each]
        for each in {
            *flagged.values_list("referral__invitee_id", flat=True),
            *refused.values_list("event__member_id", flat=True),
        }
    }


def signals_of(names):
    ids = [people.get_by_external_id(name).pk for name in names]
    return set(Signal.objects.filter(event__member__in=ids, is_shadow=False).values_list("name", flat=True))


def story_of(business):
    return stories.tell(business, days=tenants.days_of(business=business, tenant=tenants.find(business=business)))


def is_about(name, named):
    return name in named or name.startswith(("sim-twin", "sim-tablet", "sim-clumsy", "sim-busy", "sim-regular"))


def tell(acts, *, address, key):
    progress = Progress(title="Test", total=len(acts), done=0)
    feed.feed(acts, client=Client(address=address, key=key), await_handled=handle, progress=progress)
