"""What members are given besides units: given once, brought as far as it goes, told, taken back, ended by time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.db import transaction
from events.models import Event
from rewards import entitlements
from rewards.models import Entitlement, Gift, Reward
from rewards.tests import gifts
from rewards.tests.stage import NOON

pytestmark = pytest.mark.django_db


def told(kind: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("data", flat=True))


def test_gives_what_each_kind_can_give_at_once_in_the_order_asked_for(anna, boris):
    wanted = [gifts.gift("product"), gifts.gift("content"), gifts.gift("privilege"), gifts.gift("discount")]

    with transaction():
        given = entitlements.give(new=[gifts.new(each, anna) for each in wanted], at=NOON)

    assert [(each.gift_id, each.status) for each in given] == [
        (wanted[0].pk, "placed"),
        (wanted[1].pk, "issued"),
        (wanted[2].pk, "issued"),
        (wanted[3].pk, "issued"),
    ]
    assert list(entitlements.list_of(anna.pk)) == given[::-1]
    assert list(entitlements.list_of(boris.pk)) == []


def test_gives_the_same_key_once(anna):
    gift = gifts.gift("content")

    first = gifts.give(gift, anna, key="reward:1:1")
    again = gifts.give(gift, anna, key="reward:1:1", at=NOON + timedelta(days=1))

    assert again == first
    assert again[0].issued_at == NOON
    assert Entitlement.objects.count() == 1
    assert len(told("entitlement.issued")) == 1


def test_a_twin_in_one_call_is_given_once(anna):
    gift = gifts.gift("content")
    twin = gifts.new(gift, anna, key="twin")

    with transaction():
        given = entitlements.give(new=[twin, twin], at=NOON)

    assert given == [Entitlement.objects.get(), Entitlement.objects.get()]


def test_gives_a_thousand_in_as_many_statements_as_one(anna, django_assert_max_num_queries):
    gift = gifts.gift("discount")

    with django_assert_max_num_queries(14):
        given = gifts.give(gift, *[anna] * 1_000)

    assert {each.status for each in given} == {"issued"}
    assert len({each.code_index for each in given}) == 1_000


def test_tells_what_was_given_without_its_code(scene, anna):
    reward_id = scene.owe(anna, status="pending")
    gift = gifts.gift("discount", code="coffee")

    (given,) = gifts.give(gift, anna, reward_id=reward_id, actor="marta")

    fact = Event.objects.get(kind="entitlement.issued")
    assert fact.data == {
        "entitlement_id": given.pk,
        "kind": "discount",
        "gift": "coffee",
        "reward_id": reward_id,
        "valid_until": given.valid_until.isoformat(),
        "actor": "marta",
    }
    reward = Reward.objects.get(pk=reward_id)
    assert (fact.member_id, fact.cause_id, fact.depth) == (anna.pk, reward.event_id, 1)
    assert entitlements.code_of(given) not in str(fact.data)


def test_takes_back_what_can_be_taken_back(anna):
    product, content, privilege = (gifts.gift(kind) for kind in ("product", "content", "privilege"))
    (placed,), (issued,), (right,) = (gifts.give(each, anna) for each in (product, content, privilege))

    lost = gifts.stop(placed, issued, right, at=NOON + timedelta(hours=1))

    assert lost == {}
    assert gifts.statuses(placed, issued, right) == ["cancelled"] * 3
    fresh = Entitlement.objects.get(pk=placed.pk)
    assert (fresh.ended_at, fresh.ended_why) == (NOON + timedelta(hours=1), "order returned")
    assert [each["why"] for each in told("entitlement.cancelled")] == ["order returned"] * 3


def test_says_why_it_cannot_take_something_back(anna):
    (sent,) = gifts.give(gifts.gift("product"), anna)
    (seen,) = gifts.give(gifts.gift("content"), anna)
    (used,) = gifts.give(gifts.gift("discount"), anna)
    Entitlement.objects.filter(pk=sent.pk).update(status="sent")
    Entitlement.objects.filter(pk=seen.pk).update(shown_at=NOON)
    Entitlement.objects.filter(pk=used.pk).update(status="used", used_at=NOON)

    lost = gifts.stop(sent, seen, used)

    assert lost == {sent.pk: "sent", seen.pk: "shown", used.pk: "used"}
    assert gifts.statuses(sent, seen, used) == ["sent", "issued", "used"]
    assert told("entitlement.cancelled") == []


def test_what_is_over_is_neither_taken_back_nor_lost(anna):
    (given,) = gifts.give(gifts.gift("content"), anna)
    gifts.stop(given)

    lost = gifts.stop(given, why="again", at=NOON + timedelta(days=1))

    assert lost == {}
    assert Entitlement.objects.get().ended_why == "order returned"
    assert len(told("entitlement.cancelled")) == 1


def test_a_used_one_is_told_each_time(anna):
    (given,) = gifts.give(gifts.gift("privilege"), anna)

    with transaction():
        entitlements.mark_used(entitlement=given, used_for="1001", actor="marta", at=NOON)

    assert gifts.statuses(given) == ["used"]
    assert [(each["why"], each["actor"]) for each in told("entitlement.used")] == [("1001", "marta")]


def test_only_what_is_issued_can_be_used(anna):
    (placed,) = gifts.give(gifts.gift("product"), anna)

    with pytest.raises(entitlements.EntitlementChanged), transaction():
        entitlements.mark_used(entitlement=placed, used_for="1001", at=NOON)

    assert gifts.statuses(placed) == ["placed"]
    assert told("entitlement.used") == []


def test_time_ends_what_is_issued(acme, anna):
    gift = gifts.gift("discount", terms={"valid_days": 1})
    first, second = gifts.give(gift, anna, anna)
    (endless,) = gifts.give(gifts.gift("content"), anna)
    # The day after tomorrow begins in Moscow.
    over = datetime(2026, 3, 18, 21, tzinfo=UTC)
    assert first.valid_until == over

    before = entitlements.expire_due(schema=acme.schema_name, limit=10, at=over - timedelta(seconds=1))
    ended = entitlements.expire_due(schema=acme.schema_name, limit=1, at=over)
    rest = entitlements.expire_due(schema=acme.schema_name, limit=10, at=over)

    assert (before, ended, rest) == (0, 1, 1)
    assert gifts.statuses(first, second, endless) == ["expired", "expired", "issued"]
    assert [each["entitlement_id"] for each in told("entitlement.expired")] == [first.pk, second.pk]


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        # The night of 29 March 2026 has an hour less in Berlin, that of 25 October one more.
        ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("Europe/Moscow", datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 3, 30, 21, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 1, 16, tzinfo=UTC)),
    ],
)
def test_validity_ends_at_a_local_midnight(zone, at, until):
    assert entitlements.last_instant(days=1, zone=ZoneInfo(zone), at=at) == until


def test_a_code_is_stored_sealed_and_found_however_it_is_typed(anna):
    (given,) = gifts.give(gifts.gift("discount"), anna)
    code = entitlements.code_of(given)

    index = entitlements.index_of(kind="discount", gift_id=0, code=code.lower().replace("-", " "))

    assert code not in given.code
    assert index == given.code_index


def test_two_brands_may_have_the_same_code_and_it_is_theirs_as_it_is_written():
    indexes = {
        entitlements.index_of(kind="certificate", gift_id=gift_id, code=code)
        for gift_id, code in [(1, "ab12"), (1, "AB12"), (2, "ab12")]
    }

    assert len(indexes) == 3


def test_a_mask_shows_the_end_only():
    assert [entitlements.masked(code) for code in ("COFFEE-2345-ABCD", "AB1")] == ["••••ABCD", "••••"]


def test_every_kind_of_gift_has_somebody_who_gives_it():
    for kind in ("discount", "privilege", "product", "content"):
        assert entitlements.giving_of(kind).__name__ == f"rewards.kinds.{kind}.giving"
    assert Gift.Kind.POOL in entitlements.SAME_KIND


def test_what_was_taken_back_is_not_shown(anna, boris):
    gift = gifts.gift("discount")
    kept, gone = gifts.give(gift, anna, boris)
    gifts.stop(gone)

    assert entitlements.note_shown(ids=[kept.pk, gone.pk], at=NOON) == {kept.pk}

    assert [Entitlement.objects.get(pk=each.pk).shown_at for each in (kept, gone)] == [NOON, None]
