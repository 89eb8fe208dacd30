from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core import sealing
from core.db import NoTransaction, savepoint, transaction
from members import people
from members.identities import SealedIdentity, prepare
from members.models import Identity, Member

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def known_as(**identities):
    return prepare(schema="t_acme", identities=identities, region="RU")


def resolve(*groups, at=NOON):
    with transaction():
        people.lock("t_acme")
        return people.resolve(groups=groups, seen_ats=[at] * len(groups), at=at)


def resolve_one(**identities):
    return resolve(known_as(**identities))[0]


def kept(member_id):
    """Return (kind, resolves) of everything a member is known by."""
    return sorted(Identity.objects.filter(member_id=member_id).values_list("kind", "resolves"))


# Who it is


def test_somebody_new_becomes_a_member_with_all_that_was_given():
    member = resolve_one(external_id="u-7", email="anna@example.com", card="tok_1", device="fp-1")

    found = Member.objects.get()
    assert (found.pk, found.status, found.first_seen_at, found.joined_at) == (member, "active", NOON, None)
    assert kept(member) == [
        ("card", False),
        ("device", False),
        ("email", True),
        ("email_alike", False),
        ("external_id", True),
    ]


@pytest.mark.parametrize(
    "again",
    [
        {"external_id": "u-7"},
        {"telegram": "4711"},
        {"phone": "8 921 123-45-67"},
        {"email": "ANNA+news@example.com"},
        {"external_id": "u-7", "telegram": "4712", "phone": "+79990000000", "email": "other@example.com"},
    ],
)
def test_somebody_known_is_found_by_any_naming_identity(again):
    anna = resolve_one(external_id="u-7", telegram=4711, phone="+79211234567", email="anna@example.com")

    assert resolve_one(**again) == anna
    assert Member.objects.count() == 1


def test_the_strongest_known_identity_decides():
    anna = resolve_one(external_id="anna", phone="+79210000001")
    boris = resolve_one(telegram=4711, email="boris@example.com")

    assert resolve_one(external_id="anna", telegram=4711, email="boris@example.com") == anna
    assert resolve_one(telegram=4711, phone="+79210000001") == boris


@pytest.mark.parametrize(
    "shared",
    [{"telegram": 4711}, {"phone": "+79211234567"}, {"email": "home@example.com"}],
    ids=lambda shared: next(iter(shared)),
)
def test_another_external_id_is_another_person_whatever_they_share(shared):
    anna = resolve_one(external_id="anna", **shared)
    boris = resolve_one(external_id="boris", **shared)

    ((kind, _value),) = shared.items()
    assert boris != anna
    assert (dict(kept(anna))[kind], dict(kept(boris))[kind]) == (True, False)
    assert resolve_one(**shared) == anna


def test_another_telegram_is_another_person_even_with_the_same_phone():
    anna = resolve_one(telegram=1, phone="+79211234567")

    assert resolve_one(telegram=2, phone="+79211234567") != anna


def test_a_stronger_identity_joins_a_member_who_had_none_of_its_kind():
    anna = resolve_one(email="anna@example.com")

    assert resolve_one(external_id="anna", email="anna@example.com") == anna
    assert kept(anna) == [("email", True), ("email_alike", False), ("external_id", True)]


def test_a_weaker_owner_is_passed_over_for_one_who_fits():
    resolve_one(external_id="anna", phone="+79210000001")
    clara = resolve_one(email="clara@example.com")

    found = resolve_one(external_id="clara", phone="+79210000001", email="clara@example.com")

    assert found == clara
    assert dict(kept(clara)) == {
        "email": True,
        "email_alike": False,
        "external_id": True,
        "phone": False,
    }


def test_a_member_may_have_several_values_of_a_kind():
    anna = resolve_one(external_id="anna", email="a@example.com", phone="+79210000001", device="d1")

    resolve_one(external_id="anna", email="b@example.com", phone="+79210000002", device="d2", card="tok_2")

    assert Counter(kind for kind, _ in kept(anna)) == {"external_id": 1, "email": 2, "phone": 2, "device": 2, "card": 1}
    assert resolve_one(email="b@example.com") == anna


