"""The first links of a ring look like anybody: they wait once it has closed, and those who stand outside do not."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.judging import second_look
from antifraud.limits import counters
from antifraud.lists import lines, listings
from antifraud.models import Case, FraudPolicy, Signal
from antifraud.moderation import deciding
from core.db import transaction
from rewards import ledger, maturing
from tenants import context
from tests.cast import NOON, Shop, make_campaign
from tests.people import staff_of
from tests.races import at_once

pytestmark = pytest.mark.django_db
HOUR, FORTNIGHT = timedelta(hours=1), timedelta(days=14)
SCHEMA = "t_acme"
PHONE = "+7 916 123-45-67"


def brings(shop: Shop, inviter: str, name: str, *, after: int = 5, **identities: str) -> None:
    """Somebody brings somebody, who buys so many hours later."""
    shop.at += 3 * HOUR
    shop.joins({"external_id": name, **identities}, invited_by=inviter)
    shop.at += after * HOUR
    shop.pays({"external_id": name, **identities}, "500")


def chain(**zoe: str) -> Shop:
    """Let Zoe bring a real friend, and A, who brings B, who brings C: Zoe again. All is on hold for a fortnight."""
    shop = Shop()
    make_campaign(at=shop.at, rule={"recipient": "both", "hold_days": 14})
    shop.joins({"external_id": "zoe", "phone": PHONE, **zoe})
    brings(shop, "zoe", "honest")
    brings(shop, "zoe", "a")
    brings(shop, "a", "b")
    brings(shop, "b", "c", phone=PHONE)
    return shop


def statuses(shop: Shop, *names: str) -> dict[str, list[str]]:
    return {name: [reward.status for reward in shop.rewards_of(name)] for name in names}


def except_for(shop: Shop, kind: str, text: str) -> None:
    """Put a line into the list of exemptions."""
    line = lines.line_of(kind=kind, text=text, schema=SCHEMA, region="RU")
    with transaction():
        listings.put(wishes=[listings.Wish(list="exempt", line=line, until=NOON + FORTNIGHT)], by="max", at=shop.at)


def test_the_first_links_of_a_chain_wait_once_it_has_come_back(acme):
    shop = chain()
    assert statuses(shop, "a", "b", "c") == {"a": ["pending"] * 2, "b": ["pending", "flagged"], "c": ["flagged"]}

    assert second_look.look(at=shop.at) == 4

    assert statuses(shop, "a", "b", "c") == {"a": ["flagged"] * 2, "b": ["flagged"] * 2, "c": ["flagged"]}
    members = sorted(shop.id_of(name) for name in ("zoe", "a", "b", "c"))
    told = {"signal": "ring", "evidence": {"members": members, "count": 4, "comes_back": True}}
    assert [reward.reasons for reward in shop.rewards_of("a")] == [[told]] * 2
    # The whole ring is one case, and what was seen is kept for each of its rewards.
    assert Case.objects.get().case_rewards.count() == 6
    assert Signal.objects.filter(name="ring", verdict="flag", evidence__members=members).count() == 6
    assert second_look.look(at=shop.at) == 0


def test_a_real_friend_of_somebody_in_a_ring_does_not_wait(acme):
    shop = chain()

    second_look.look(at=shop.at)

    assert statuses(shop, "honest", "zoe") == {"honest": ["pending"], "zoe": ["pending", "flagged"]}


def test_two_who_invite_each_other_s_second_accounts_are_seen_through_by_the_second_and_the_first_waits_too(acme):
    shop = Shop()
    make_campaign(at=shop.at, rule={"recipient": "both", "hold_days": 14})
    shop.joins({"external_id": "anna", "device": "hers", "phone": "+7 916 000-00-01"})
    shop.joins({"external_id": "boris", "device": "his", "phone": "+7 916 000-00-02"})
    brings(shop, "anna", "boris-2", device="his", phone="+7 916 000-00-03")
    assert statuses(shop, "boris-2") == {"boris-2": ["pending"]}
    brings(shop, "boris", "anna-2", device="hers", phone="+7 916 000-00-04")
    assert statuses(shop, "anna-2") == {"anna-2": ["flagged"]}

    assert second_look.look(at=shop.at) == 2

    (reward,) = shop.rewards_of("boris-2")
    members = sorted(shop.id_of(name) for name in ("anna", "boris", "anna-2", "boris-2"))
    # What was seen of it at first is told besides.
    anna_s = {"signal": "second_account", "evidence": {"member": shop.id_of("boris"), "kind": "device"}}
    assert reward.status == "flagged"
    assert reward.reasons == [anna_s, {"signal": "ring", "evidence": {"members": members, "count": 4}}]
    assert Case.objects.get().case_rewards.count() == 4


def test_a_ring_that_a_moderator_has_approved_makes_nobody_wait(acme):
    shop = chain()
    deciding.approve(case=Case.objects.get(), by=staff_of("moderator", username="max"), at=shop.at)

    assert second_look.look(at=shop.at) == 0

    assert statuses(shop, "a") == {"a": ["pending"] * 2}


def test_what_a_moderator_has_approved_of_a_ring_is_not_asked_of_again_when_the_ring_grows(acme):
    shop = chain()
    second_look.look(at=shop.at)
    deciding.approve(case=Case.objects.get(), by=staff_of("moderator", username="max"), at=shop.at)
    brings(shop, "c", "d", phone=PHONE)

    second_look.look(at=shop.at)

    assert statuses(shop, "a", "b", "d") == {"a": ["pending"] * 2, "b": ["pending"] * 2, "d": ["flagged"]}


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_a_tenant_can_do_without_rings(acme, mode):
    shop = chain()
    FraudPolicy.objects.update(signals={"ring": {"mode": mode}})

    assert second_look.look(at=shop.at) == 0

    assert statuses(shop, "a") == {"a": ["pending"] * 2}


@pytest.mark.parametrize(("kind", "text"), [("external_id", "zoe"), ("external_id", "a"), ("email_domain", "acme.com")])
def test_whoever_is_exempt_on_either_side_is_left_in_peace(acme, kind, text):
    shop = chain(email="zoe@acme.com")
    except_for(shop, kind, text)

    second_look.look(at=shop.at)

    (reward,) = [each for each in shop.rewards_of("a") if each.side == "invitee"]
    assert reward.status == "pending"


def test_what_has_been_given_before_the_ring_closed_is_not_flagged(acme):
    shop = Shop()
    make_campaign(at=shop.at, rule={"recipient": "both", "hold_days": 14})
    shop.joins({"external_id": "zoe", "phone": PHONE})
    brings(shop, "zoe", "a")
    shop.at += FORTNIGHT
    maturing.release_due(schema=SCHEMA, limit=10, at=shop.at)
    brings(shop, "a", "b", phone=PHONE)

    assert second_look.look(at=shop.at) == 0

    assert statuses(shop, "zoe", "a", "b") == {"zoe": ["granted"], "a": ["granted", "flagged"], "b": ["flagged"]}


def test_the_clock_looks_at_a_ring_within_a_day_of_its_closing(acme):
    shop = chain()

    assert second_look.is_due(at=shop.at + 23 * HOUR)
    assert not second_look.is_due(at=shop.at + 48 * HOUR)


@pytest.mark.parametrize("more", [0, 4])
def test_a_ring_takes_as_many_statements_with_many_friends_around_it_as_with_one(acme, more):
    shop = chain()
    closed_at = shop.at
    for number in range(more):
        brings(shop, "zoe", f"more-{number}", after=6 + number)

    with CaptureQueriesContext(connection) as statements:
        assert second_look.look(at=closed_at) == 4

    # Lock, who, what is pending, policies, what is known of them, flag, cases; a transaction's beginning and end.
    assert len(statements) == 9


def test_another_tenant_s_ring_is_not_looked_at(acme, bolt):
    shop = chain()

    with context.in_tenant(bolt.schema_name):
        assert not second_look.is_due(at=shop.at)
        assert second_look.look(at=shop.at) == 0

    assert statuses(shop, "a") == {"a": ["pending"] * 2}


@pytest.mark.django_db(transaction=True)
def test_a_ring_that_is_looked_at_while_it_matures_is_either_paid_or_waits(acme):
    shop = chain()
    due_at = shop.at + FORTNIGHT

    looked, paid = at_once(
        lambda: second_look.look(at=shop.at), lambda: maturing.release_due(schema=SCHEMA, limit=20, at=due_at)
    )

    # The real friend's two are paid in any case.
    assert (looked, paid) in {(4, 2), (0, 6)}
    expected = "flagged" if looked else "granted"
    assert statuses(shop, "a") == {"a": [expected] * 2}
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []
