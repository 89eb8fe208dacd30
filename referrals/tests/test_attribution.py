from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from core.db import execute, savepoint, transaction
from core.errors import conflict_of
from referrals import attribution
from referrals.models import AttributionPolicy, Referral
from referrals.tests.stage import NOON
from referrals.touch import Policy

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


@transaction
def write(*new, qualified=None):
    return attribution.write(new=new, qualified=qualified or {})


# Reading


def test_the_policy_is_there_from_the_start(acme):
    assert attribution.policy() == Policy(window_days=30, touch="last", landing_url="")


def test_a_batch_is_read_in_one_statement(scene, anna, boris):
    vera = scene.member("vera")
    code = scene.code_of(anna).text
    clicks = [scene.click(boris, visitor="vera's", at=NOON), scene.click(anna, visitor="vera's", at=LATER)]
    AttributionPolicy.objects.update(window_days=7, touch="first")

    with CaptureQueriesContext(connection) as statements:
        found = attribution.gather(codes=[code], click_keys=[clicks[0].key], members=[vera.pk])

    assert len(statements) == 1
    assert found.policy == Policy(window_days=7, touch="first")
    assert found.codes[code].inviter_id == anna.pk
    assert {(each.inviter_id, each.at) for each in found.clicks[clicks[0].key]} == {(anna.pk, LATER), (boris.pk, NOON)}
    assert found.referrals == {}


def test_a_code_is_found_however_it_is_written(scene, anna):
    code = scene.code_of(anna).text

    found = attribution.gather(codes=[f" {code[:4].lower()}-{code[4:]}"], click_keys=[])

    assert list(found.codes) == [code]


def test_what_nobody_has_is_not_found(scene, anna):
    scene.click(anna)

    found = attribution.gather(codes=["", "0", "ANNA", "x" * 500], click_keys=["", "nobody's"])

    assert (found.codes, found.clicks) == ({}, {})


def test_clicks_of_other_visitors_are_nobody_s_business(scene, anna, boris):
    mine, _other = scene.click(anna, visitor="mine"), scene.click(boris, visitor="other")

    found = attribution.gather(codes=[], click_keys=[mine.key])

    assert [each.inviter_id for each in found.clicks[mine.key]] == [anna.pk]


def test_a_browser_that_clicks_without_end_is_read_up_to_a_hundred_clicks(scene, anna):
    clicks = [scene.click(anna, at=NOON + timedelta(seconds=n)) for n in range(102)]

    found = attribution.gather(codes=[], click_keys=[clicks[0].key])

    # In whatever order: which of them counts is said by their instants.
    assert {each.click_id for each in found.clicks[clicks[0].key]} == {each.pk for each in clicks[2:]}


def test_the_referrals_of_members_are_read(scene, anna, boris):
    vera = scene.member("vera")
    scene.brings(anna, boris, qualified_at=LATER)
    scene.brings(anna, vera)

    found = attribution.gather(codes=[], click_keys=[], members=[boris.pk])

    assert list(found.referrals) == [boris.pk]
    assert (found.referrals[boris.pk].inviter_id, found.referrals[boris.pk].qualified_at) == (anna.pk, LATER)


def test_where_a_newcomer_has_invited_others_the_chain_is_read(scene, anna, boris):
    vera = scene.member("vera")
    scene.brings(anna, boris)
    scene.brings(boris, vera)

    found = attribution.gather(codes=[scene.code_of(vera).text], click_keys=[], members=[anna.pk])
    others = attribution.gather(codes=[scene.code_of(vera).text], click_keys=[], members=[anna.pk], newcomers=[])

    assert {invitee: each.inviter_id for invitee, each in found.referrals.items()} == {
        vera.pk: boris.pk,
        boris.pk: anna.pk,
    }
    assert others.referrals == {}


# Writing


def test_referrals_are_written_in_one_statement(scene, anna):
    friends = [scene.member(f"friend-{n}") for n in range(30)]
    new = [scene.new(anna, each) for each in friends]

    with transaction(), CaptureQueriesContext(connection) as statements:
        ids = attribution.write(new=new, qualified={friends[0].pk: LATER})

    assert len(statements) == 1
    assert ids == {each.invitee_id: each.pk for each in Referral.objects.filter(inviter=anna)}
    assert list(Referral.objects.filter(qualified_at=LATER).values_list("invitee", flat=True)) == [friends[0].pk]


def test_what_was_touched_is_kept(scene, anna, boris):
    click = scene.click(anna)

    write(scene.new(anna, boris, click_id=click.pk, channel="telegram", utm={"source": "чат"}))

    referral = Referral.objects.get()
    assert (referral.click, referral.channel, referral.utm) == (click, "telegram", {"source": "чат"})


def test_nobody_is_re_pointed(scene, anna, boris):
    vera = scene.member("vera")
    first = scene.brings(anna, vera)

    assert write(scene.new(boris, vera)) == {}
    assert Referral.objects.get() == first


def test_of_two_in_one_batch_the_first_counts(scene, anna, boris):
    vera = scene.member("vera")

    write(scene.new(anna, vera), scene.new(boris, vera))

    assert Referral.objects.get().inviter == anna


def test_a_referral_qualifies_once(scene, anna, boris):
    referral = scene.brings(anna, boris)

    assert write(qualified={boris.pk: NOON}) == {boris.pk: referral.pk}
    assert write(qualified={boris.pk: LATER}) == {}

    referral.refresh_from_db()
    assert referral.qualified_at == NOON


def test_nobody_refers_themselves_whoever_writes(scene, anna):
    with pytest.raises(IntegrityError) as broken, transaction(), savepoint():
        attribution.write(new=[scene.new(anna, anna)], qualified={})

    assert conflict_of(broken.value) == "referral_not_of_oneself"


@pytest.mark.parametrize(
    "sql",
    ["UPDATE referrals_referral SET inviter_id = inviter_id", "DELETE FROM referrals_referral"],
)
def test_the_database_does_not_let_a_referral_be_changed(scene, anna, boris, sql):
    scene.brings(anna, boris)

    with pytest.raises(DatabaseError, match="append-only"), transaction(), savepoint():
        execute(sql)

    assert Referral.objects.get().inviter == anna
