from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.codes import is_code, new_code
from referrals import codes
from referrals.models import Code
from referrals.tests.stage import NOON
from tests.races import race

pytestmark = pytest.mark.django_db


def code_of(member, **more):
    return codes.code_of(member_id=member.pk, at=NOON, **more)


def test_a_code_is_made_when_it_is_first_asked_for(anna):
    code = code_of(anna)

    assert is_code(code)
    assert code_of(anna) == code
    made = Code.objects.get()
    assert (made.text, made.member, made.created_at) == (code, anna, NOON)


def test_a_known_code_costs_one_statement(anna):
    code_of(anna)

    with CaptureQueriesContext(connection) as statements:
        code_of(anna)

    assert len(statements) == 1


def test_a_code_that_is_taken_is_drawn_again(anna, boris):
    taken = new_code(rng=Random(7))  # noqa: S311
    Code.objects.create(text=taken, member=anna, created_at=NOON)

    code = code_of(boris, rng=Random(7))  # noqa: S311

    assert code != taken
    assert is_code(code)


def test_gives_up_where_every_draw_is_taken(anna, boris):
    class Stuck(Random):
        def choice(self, seq):
            return seq[1]

    Code.objects.create(text=new_code(rng=Stuck(1)), member=anna, created_at=NOON)

    with pytest.raises(codes.NoFreeCode):
        code_of(boris, rng=Stuck(1))

    assert not Code.objects.filter(member=boris).exists()


@pytest.mark.django_db(transaction=True)
def test_asked_for_many_times_at_once_there_is_one_code(anna):
    found = race(*[lambda: code_of(anna)] * 8)

    assert set(found) == {Code.objects.get().text}
