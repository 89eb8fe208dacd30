"""For each signal a case in which it sees something, and the nearest in which it does not."""

from datetime import timedelta

from antifraud.judging.observed import Bought, Listed, Pace
from antifraud.tests.sights import (
    ANNA,
    BORIS,
    NOON,
    case,
    friends,
    party,
    ties,
    with_traits,
)

PHONES = ("phone", "a"), ("phone", "b")
DEVICE, CARD, IP = ("device", "d"), ("card", "c"), ("ip", "i")
MINUTE = timedelta(minutes=1)


def both(*identities, **told):
    return case(inviter=party(ANNA, *identities), invitee=party(BORIS, *identities), **told)


def invitee(**traits):
    return case(invitee=with_traits(party(BORIS), **traits))


def inviter(**traits):
    return case(inviter=with_traits(party(ANNA), **traits))


def bought(amount_minor=None, threshold_minor=None, delay_seconds=None, others=(), **told):
    return case(bought=Bought(amount_minor, threshold_minor, delay_seconds), friends=tuple(others), **told)


def paid_after(*minutes):
    return [friends(1, member_id=20 + place, paid_at=NOON + each * MINUTE)[0] for place, each in enumerate(minutes)]


def spent(*amounts):
    return [friends(1, member_id=20 + place, amount_minor=each)[0] for place, each in enumerate(amounts)]


def tied(count, *, invited=0, **told):
    """Return a case in which Boris shares a device with so many in all, of whom so many were invited by Anna."""
    others = [party(11 + place, DEVICE) for place in range(count - 1)]
    people = [party(ANNA), party(BORIS, DEVICE), *others]
    inviters = {each.id: others[0].id for each in others[1 : invited + 1]}
    return case(invitee=people[1], ties=ties(*people, inviters=inviters), **told)


def in_one_network(count, *, elsewhere=4, own=()):
    """Return a case in which so many other friends came from Boris's network, and others from other ones."""
    others = [friends(1, member_id=20 + place, network="s")[0] for place in range(count)]
    strangers = [friends(1, member_id=40 + place, network=f"other {place}")[0] for place in range(elsewhere)]
    return case(inviter=party(ANNA, *own), invitee=party(BORIS, ("subnet", "s")), friends=(*others, *strangers))


def told(rewarded, **traits):
    """Return a case of an inviter so many of whose friends have earned something."""
    return inviter(rewarded=rewarded, **traits)