def test_cards_and_devices_tie_but_never_decide():
    anna = resolve_one(external_id="anna", card="tok_1", device="fp-1")
    boris = resolve_one(external_id="boris", card="tok_1", device="fp-1")

    assert anna != boris
    assert kept(anna) == kept(boris) == [("card", False), ("device", False), ("external_id", True)]


def test_a_card_alone_names_nobody():
    (card,) = (one for one in known_as(external_id="x", card="tok_1") if one.kind == "card")

    with pytest.raises(ValueError, match="names nobody"):
        resolve((card,))
    assert not Member.objects.exists()


def test_the_same_again_adds_nothing():
    resolve_one(external_id="anna", email="anna@example.com", card="tok_1")
    before = list(Identity.objects.order_by("id").values_list("id", "value", "added_at"))

    resolve(known_as(external_id="anna", email="Anna@example.com", card="tok_1"), at=LATER)

    assert list(Identity.objects.order_by("id").values_list("id", "value", "added_at")) == before


def test_what_is_learnt_later_is_dated_then():
    anna = resolve_one(external_id="anna")

    resolve(known_as(external_id="anna", email="anna@example.com"), at=LATER)

    assert Identity.objects.get(member_id=anna, kind="email").added_at == LATER
    assert Member.objects.get(pk=anna).first_seen_at == NOON


def test_beyond_fifty_values_of_a_kind_no_more_are_kept():
    anna = resolve_one(external_id="anna")

    found = resolve(*(known_as(external_id="anna", device=f"fp-{n}") for n in range(60)))
    resolve(*(known_as(external_id="anna", device=f"again-{n}") for n in range(3)))

    assert set(found) == {anna}
    assert Identity.objects.filter(member_id=anna, kind="device").count() == 50


# A batch


def test_a_batch_gives_a_member_for_each_group_in_order():
    boris = resolve_one(external_id="boris")

    found = resolve(
        known_as(external_id="anna"),
        known_as(external_id="boris"),
        known_as(external_id="clara"),
        known_as(external_id="anna", email="anna@example.com"),
        known_as(email="anna@example.com"),
    )

    assert found[1] == boris
    assert found[0] == found[3] == found[4]
    assert len(set(found)) == 3
    assert resolve_one(external_id="clara") == found[2]


def test_each_new_member_was_first_seen_when_their_first_event_happened():
    groups = [known_as(external_id=name) for name in ("anna", "boris", "anna", "clara")]
    seen_ats = [NOON - timedelta(days=days) for days in (3, 9, 1, 5)]

    with transaction():
        found = people.resolve(groups=groups, seen_ats=seen_ats, at=NOON)

    first_seen = dict(Member.objects.values_list("pk", "first_seen_at"))
    assert [first_seen[member] for member in found] == [seen_ats[0], seen_ats[1], seen_ats[0], seen_ats[3]]
    assert set(Identity.objects.values_list("added_at", flat=True)) == {NOON}


def test_within_a_batch_the_first_owner_of_a_shared_value_keeps_it():
    anna, boris, whose = resolve(
        known_as(external_id="anna", phone="+79211234567"),
        known_as(external_id="boris", phone="+79211234567"),
        known_as(phone="+79211234567"),
    )

    assert anna != boris
    assert whose == anna


@pytest.mark.parametrize("size", [1, 20, 200])
def test_a_batch_takes_two_statements_whatever_its_size(size, django_assert_num_queries):
    groups = [known_as(external_id=f"u-{n}", email=f"u{n}@example.com", device="shared") for n in range(size)]
    resolve_one(external_id="u-0")

    with transaction():
        people.lock("t_acme")
        with django_assert_num_queries(2):
            people.resolve(groups=groups, seen_ats=[NOON] * size, at=NOON)

    assert Member.objects.count() == size


def test_a_batch_of_known_people_takes_one_statement_and_an_empty_one_none(django_assert_num_queries):
    resolve_one(external_id="anna")

    with transaction(), django_assert_num_queries(1):
        people.resolve(groups=[known_as(external_id="anna")] * 3, seen_ats=[NOON] * 3, at=LATER)
    with transaction(), django_assert_num_queries(0):
        assert people.resolve(groups=[], seen_ats=[], at=LATER) == []


@pytest.mark.django_db(transaction=True)
def test_nobody_is_resolved_outside_a_transaction():
    with pytest.raises(NoTransaction):
        people.resolve(groups=[known_as(external_id="anna")], seen_ats=[NOON], at=NOON)
    with pytest.raises(NoTransaction):
        people.lock("t_acme")
    assert not Member.objects.exists()


