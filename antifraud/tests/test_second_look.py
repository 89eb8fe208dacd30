"""What an inviter's first friends have earned waits as well, once the others are seen through."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from antifraud import tasks
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
FORTNIGHT = timedelta(days=14)
SCHEMA = "t_acme"


def bring(shop: Shop, name: str, **identities: str) -> None:
    """Anna brings somebody, who buys."""
    shop.joins({"external_id": name, **identities}, invited_by="anna")
    shop.pays(name, "500")


def bring_false(shop: Shop, number: int) -> None:
    """Anna brings somebody on a device of hers, another one for each."""
    shop.tells("check_in", {"external_id": "anna", "device": f"phone-{number}"})
    bring(shop, f"false-{number}", device=f"phone-{number}")


def story(*, false: int, honest: int = 1, shop: Shop | None = None) -> Shop:
    """Let Anna bring friends who look like anybody, then some on devices of hers. All is on hold for a fortnight."""
    shop = shop or Shop()
    make_campaign(at=shop.at, rule={"recipient": "both", "hold_days": 14})
    shop.joins("anna")
    for number in range(honest):
        bring(shop, f"honest-{number}")
    for number in range(false):
        bring_false(shop, number)
    return shop


def statuses(name: str, shop: Shop) -> list[str]:
    return [reward.status for reward in shop.rewards_of(name)]


def test_what_is_on_hold_for_the_first_friend_waits_once_three_others_are_seen_through(acme):
    shop = story(false=3)
    assert statuses("honest-0", shop) == ["pending"]

    assert second_look.look(at=NOON) == 2

    assert statuses("honest-0", shop) == ["flagged"]
    assert statuses("anna", shop) == ["flagged"] * 4
    (reward,) = shop.rewards_of("honest-0")
    assert reward.reasons == [
        {"signal": "habit", "evidence": {"friends": 3, "of": 4, "seen": "self_referral_device"}},
        {"signal": "friends_suspected", "evidence": {"friends": 3, "of": 4}},
    ]
    # Both sides are one case, and what was seen is kept for each.
    assert Case.objects.get(case_rewards__reward=reward).case_rewards.count() == 2
    assert Signal.objects.filter(name="friends_suspected", verdict="flag").count() == 2
    assert second_look.look(at=NOON) == 0


@pytest.mark.parametrize(("false", "honest"), [(2, 1), (3, 8)])
def test_few_friends_under_suspicion_or_a_small_part_of_them_say_nothing_of_the_others(acme, false, honest):
    shop = story(false=false, honest=honest)

    assert second_look.look(at=NOON) == 0

    assert statuses("honest-0", shop) == ["pending"]


def test_what_has_been_given_is_not_flagged(acme):
    shop = story(false=0)
    shop.at = NOON + FORTNIGHT
    maturing.release_due(schema=SCHEMA, limit=10, at=shop.at)
    for number in range(3):
        bring_false(shop, number)

    assert second_look.look(at=shop.at) == 0

    assert statuses("honest-0", shop) == ["granted"]


def test_what_a_moderator_has_approved_is_not_asked_of_again(acme):
    shop = story(false=3)
    second_look.look(at=NOON)
    case = Case.objects.get(case_rewards__reward=shop.rewards_of("honest-0")[0])
    deciding.approve(case=case, by=staff_of("moderator", username="max"), at=NOON)

    assert second_look.look(at=NOON) == 0

    assert statuses("honest-0", shop) == ["pending"]


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_a_tenant_can_do_without(acme, mode):
    shop = story(false=3)
    FraudPolicy.objects.update(signals={"friends_suspected": {"mode": mode}})

    assert second_look.look(at=NOON) == 0

    assert statuses("honest-0", shop) == ["pending"]


def test_an_exempt_inviter_is_left_in_peace(acme):
    shop = story(false=3)
    line = lines.line_of(kind="external_id", text="anna", schema=SCHEMA, region="RU")
    wish = listings.Wish(list="exempt", line=line, until=NOON + FORTNIGHT)
    with transaction():
        listings.put(wishes=[wish], by="max", at=NOON)

    assert second_look.look(at=NOON) == 0

    assert statuses("honest-0", shop) == ["pending"]


def test_the_clock_looks_where_something_was_flagged_within_a_day(acme):
    story(false=3)

    assert second_look.is_due(at=NOON + timedelta(hours=23))
    assert not second_look.is_due(at=NOON + timedelta(days=2))


def test_the_task_flags_by_its_own_clock(acme):
    shop = Shop(at=timezone.now())
    story(false=3, shop=shop)

    tasks.look_again()

    assert statuses("honest-0", shop) == ["flagged"]


@pytest.mark.parametrize("honest", [1, 6])
def test_a_look_takes_as_many_statements_for_many_friends_as_for_few(acme, honest):
    story(false=3 + honest, honest=honest)

    with CaptureQueriesContext(connection) as statements:
        assert second_look.look(at=NOON) == 2 * honest

    # Lock, who, what is pending, policies, what is known of them, flag, cases; and a transaction's beginning and end.
    assert len(statements) == 9


def test_another_tenant_s_friends_are_not_looked_at(acme, bolt):
    shop = story(false=3)

    with context.in_tenant(bolt.schema_name):
        assert not second_look.is_due(at=NOON)
        assert second_look.look(at=NOON) == 0

    assert statuses("honest-0", shop) == ["pending"]


@pytest.mark.django_db(transaction=True)
def test_what_is_looked_at_while_its_time_comes_is_either_paid_or_waits(acme):
    shop = story(false=3)
    due_at = NOON + FORTNIGHT

    looked, paid = at_once(
        lambda: second_look.look(at=NOON), lambda: maturing.release_due(schema=SCHEMA, limit=10, at=due_at)
    )

    assert (looked, paid) in {(2, 0), (0, 2)}
    expected = "flagged" if looked else "granted"
    assert statuses("honest-0", shop) == [expected]
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []
