"""Codes that members choose: what can be had, what it leads to, and that everybody's own stay theirs."""

from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.codes import new_code
from core.db import transaction
from members import erasing
from referrals import codes, links
from referrals.codes import ChosenBefore, CodeTaken, InvalidCode, ReservedCode, TooManyCodes
from referrals.links import UnknownCode
from referrals.models import Code, Referral
from referrals.tests.stage import NOON
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import Shop
from tests.races import race

pytestmark = pytest.mark.django_db


@transaction
def choose(member, text):
    return codes.choose(member_id=member.pk, text=text, key="bot (abc)", at=NOON)


def code_of(member):
    return codes.code_of(member_id=member.pk, at=NOON)


def chosen():
    return list(Code.objects.filter(is_chosen=True).order_by("pk").values_list("text", flat=True))


def test_a_member_shares_the_code_they_chose_last_and_the_others_work_on(scene, anna):
    random = code_of(anna)

    assert choose(anna, "anna-26") == "ANNA26"
    assert choose(anna, "Anna") == "ANNA"

    assert code_of(anna) == "ANNA"
    assert [(each.text, each.is_chosen) for each in codes.list_of(member_id=anna.pk)] == [
        ("ANNA", True),
        ("ANNA26", True),
        (random, False),
    ]
    for text in ("anna", "ANNA 26", random):
        assert links.get(code=text, campaign_id=None, at=NOON).code == text.replace(" ", "").upper()
    told = AuditEntry.objects.filter(action="code.chosen").order_by("id")
    assert [(each.actor_kind, each.actor, each.target, each.changes) for each in told] == [
        ("key", "bot (abc)", f"member:{anna.pk}", {"code": "ANNA26"}),
        ("key", "bot (abc)", f"member:{anna.pk}", {"code": "ANNA"}),
    ]


def test_what_is_chosen_again_is_chosen_once(anna):
    choose(anna, "ANNA")

    assert choose(anna, "anna") == "ANNA"

    assert chosen() == ["ANNA"]
    assert AuditEntry.objects.filter(action="code.chosen").count() == 1


@pytest.mark.parametrize("text", ["ANN", "A" * 17, "ИВАН", "AN_NA", "", "ANNA\u0000", new_code(rng=Random(7))])  # noqa: S311
def test_what_is_no_code_cannot_be_chosen(anna, text):
    with pytest.raises(InvalidCode):
        choose(anna, text)

    assert chosen() == []


@pytest.mark.parametrize("text", ["admin", "Sup-port", "null", "acme", "ADM1N", "SUPP0RT", "0ff1cia1"])
def test_what_seems_to_be_ours_or_the_tenant_s_cannot_be_chosen(anna, text):
    with pytest.raises(ReservedCode):
        choose(anna, text)

    assert chosen() == []


@pytest.mark.parametrize("text", ["anna", "AN-NA", "Ａｎｎａ", "\u0410NN\u0410"])
def test_a_code_is_somebody_s_however_it_is_written(anna, boris, text):
    choose(anna, "ANNA")

    with pytest.raises(CodeTaken):
        choose(boris, text)

    assert chosen() == ["ANNA"]


@pytest.mark.parametrize("text", ["B0B0", "BOB0", "B0BO"])
def test_a_code_that_looks_like_somebody_s_is_taken(anna, boris, text):
    choose(boris, "BOBO")

    with pytest.raises(CodeTaken):
        choose(anna, text)

    assert chosen() == ["BOBO"]


def test_one_and_the_letters_that_look_like_it_are_the_same(anna, boris):
    choose(boris, "LILI")

    with pytest.raises(CodeTaken):
        choose(anna, "1IL1")


def test_a_code_that_differs_where_it_can_be_seen_is_free(anna, boris):
    choose(boris, "BOBO")

    assert choose(anna, "BOBA") == "BOBA"


def test_somebody_s_random_code_cannot_be_chosen(anna, boris):
    Code.objects.create(text="ABCD", member=boris, created_at=NOON)

    with pytest.raises(CodeTaken):
        choose(anna, "ABCD")


def test_what_was_chosen_before_is_not_shared_again_and_works(anna):
    choose(anna, "ANNA")
    choose(anna, "ANNUSHKA")

    with pytest.raises(ChosenBefore):
        choose(anna, "ANNA")

    assert code_of(anna) == "ANNUSHKA"
    assert links.get(code="ANNA", campaign_id=None, at=NOON).code == "ANNA"


def test_nobody_has_more_than_five(anna):
    texts = [f"ANNA{number}" for number in range(5)]
    for text in texts:
        choose(anna, text)

    with pytest.raises(TooManyCodes):
        choose(anna, "ANNA5")

    assert chosen() == texts


def test_the_code_of_somebody_erased_leads_nowhere_and_is_nobody_else_s(anna, boris):
    choose(anna, "ANNA")
    with transaction():
        erasing.erase(member=anna, actor_kind="key", actor="bot", at=NOON)

    with pytest.raises(UnknownCode):
        links.get(code="ANNA", campaign_id=None, at=NOON)
    with pytest.raises(CodeTaken):
        choose(boris, "ANNA")


def test_a_friend_who_types_it_is_brought_by_its_owner(acme):
    shop = Shop()
    shop.joins("anna")
    with transaction():
        codes.choose(member_id=shop.id_of("anna"), text="ANNA", key="bot", at=NOON)

    shop.joins("boris", code="an-na")
    shop.joins("vera", code="ANNE")

    made = Referral.objects.select_related("code").get()
    assert (made.inviter_id, made.invitee_id, made.code.text) == (shop.id_of("anna"), shop.id_of("boris"), "ANNA")


@pytest.mark.parametrize("typed", ["ОLEG", "оleg", "ОLЕG"])
def test_a_friend_who_types_a_russian_o_is_brought_by_its_owner_too(acme, typed):
    shop = Shop()
    shop.joins("oleg")
    with transaction():
        codes.choose(member_id=shop.id_of("oleg"), text="OLEG", key="bot", at=NOON)

    shop.joins("boris", code=typed)

    assert Referral.objects.get().inviter_id == shop.id_of("oleg")


def test_another_tenant_has_codes_of_its_own(scene, anna, bolt):
    choose(anna, "ANNA")

    with context.in_tenant(bolt.schema_name):
        assert chosen() == []
        with pytest.raises(UnknownCode):
            links.get(code="ANNA", campaign_id=None, at=NOON)


def test_asking_for_a_known_code_still_costs_one_statement(anna):
    choose(anna, "ANNA")

    with CaptureQueriesContext(connection) as statements:
        code_of(anna)

    assert len(statements) == 1


@pytest.mark.django_db(transaction=True)
def test_chosen_by_many_at_once_a_code_is_one_member_s(scene):
    several = [scene.member(f"member-{number}") for number in range(8)]

    def choosing(member):
        text = "B0B0" if member.pk % 2 else "BOBO"
        return lambda: codes.choose(member_id=member.pk, text=text, key="bot", at=NOON)

    found = race(*map(choosing, several))

    assert sorted(getattr(each, "code", each) for each in found) == sorted(["code_taken"] * 7 + chosen())
    assert len(chosen()) == 1


@pytest.mark.django_db(transaction=True)
def test_one_who_chooses_many_at_once_has_five(anna):
    def choosing(number):
        return lambda: codes.choose(member_id=anna.pk, text=f"ANNA{number}", key="bot", at=NOON)

    found = race(*map(choosing, range(2, 10)))

    assert [getattr(each, "code", "") for each in found].count("too_many_codes") == 3
    assert len(chosen()) == 5
