"""Nobody decides about themselves, or about a friend whom they invited."""

from datetime import timedelta

import pytest

from antifraud.lists import bans
from antifraud.models import Case, Decision, Listing
from antifraud.moderation import deciding, owners, queue
from antifraud.moderation.owners import OwnCase
from core.db import transaction
from members.models import Member
from rewards.models import Posting
from tenants import context
from tenants.staff.models import Staff
from tests.cast import NOON, Shop, make_campaign
from tests.people import staff_of

EMAIL = "Max.Muster+work@gmail.com"
SAME_MAILBOX = "maxmuster@googlemail.com"


def flag_with(shop: Shop, *, of_inviter: str = "", of_friend: str = "") -> Case:
    """Flag Anna and Boris, each with an e-mail address perhaps, and return their case."""
    shop.joins({"external_id": "anna", "card": "token-1", **({"email": of_inviter} if of_inviter else {})})
    shop.joins(
        {"external_id": "boris", "card": "token-1", **({"email": of_friend} if of_friend else {})}, invited_by="anna"
    )
    shop.pays("boris", "500")
    return Case.objects.get()


def with_email(person: Staff, email: str = EMAIL) -> Staff:
    """Give somebody an address, after the rewards were scored: else scoring itself would refuse their own."""
    Staff.objects.filter(pk=person.pk).update(email=email)
    person.refresh_from_db()
    return person


@pytest.fixture(params=["both", "inviter"])
def offered(request: pytest.FixtureRequest, acme) -> str:
    """Reward both sides, or the inviter alone: the friend is a party all the same."""
    recipient = str(request.param)
    make_campaign(rule={"recipient": recipient})
    return recipient


def nothing_happened() -> bool:
    return Case.objects.get().status == "open" and not Decision.objects.exists() and not Posting.objects.exists()


@pytest.mark.parametrize("whose", ["of_inviter", "of_friend"])
def test_who_is_a_party_neither_approves_nor_rejects(offered, shop, max_, whose):
    case = flag_with(shop, **{whose: SAME_MAILBOX})

    for verb in (deciding.approve, deciding.reject):
        with pytest.raises(OwnCase):
            verb(case=case, by=with_email(max_), at=NOON)

    assert nothing_happened()


def test_somebody_else_decides_it(offered, shop, max_, mia):
    case = flag_with(shop, of_inviter=SAME_MAILBOX)

    deciding.approve(case=case, by=mia, at=NOON)

    assert shop.balance_of("anna") == 100


def test_who_is_a_party_does_not_undo_what_somebody_else_has_decided(offered, shop, max_, mia):
    case = flag_with(shop, of_inviter=SAME_MAILBOX)
    deciding.reject(case=case, by=mia, at=NOON)

    with pytest.raises(OwnCase):
        deciding.undo(case=case, by=with_email(max_), at=NOON)

    assert Case.objects.get().status == "rejected"


def test_not_even_a_superuser_decides_their_own_case(offered, shop):
    case = flag_with(shop, of_friend=SAME_MAILBOX)
    root = Staff.objects.create_superuser("root", password=None, email=EMAIL)

    with pytest.raises(OwnCase):
        deciding.approve(case=case, by=root, at=NOON)

    assert nothing_happened()


@pytest.mark.parametrize("email", ["", "not an address", "other@gmail.com"])
def test_an_address_that_nobody_here_has_makes_nobody_a_party(offered, shop, max_, email):
    case = flag_with(shop, of_inviter=SAME_MAILBOX)

    deciding.approve(case=case, by=with_email(max_, email), at=NOON)

    assert shop.balance_of("anna") == 100


def listed(shop: Shop, *, kind: str, lookup: str, note: str = "MAX", **columns: object) -> None:
    Listing.objects.create(list="staff", kind=kind, lookup=lookup, value=lookup, note=note, added_at=NOON, **columns)


def test_the_list_of_own_staff_says_which_member_somebody_is(offered, shop, max_, mia):
    case = flag_with(shop)
    listed(shop, kind="member", lookup=str(shop.id_of("boris")))

    with pytest.raises(OwnCase):
        deciding.approve(case=case, by=max_, at=NOON)

    assert nothing_happened()
    deciding.approve(case=case, by=mia, at=NOON)


def test_the_list_of_own_staff_may_say_it_by_what_the_member_is_known_by(offered, shop, max_):
    case = flag_with(shop)
    listed(shop, kind="external_id", lookup="anna")

    with pytest.raises(OwnCase):
        deciding.approve(case=case, by=max_, at=NOON)

    assert nothing_happened()


def test_a_line_whose_time_is_over_says_nothing(offered, shop, max_):
    case = flag_with(shop)
    listed(shop, kind="external_id", lookup="anna", until=NOON - timedelta(days=1))

    deciding.approve(case=case, by=max_, at=NOON)

    assert shop.balance_of("anna") == 100


def test_a_block_list_makes_nobody_a_party(offered, shop, max_):
    case = flag_with(shop)
    Listing.objects.create(
        list="block", kind="external_id", lookup="anna", value="anna", note="max", answer="flag", added_at=NOON
    )

    assert owners.own_of(cases=[case], by=max_, at=NOON) == set()


def test_an_address_of_another_tenants_member_makes_nobody_a_party(offered, shop, max_, bolt):
    with context.in_tenant("t_bolt"):
        stranger = Shop()
        stranger.joins({"external_id": "anna", "email": SAME_MAILBOX})

    case = flag_with(shop)

    assert owners.own_of(cases=[case], by=with_email(max_), at=NOON) == set()


def test_who_wrote_the_campaign_may_decide_and_the_queue_says_so(shop, max_, mia):
    make_campaign(rule={"recipient": "both"})
    marta = staff_of("admin", username="marta")
    case = flag_with(shop)

    assert queue.shown_of([case], viewer=marta, at=NOON)[case.pk].is_own_campaign
    assert not queue.shown_of([case], viewer=mia, at=NOON)[case.pk].is_own_campaign
    deciding.approve(case=case, by=marta, at=NOON)
    assert shop.balance_of("anna") == 100


def test_the_queue_says_which_case_is_ones_own(offered, shop, max_, mia):
    case = flag_with(shop, of_inviter=SAME_MAILBOX)

    assert queue.shown_of([case], viewer=with_email(max_), at=NOON)[case.pk].is_own
    assert not queue.shown_of([case], viewer=mia, at=NOON)[case.pk].is_own


def test_what_a_friend_whom_they_invited_earns_alone_is_not_theirs_to_decide(shop, max_, mia):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.joins({"external_id": "anna", "email": SAME_MAILBOX})
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    with transaction():
        bans.ban(member=Member.objects.get(pk=shop.id_of("boris")), by=mia, note="a farm", takes="granted", at=NOON)
    case = Case.objects.get()

    with pytest.raises(OwnCase):
        deciding.approve(case=case, by=with_email(max_), at=NOON)

    assert case.status == "open"
    assert not Decision.objects.exists()
    deciding.approve(case=case, by=mia, at=NOON)


def test_a_user_name_may_be_the_address(offered, shop):
    case = flag_with(shop, of_inviter=SAME_MAILBOX)

    with pytest.raises(OwnCase):
        deciding.approve(case=case, by=staff_of("moderator", username=EMAIL), at=NOON)

    assert nothing_happened()
