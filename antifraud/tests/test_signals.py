"""Each signal sees what it is for, and nothing one step below."""

from dataclasses import replace
from datetime import timedelta

import pytest

from antifraud.judging import reasons
from antifraud.judging.observed import Listed, Pace, Seen
from antifraud.judging.ties import MEMBERS_MAX, type_of_identity
from antifraud.signals import SIGNALS
from antifraud.signals.disposable_email import is_throwaway
from antifraud.tests.pairs import (
    CARD,
    DEVICE,
    IP,
    PAIRS,
    PHONES,
    both,
    bought,
    in_one_network,
    invitee,
    inviter,
    paid_after,
    spent,
    told,
)
from antifraud.tests.sights import (
    ANNA,
    BORIS,
    NOON,
    alone,
    case,
    friends,
    named,
    party,
    seen,
    ties,
    with_traits,
)


@pytest.mark.parametrize("name", [each.name for each in SIGNALS])
def test_a_signal_sees_what_it_is_for_and_nothing_one_step_below(name):
    crooked, honest = PAIRS[name]

    assert name in named(crooked)
    assert name not in named(honest)


def test_each_signal_has_a_pair():
    assert [*PAIRS] == [each.name for each in SIGNALS]


def test_strangers_raise_nothing():
    assert seen(case()) == ()


@pytest.mark.parametrize("name", [each.name for each in SIGNALS])
def test_a_signal_that_is_off_sees_nothing_and_one_in_shadow_says_so(name):
    crooked = PAIRS[name][0]

    assert name not in named(crooked, {name: {"mode": "off"}})
    (found,) = [each for each in seen(crooked, {name: {"mode": "shadow"}}) if each.signal == name]
    assert found.is_shadow


@pytest.mark.parametrize("name", [each.name for each in SIGNALS])
def test_every_observation_has_a_sentence_over_its_evidence_and_a_short_name(name):
    (found,) = [each for each in seen(PAIRS[name][0]) if each.signal == name]

    told = reasons.sentence({"signal": name, "evidence": found.evidence})

    assert "%(" not in told
    assert told not in {name, reasons.short(name)}
    assert reasons.short(name) != name


# --- Self-referral --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "weight"), [("telegram", 100), ("email", 100), ("phone", 100), ("card", 100), ("device", 60)]
)
def test_one_shared_identity_weighs_by_its_kind(kind, weight):
    found = [each for each in seen(both((kind, "same"))) if each.signal.startswith("self_referral")]

    assert found == [Seen(f"self_referral_{kind}", weight, {"kind": kind})]


def test_equal_values_of_different_kinds_are_a_coincidence():
    assert named(case(inviter=party(ANNA, ("phone", "a")), invitee=party(BORIS, ("card", "a")))) == []


def test_a_family_with_one_tablet_and_a_phone_each_weighs_less_than_flags():
    family = case(inviter=party(ANNA, DEVICE, IP, PHONES[0]), invitee=party(BORIS, DEVICE, IP, PHONES[1]))

    assert [(each.signal, each.weight) for each in seen(family)] == [("self_referral_device", 25), ("shared_ip", 10)]


def test_a_phone_that_they_share_too_makes_them_no_two_people():
    one = case(inviter=party(ANNA, DEVICE, PHONES[0]), invitee=party(BORIS, DEVICE, PHONES[0], CARD))

    assert [each.weight for each in seen(one) if each.signal == "self_referral_device"] == [60]


def test_evidence_shows_what_is_shared_as_staff_may_see_it():
    cards = ties(party(ANNA, CARD), party(BORIS, CARD))
    shown = type(cards)(cards.identities, cards.holders, cards.inviters, {CARD: "card …4242"})

    (found,) = [each for each in seen(both(CARD, ties=shown)) if each.signal == "self_referral_card"]

    assert found.evidence == {"kind": "card", "value": "card …4242"}


# --- Ties -----------------------------------------------------------------------------------------------------------


def test_a_household_tablet_that_both_share_with_a_third_weighs_less_than_a_card():
    tablet = ties(party(ANNA, ("device", "x")), party(BORIS, DEVICE), party(9, ("device", "x"), DEVICE))

    (found,) = seen(case(ties=tablet))

    assert (found.signal, found.weight) == ("tied_through", 25)
    assert found.evidence == {"member": 9, "members": 1, "kinds": ["device"]}


def test_who_is_tied_directly_is_not_tied_through_another_besides():
    three = ties(*(party(each, CARD) for each in (ANNA, BORIS, 9)))

    assert "tied_through" not in named(both(CARD, ties=three))


def test_a_chain_that_comes_back_is_a_ring():
    # 7 invited 6, who invited Anna, who invited Boris, who pays with the card of 7.
    chain = ties(party(ANNA), party(BORIS, CARD), party(7, CARD), inviters={ANNA: 6, 6: 7})

    (found,) = [each for each in seen(case(invitee=party(BORIS, CARD), ties=chain)) if each.signal == "ring"]

    assert found.evidence == {"members": [ANNA, BORIS, 6, 7], "count": 4, "comes_back": True}