few = st.sampled_from("abc")
groups_of_people = st.lists(
    st.dictionaries(st.sampled_from(["external_id", "telegram", "phone", "email", "card", "device"]), few).filter(
        lambda given_: given_.keys() - {"card", "device"}
    ),
    max_size=8,
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups_of_people)
def test_one_batch_does_what_single_events_in_a_row_would_do(db, history):
    groups = [tuple(SealedIdentity(kind, value, "sealed") for kind, value in given_.items()) for given_ in history]

    assert picture(lambda: resolve_in(groups)) == picture(lambda: [resolve_in([group])[0] for group in groups])


def resolve_in(groups):
    return people.resolve(groups=groups, seen_ats=[NOON] * len(groups), at=NOON)


def picture(story):
    """Run a story, undo it, and return what it led to, members numbered as they first appear in it."""
    with transaction():
        try:
            with savepoint():
                found = story()
                numbers = {member: n for n, member in enumerate(dict.fromkeys(found))}
                rows = Identity.objects.values_list("member_id", "kind", "lookup", "resolves")
                seen = ([numbers[m] for m in found], sorted((numbers[m], *rest) for m, *rest in rows))
                raise Undo
        except Undo:
            return seen


class Undo(Exception):
    """The story is told."""


# Single members


def test_upsert_says_whether_the_member_is_new():
    first = people.upsert(schema="t_acme", identities=known_as(external_id="anna"), at=NOON)
    again = people.upsert(schema="t_acme", identities=known_as(external_id="anna", telegram=4711), at=LATER)

    assert (first.created, again.created) == (True, False)
    assert first.member == again.member
    assert kept(first.member.pk) == [("external_id", True), ("telegram", True)]


def test_a_member_is_found_by_the_tenants_own_id():
    anna = resolve_one(external_id="anna", telegram=4711)

    assert people.get_by_external_id("anna").pk == anna
    assert people.find_external_id(anna) == "anna"
    assert people.find_by_external_id("4711") is None
    with pytest.raises(people.UnknownMember):
        people.get_by_external_id("boris")


def test_who_has_no_external_id_has_none():
    assert people.find_external_id(resolve_one(telegram=4711)) is None


@given(st.text(max_size=63))
def test_a_lock_key_is_a_signed_number_of_32_bits_and_stays_the_same(schema):
    assert -(2**31) <= people.lock_key(schema) < 2**31
    assert people.lock_key(schema) == people.lock_key(schema)


def test_lock_keys_do_not_change_between_releases():
    # Two releases may run at once during an upgrade, and must lock each other out.
    assert (people.lock_key("t_demo"), people.lock_key("t_demo_sandbox")) == (1815394002, 1444332566)


# Who was erased


@pytest.mark.parametrize("by", [{"email": "Anna@example.com"}, {"external_id": "u-1"}, {"telegram": "700"}])
def test_whoever_was_erased_and_comes_again_is_somebody_new_who_was_first_seen_then(by):
    before = resolve_one(external_id="u-1", email="anna@example.com", telegram="700")
    erase(before)

    (again,) = resolve(known_as(**({"external_id": "u-2"} | by)), at=LATER)

    found = Member.objects.get(pk=again)
    assert again != before
    assert (found.status, found.first_seen_at) == ("active", NOON)


def test_whoever_has_nothing_of_an_erased_person_is_new():
    erase(resolve_one(external_id="u-1", email="anna@example.com"))

    (other,) = resolve(known_as(external_id="u-2", email="boris@example.com"), at=LATER)

    assert Member.objects.get(pk=other).first_seen_at == LATER


def erase(member_id):
    """Leave what erasing leaves of a member: keyed indexes without values, which decide for nobody."""
    for each in Identity.objects.filter(member_id=member_id):
        is_plain = each.kind in {"external_id", "telegram"}
        lookup = sealing.index(schema="t_acme", kind=each.kind, lookup=each.lookup) if is_plain else each.lookup
        Identity.objects.filter(pk=each.pk).update(value="", resolves=False, lookup=lookup)
    Member.objects.filter(pk=member_id).update(status="erased")