# Signal → a case in which it sees something, and the nearest in which it does not.
PAIRS = {
    "block_list": (
        invitee(listed=(Listed("block", "flag", "email"),)),
        invitee(listed=(Listed("exempt", "", "email"),)),
    ),
    "self_referral_telegram": (both(("telegram", "7")), case(inviter=party(ANNA, ("telegram", "7")))),
    "self_referral_email": (both(("email", "e")), case(invitee=party(BORIS, ("email", "e")))),
    "self_referral_phone": (
        both(("phone", "p")),
        case(inviter=party(ANNA, PHONES[0]), invitee=party(BORIS, PHONES[1])),
    ),
    "self_referral_card": (both(CARD), case(inviter=party(ANNA, CARD), invitee=party(BORIS, ("card", "other")))),
    "self_referral_device": (both(DEVICE), case(inviter=party(ANNA, DEVICE), invitee=party(BORIS, ("device", "e")))),
    "tied_through": (
        case(ties=ties(party(ANNA, CARD), party(BORIS, DEVICE), party(9, CARD, DEVICE))),
        case(ties=ties(party(ANNA, CARD), party(BORIS, DEVICE), party(8, CARD), party(9, DEVICE))),
    ),
    "second_account": (
        case(invitee=party(12, CARD), ties=ties(party(ANNA), party(12, CARD), party(11, CARD))),
        # Who came later has their own story.
        case(invitee=party(12, CARD), ties=ties(party(ANNA), party(12, CARD), party(13, CARD))),
    ),
    "ring": (tied(6, invited=3), tied(5, invited=3)),
    "known_before": (
        case(invitee=party(BORIS, first_seen_at=NOON - timedelta(days=1, seconds=1))),
        case(invitee=party(BORIS, first_seen_at=NOON - timedelta(days=1))),
    ),
    "own_staff": (invitee(listed=(Listed("staff", "", "member"),)), invitee()),
    "datacenter": (
        invitee(listed=(Listed("datacenter", "", "ip_range"),)),
        inviter(listed=(Listed("datacenter", "", "ip_range"),)),
    ),
    "email_alike": (both(("email_alike", "e")), both(("email_alike", "e"), ("email", "same"))),
    "emails_alike": (
        case(
            invitee=party(BORIS, ("email_alike", "e")),
            friends=friends(2),
            ties=ties(*(party(each, ("email_alike", "e")) for each in (BORIS, 11, 12))),
        ),
        case(
            invitee=party(BORIS, ("email_alike", "e")),
            friends=friends(1),
            # The third is no friend of Anna's.
            ties=ties(*(party(each, ("email_alike", "e")) for each in (BORIS, 11, 12))),
        ),
    ),
    "disposable_email": (invitee(throwaway=("mailinator.com",)), invitee()),
    "many_accounts_device": (case(accounts={DEVICE: 6}), case(accounts={DEVICE: 5})),
    "many_accounts_card": (case(accounts={CARD: 3}), case(accounts={CARD: 2})),
    "velocity": (case(signups=Pace(11, 11)), case(signups=Pace(10, 30))),
    "velocity_device": (invitee(pace={"device": Pace(5, 5)}), invitee(pace={"device": Pace(4, 6)})),
    "velocity_card": (invitee(pace={"card": Pace(1, 5)}), invitee(pace={"card": Pace(3, 4)})),
    "velocity_ip": (invitee(pace={"ip": Pace(16, 16)}), invitee(pace={"ip": Pace(15, 40)})),
    "velocity_subnet": (invitee(pace={"subnet": Pace(1, 91)}), invitee(pace={"subnet": Pace(40, 90)})),
    "velocity_campaign": (case(campaign_pace=301), case(campaign_pace=300)),
    "quick_order": (bought(delay_seconds=60), bought(delay_seconds=61)),
    "copied_delay": (
        bought(delay_seconds=60 * 60, others=paid_after(54, 60, 66)),
        bought(delay_seconds=60 * 60, others=paid_after(54, 60, 67)),
    ),
    "above_threshold": (
        bought(amount_minor=10_500, threshold_minor=10_000, others=spent(10_000, 10_500)),
        bought(amount_minor=10_500, threshold_minor=10_000, others=spent(10_000, 10_501)),
    ),
    "refund_rate": (
        case(friends=friends(1, orders=5, returned=2)),
        case(friends=friends(1, orders=4, returned=4)),
    ),
    "returned_after_hold": (inviter(outlived=(6, 2)), inviter(outlived=(7, 2))),
    "young_telegram": (
        case(invitee=party(BORIS, ("telegram", "1000")), telegram_newest=999),
        case(invitee=party(BORIS, ("telegram", "999")), telegram_newest=999),
    ),
    "empty_telegram": (invitee(is_bare=True), invitee(is_bare=False)),
    "shared_ip": (both(IP), case(inviter=party(ANNA, IP), invitee=party(BORIS, ("ip", "j")))),
    "shared_subnet": (both(("subnet", "s")), both(("subnet", "s"), IP)),
    "friends_network": (in_one_network(7), in_one_network(6)),
    "habit": (
        told(6, habits={"datacenter": 3}),
        told(7, habits={"datacenter": 3}),
    ),
    "friends_suspected": (
        told(10, suspected=(50, 50, 50)),
        told(11, suspected=(50, 50, 50)),
    ),
    "inviter_record": (inviter(rejected=1, approved=2), inviter(rejected=1, approved=3)),
    "owes": (inviter(owes=1), invitee(owes=1)),
}