def test_a_grandchild_on_the_tablet_of_a_grandparent_is_no_ring():
    chain = ties(party(ANNA), party(BORIS, DEVICE), party(7, DEVICE), inviters={ANNA: 7})

    assert "ring" not in named(case(invitee=party(BORIS, DEVICE), ties=chain))


def swap(second: int, *, tied_to: type_of_identity = ("device", "hers")):
    """Return a case in which Anna brings 12, who is Boris again: he has invited somebody tied to her."""
    people = party(ANNA, ("device", "hers")), party(BORIS, DEVICE), party(12, DEVICE), party(second, tied_to)
    return case(invitee=people[2], ties=ties(*people, inviters={BORIS: 0, second: BORIS, 12: ANNA}))


def test_two_who_invite_each_other_s_second_accounts_are_a_ring():
    (found,) = [each for each in seen(swap(11)) if each.signal == "ring"]

    assert found.evidence == {"members": [ANNA, BORIS, 11, 12], "count": 4}
    assert "ring" not in named(swap(11, tied_to=("device", "somebody else's")))


def test_who_invites_somebody_who_was_there_before_brings_no_second_account():
    # Number 0 was a member before Anna: hers is the second account of the two.
    assert "ring" not in named(swap(0))


def test_a_chain_of_inviters_is_followed_four_steps_up_and_no_further():
    above = {ANNA: 5, 5: 6, 6: 7, 7: 8}

    def of(far):
        return ties(party(ANNA), party(BORIS, CARD), party(far, CARD), inviters=above)

    found = [named(case(invitee=party(BORIS, CARD), ties=of(far))) for far in (7, 8)]

    assert ["ring" in names for names in found] == [True, False]


@pytest.mark.parametrize(("siblings", "is_ring"), [(4, True), (3, False)])
def test_many_friends_of_one_inviter_who_are_tied_among_themselves_are_a_ring(siblings, is_ring):
    people = [party(BORIS, DEVICE), *(party(11 + place, DEVICE) for place in range(siblings))]

    found = seen(case(invitee=people[0], friends=friends(siblings), ties=ties(party(ANNA), *people)))

    rings = [each.evidence["members"] for each in found if each.signal == "ring"]
    assert rings == ([[ANNA, BORIS, 11, 12, 13, 14]] if is_ring else [])


def test_a_component_is_bounded():
    crowd = ties(*(party(each, DEVICE) for each in range(1, 200)))

    assert len(crowd.component(BORIS)) == MEMBERS_MAX


def test_a_component_is_followed_from_one_to_the_next():
    # Each shares a card with the next.
    row = ties(*(party(each, ("card", str(each)), ("card", str(each + 1))) for each in range(1, 9)))

    assert row.component(3) == {1, 2, 3, 4, 5, 6, 7, 8}
    assert row.near(3) == {2, 4}


# --- Friend after friend --------------------------------------------------------------------------------------------


def test_a_second_account_on_a_device_may_be_a_child_on_the_family_tablet():
    parent, child = party(11, DEVICE, PHONES[0]), party(12, DEVICE, PHONES[1])

    (found,) = seen(case(invitee=child, ties=ties(party(ANNA), child, parent)))

    assert (found.signal, found.weight, found.evidence) == ("second_account", 25, {"member": 11, "kind": "device"})


def test_who_has_nothing_but_the_device_of_an_older_member_weighs_more():
    parent, child = party(11, DEVICE, PHONES[0]), party(12, DEVICE)

    (found,) = seen(case(invitee=child, ties=ties(party(ANNA), child, parent)))

    assert (found.signal, found.weight) == ("second_account", 60)


def test_what_the_inviter_has_too_is_no_second_account_of_another():
    three = ties(party(ANNA, CARD), party(12, CARD), party(11, CARD))

    assert "second_account" not in named(case(invitee=party(12, CARD), ties=three))


def test_friends_of_other_days_are_in_no_crowd():
    crowd = in_one_network(7)
    later = tuple(replace(each, attributed_at=NOON + timedelta(days=1)) for each in crowd.friends)

    assert "friends_network" not in named(replace(crowd, friends=later))


def test_a_network_in_which_the_inviter_was_too_is_an_office():
    assert "friends_network" not in named(in_one_network(9, own=[("subnet", "s")]))


def test_a_network_of_few_among_many_friends_is_a_phone_network():
    assert "friends_network" in named(in_one_network(7, elsewhere=12))
    assert "friends_network" not in named(in_one_network(7, elsewhere=13))


def test_what_is_about_the_inviter_is_no_habit_of_friends():
    assert named(told(9, habits={"velocity": 9, "shared_ip": 9})) == []


def test_whom_a_moderator_has_cleared_is_under_no_suspicion():
    assert named(told(4, suspected=(50,) * 4, approved=2)) == []
    assert named(told(4, suspected=(50, 50, 49))) == []


