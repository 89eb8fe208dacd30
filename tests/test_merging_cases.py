"""Two members were merged: the cases about them are about the one who stays."""

from collections.abc import Iterator

import pytest

from antifraud.limits import counters
from antifraud.models import Case, StopRule, Trip
from antifraud.moderation import deciding, queue, reach
from antifraud.stops import firing
from core.db import transaction
from members import merging, people
from rewards import ledger
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag, staff_of

pytestmark = pytest.mark.django_db

BOTH = {"recipient": "both", "order_number": "any"}


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    yield Shop()
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


@transaction
def merge(away: str, *, into: str) -> int:
    both = [people.get_by_external_id(each) for each in (into, away)]
    return merging.merge(into=both[0], away=both[1], actor_kind="staff", actor="marta", at=NOON).away.pk


def flagged(shop: Shop, *, inviter: str = "anna", friend: str = "max") -> Case:
    flag(shop, inviter=inviter, friend=friend)
    return Case.objects.latest("pk")


@pytest.mark.parametrize(
    ("away", "recipient", "other"), [("max", "inviter", "anna"), ("anna", "invitee", "max")], ids=["friend", "inviter"]
)
def test_a_case_names_the_one_who_stays_and_nobody_else(shop, away, recipient, other):
    make_campaign(rule=BOTH | {"recipient": recipient})
    shop.joins("zoe")
    case = flagged(shop)
    gone = merge(away, into="zoe")

    shown = queue.shown_of([case], at=NOON)[case.pk]

    numbers = {person.member_id for person in shown.people}
    assert (numbers, gone in numbers) == ({shop.id_of("zoe"), shop.id_of(other)}, False)


def test_what_a_merged_friend_was_given_beside_the_case_is_told(shop):
    make_campaign(name="Welcome", rule={"trigger": "member.joined", "recipient": "invitee", "order_number": ""})
    make_campaign(rule=BOTH | {"recipient": "inviter"})
    shop.joins("zoe")
    shop.joins({"external_id": "anna", "card": "token-1"})
    shop.joins("max", invited_by="anna")
    shop.pays({"external_id": "max", "card": "token-1"}, "500")
    case = Case.objects.get()
    merge("max", into="zoe")

    assert reach.irreversible(case=case) == ["zoe has been given 100 for the same (Welcome), outside of this case."]


def test_an_open_case_of_a_friend_who_was_merged_takes_in_what_comes_later(shop):
    make_campaign(rule=BOTH)
    shop.joins("zoe")
    case = flagged(shop)
    held = case.case_rewards.count()
    merge("max", into="zoe")

    shop.pays("zoe", "500")

    case.refresh_from_db()
    assert case.group_key == f"referral:{shop.id_of('zoe')}:campaign:{case.campaign_id}"
    assert Case.objects.get() == case
    assert case.case_rewards.count() > held


def test_where_both_have_a_case_of_a_campaign_both_stay(shop):
    make_campaign(rule=BOTH)
    first = flagged(shop)
    second = flagged(shop, inviter="clara", friend="zoe")
    gone = merge("max", into="zoe")

    assert dict(Case.objects.filter(status="open").values_list("pk", "group_key")) == {
        first.pk: f"referral:{gone}:campaign:{first.campaign_id}",
        second.pk: f"referral:{shop.id_of('zoe')}:campaign:{second.campaign_id}",
    }


def test_a_decided_case_is_left_as_it_was(shop):
    make_campaign(rule=BOTH)
    shop.joins("zoe")
    case = flagged(shop)
    deciding.reject(case=case, by=staff_of("moderator"), at=NOON)
    gone = merge("max", into="zoe")

    case.refresh_from_db()
    assert (case.status, case.group_key) == ("rejected", f"referral:{gone}:campaign:{case.campaign_id}")


def test_what_a_stop_rule_flags_of_a_friend_who_was_merged_is_a_case_of_the_one_who_stays(shop):
    campaign = make_campaign(rule=BOTH | {"hold_days": 14})
    for name in ("zoe", "anna"):
        shop.joins(name)
    shop.joins("max", invited_by="anna")
    shop.pays("max", "500")
    merge("max", into="zoe")
    stop_rule = StopRule.objects.create(scope="campaign", action="stop", threshold=1)
    trip = Trip.objects.create(
        stop_rule=stop_rule,
        scope="campaign",
        campaign=campaign,
        metric="rewards",
        action="stop",
        figure=2,
        threshold=1,
        window_minutes=60,
        tripped_at=NOON,
    )

    with transaction():
        firing.act(trips=[trip], at=NOON)

    case = Case.objects.get()
    assert case.group_key == f"referral:{shop.id_of('zoe')}:campaign:{campaign.pk}"
    assert case.case_rewards.count() == 2
