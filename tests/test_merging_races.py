"""Everybody merges at once, while others earn and spend: one merger, and nothing is lost."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from antifraud.limits import counters
from core.db import current_schema, transaction
from core.errors import Failure
from events import handling
from events.claims import Busy
from members import merging, people
from members.merging import Merged, SameMember
from members.models import Identity, Member
from rewards import adjustments, ledger, reservations
from rewards.actors import Actor
from rewards.models import Asset, Posting, Redemption, Reward
from rewards.reservations import Wanted
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.races import at_once, race

pytestmark = pytest.mark.django_db(transaction=True)

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
THREADS = 20
ORDERS = 30


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    make_campaign(rule=EACH_ORDER, limits=[{"per": "member", "period": "ever", "max_count": 40}])
    shop = Shop()
    for name in ("anna", "anya"):
        shop.pays(name, "500")
    yield shop
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


def merge(away: Member, into: Member) -> Merged:
    return merging.merge(into=into, away=away, actor_kind="key", actor="crm", at=NOON)


def both() -> tuple[Member, Member]:
    return people.get_by_external_id("anna"), people.get_by_external_id("anya")


def test_twenty_at_once_merge_once(shop):
    anna, anya = both()

    results = race(*[lambda: merge(anya, anna)] * THREADS)

    assert sum(isinstance(each, Merged) for each in results) == 1
    assert sum(isinstance(each, SameMember) for each in results) == THREADS - 1
    assert AuditEntry.objects.filter(action="member.merged").count() == 1
    assert shop.balance_of("anna") == 200


def test_of_two_directions_one_wins(shop):
    anna, anya = both()

    results = race(*[lambda: merge(anya, anna), lambda: merge(anna, anya)] * (THREADS // 2))

    (won,) = [each for each in results if isinstance(each, Merged)]
    assert sum(isinstance(each, SameMember) for each in results) == THREADS - 1
    assert shop.id_of("anna") == shop.id_of("anya") == won.into.pk
    assert ledger.balance_of(member_id=won.into.pk) == 200
    assert Member.objects.get(pk=won.away.pk).merged_into_id == won.into.pk
    assert not Identity.objects.filter(member=won.away).exists()


def test_a_ring_of_mergers_ends_in_one(shop):
    shop.pays("ann", "500")
    anna, anya = both()
    ann = people.get_by_external_id("ann")

    results = race(*[lambda: merge(anya, anna), lambda: merge(ann, anya), lambda: merge(anna, ann)] * 4)

    won = [each for each in results if isinstance(each, Merged)]
    assert all(isinstance(each, Merged | Failure) for each in results)
    stays = {shop.id_of(name) for name in ("anna", "anya", "ann")}
    assert len(stays) == 3 - len(won)
    left = Member.objects.filter(status="merged").values_list("merged_into__status", flat=True)
    assert (len(left), set(left)) == (len(won), {"active"})
    assert sum(ledger.balance_of(member_id=each) for each in stays) == 300


def test_a_batch_for_both_is_scored_meanwhile(shop):
    for nth in range(ORDERS):
        shop.report(
            "order.paid", "anna" if nth % 2 else "anya", order_id=f"race-{nth}", amount_minor=50_000, currency="RUB"
        )
    anna, anya = both()

    def handle() -> None:
        # As a worker does that finds the tenant's lock taken: it leaves, and comes back.
        with suppress(Busy):
            while handling.handle_batch(schema=current_schema(), at=NOON):
                pass

    at_once(handle, transaction(lambda: merge(anya, anna)), handle)
    handle()

    assert (shop.balance_of("anna"), ledger.balance_of(member_id=anya.pk)) == (3_200, 0)
    assert set(Reward.objects.values_list("member_id", flat=True)) == {anna.pk}


def test_whoever_was_looked_up_before_is_credited_after(shop):
    anna, anya = both()
    points = Asset.objects.get(code="points").pk

    def credit(nth: int) -> object:
        wish = adjustments.Wish(f"credit-{nth}", anya.pk, points, 10, "Sorry.")
        return adjustments.ask(wish=wish, by=Actor("key", "crm"), at=NOON)

    def spend(nth: int) -> object:
        wanted = Wanted(key=f"spend-{nth}", member_id=anya.pk, amount=5)
        return reservations.reserve(wanted=wanted, actor=Actor("key", "crm"), at=NOON)

    gains = [lambda nth=nth: credit(nth) for nth in range(8)]
    losses = [lambda nth=nth: spend(nth) for nth in range(8)]
    results = race(*gains[:4], *losses[:4], lambda: merge(anya, anna), *gains[4:], *losses[4:])

    assert not [each for each in results if isinstance(each, Exception)]
    assert shop.balance_of("anna") == 200 + 80 - 40
    assert set(Redemption.objects.values_list("member_id", flat=True)) == {anna.pk}
    assert Posting.objects.filter(reason="reserve").count() == 8
