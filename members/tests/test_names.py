"""How members are called in lists."""

import pytest

from members import identities, people
from members.names import names_of
from tests.cast import NOON


@pytest.fixture
def made(acme):
    def make(**given: str) -> int:
        ready = identities.prepare(schema=acme.schema_name, identities=given, region="RU")
        return people.upsert(schema=acme.schema_name, identities=ready, at=NOON).member.pk

    return make


def test_the_tenants_own_id_comes_first(made):
    anna = made(email="anna@example.com", external_id="anna")

    assert names_of([anna]) == {anna: "anna"}


def test_without_it_a_person_is_called_by_what_is_known_masked(made):
    by_telegram, by_mail = made(telegram="812344123", phone="+79123456789"), made(email="boris@example.com")

    assert names_of([by_mail, by_telegram]) == {by_telegram: "Telegram 812344123", by_mail: "b***@e***.com"}


def test_nobody_is_asked_for(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert names_of([None]) == {}


def test_many_take_one_statement(made, django_assert_num_queries):
    ids = [made(external_id=name) for name in ("anna", "boris", "clara")]

    with django_assert_num_queries(1):
        assert list(names_of(ids).values()) == ["anna", "boris", "clara"]