@pytest.mark.parametrize(("alike", "weight"), [(1, 15), (2, 50)])
def test_many_sign_ups_from_everywhere_weigh_less_than_from_one_network(alike, weight):
    networks = ["same"] * alike + [f"other {place}" for place in range(10 - alike)]
    audience = [friends(1, member_id=20 + place, network=each)[0] for place, each in enumerate(networks)]

    (found,) = seen(case(signups=Pace(11, 11), friends=tuple(audience)))

    assert (found.signal, found.weight) == ("velocity", weight)


# --- Orders ---------------------------------------------------------------------------------------------------------


def test_who_signs_up_by_paying_does_one_thing_not_two_in_haste():
    assert named(bought(delay_seconds=0)) == []


def test_what_everybody_does_at_once_is_not_copied():
    assert "copied_delay" not in named(bought(delay_seconds=599, others=paid_after(9, 10, 10, 10)))


def test_days_later_near_is_a_quarter_of_an_hour_and_not_a_tenth_of_the_time():
    day = 24 * 60
    others = [paid_after(day, day + 15, each) for each in (day - 15, day - 16)]

    found = ["copied_delay" in named(bought(delay_seconds=day * 60, others=each)) for each in others]

    assert found == [True, False]


def test_of_many_friends_some_take_the_same_time_by_chance_and_some_spend_the_same():
    late = paid_after(*range(200, 204))
    rich = spent(*[90_000] * 4)

    alike = bought(delay_seconds=3600, others=[*paid_after(60, 60, 60), *late])
    just = bought(amount_minor=10_000, threshold_minor=10_000, others=[*spent(10_000, 10_000, 10_000), *rich])

    assert "copied_delay" in named(alike)
    assert "above_threshold" in named(just)
    one_more = bought(delay_seconds=3600, others=[*paid_after(60, 60, 60), *late, *paid_after(300)])
    assert "copied_delay" not in named(one_more)
    one_richer = [*spent(10_000, 10_000, 10_000), *rich, *spent(90_000)]
    assert "above_threshold" not in named(bought(amount_minor=10_000, threshold_minor=10_000, others=one_richer))


def test_an_order_below_the_threshold_or_without_one_is_not_just_above_it():
    near = spent(10_000, 10_000, 10_000)

    assert named(bought(amount_minor=10_000, threshold_minor=None, others=near)) == []
    assert named(bought(amount_minor=9_999, threshold_minor=10_000, others=near)) == []


def test_a_share_of_returned_orders_is_exact():
    orders = friends(1, orders=10, returned=4)[0], friends(1, member_id=12, orders=1)[0]

    assert named(case(friends=orders)) == []
    assert named(case(friends=orders[:1])) == ["refund_rate"]


# --- Lists, records -------------------------------------------------------------------------------------------------


def test_the_harder_line_of_two_stop_lists_says_what_then():
    lines = (Listed("block", "refuse", "card"), Listed("block", "flag", "email"))

    (found,) = seen(invitee(listed=lines))

    assert (found.always, found.evidence) == ("refuse", {"member": BORIS, "kind": "card"})


def test_whoever_earns_for_themselves_is_asked_for_lists_and_accounts_alone():
    listed = with_traits(party(BORIS), listed=(Listed("staff", "", "email"),), owes=3, is_bare=True)

    assert named(alone(invitee=listed, accounts={DEVICE: 6})) == ["own_staff", "many_accounts_device"]


@pytest.mark.parametrize(
    ("rejected", "approved", "weight"), [(1, 0, 25), (2, 0, 50), (9, 0, 50), (2, 4, 10), (2, 5, None), (0, 0, None)]
)
def test_rejected_cases_weigh_up_to_two_and_approved_ones_lighten_them(rejected, approved, weight):
    assert [each.weight for each in seen(inviter(rejected=rejected, approved=approved))] == ([weight] if weight else [])


# --- Mail -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "expected"),
    [("mailinator.com", True), ("x.mailinator.com", True), ("gmail.com", False), ("com", False), ("yandex.ru", False)],
)
def test_a_throwaway_domain_is_known_with_all_below_it(domain, expected):
    assert is_throwaway(domain) is expected


def test_a_shared_address_does_not_flag_even_in_a_rush():
    office = [Pace(60, 100)]
    case_ = case(
        campaign_pace=301,
        inviter=party(ANNA, IP, ("subnet", "s")),
        invitee=with_traits(party(BORIS, IP, ("subnet", "s")), pace={"ip": office[0], "subnet": office[0]}),
    )

    assert sum(each.weight for each in seen(case_)) == 40
    assert named(case_) == ["velocity_ip", "velocity_campaign", "shared_ip"]


def test_in_a_subnet_only_those_from_other_addresses_are_many():
    def of(ip, subnet):
        return named(case(invitee=with_traits(party(BORIS), pace={"ip": Pace(*ip), "subnet": Pace(*subnet)})))

    assert of((1, 1), (41, 41)) == ["velocity_subnet"]
    assert of((2, 2), (41, 41)) == []
    assert of((1, 10), (1, 100)) == ["velocity_subnet"]
    assert of((1, 11), (1, 100)) == []
