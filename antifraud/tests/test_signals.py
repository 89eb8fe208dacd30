from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from antifraud import reasons, signals
from antifraud.observed import Observed, Policy, Seen

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)
POLICY = Policy(flag_from=50, refuse_from=150, signups_per_hour=10)
DAY = timedelta(days=1)


def observe(**told: Any) -> tuple[Seen, ...]:
    """Return what is seen of a referral that is beyond suspicion but for what is told."""
    usual = {
        "inviter_id": 1,
        "invitee_id": 2,
        "inviter_identities": frozenset({("external_id", "anna"), ("email", "a1")}),
        "invitee_identities": frozenset({("external_id", "boris"), ("email", "b1")}),
        "invitee_first_seen_at": NOON,
        "attributed_at": NOON,
        "signups_in_hour": 1,
    }
    return signals.observe(case=Observed(**{**usual, **told}), policy=POLICY)


def test_an_honest_referral_raises_nothing():
    assert observe() == ()


@pytest.mark.parametrize(
    ("kind", "weight"), [("telegram", 100), ("email", 100), ("phone", 100), ("card", 100), ("device", 60)]
)
def test_what_inviter_and_friend_share_is_seen(kind, weight):
    shared = frozenset({(kind, "same")})

    (seen,) = observe(inviter_identities=shared, invitee_identities=shared)

    assert seen == Seen(f"self_referral_{kind}", weight, {"kind": kind})


def test_the_same_text_of_another_kind_is_not_shared():
    assert observe(inviter_identities=frozenset({("email", "x")}), invitee_identities=frozenset({("card", "x")})) == ()


def test_a_shared_id_of_the_tenant_is_nothing_that_two_people_could_have():
    shared = frozenset({("external_id", "x")})

    assert observe(inviter_identities=shared, invitee_identities=shared) == ()


def test_several_shared_identities_are_seen_one_by_one():
    shared = frozenset({("device", "x"), ("email", "y"), ("email", "z")})

    seen = observe(inviter_identities=shared, invitee_identities=shared)

    assert [each.signal for each in seen] == ["self_referral_email", "self_referral_device"]


def test_a_friend_known_for_more_than_a_day_before_signing_up_was_known_before():
    assert observe(invitee_first_seen_at=NOON - DAY) == ()

    (seen,) = observe(invitee_first_seen_at=NOON - 3 * DAY)

    assert seen == Seen("known_before", 50, {"days": 3})


def test_velocity_begins_with_the_first_signup_beyond_the_policy():
    assert observe(signups_in_hour=10) == ()

    (seen,) = observe(signups_in_hour=11)

    assert seen == Seen("velocity", 50, {"signups": 11, "allowed": 10})


def test_moderators_are_told_of_each_signal_in_words():
    shared = frozenset((kind, "same") for kind in ("telegram", "email", "phone", "card", "device"))
    everything = observe(
        inviter_identities=shared,
        invitee_identities=shared,
        invitee_first_seen_at=NOON - 3 * DAY,
        signups_in_hour=11,
    )

    told = [{"signal": each.signal, "evidence": each.evidence} for each in everything]

    assert len(everything) == 7
    assert all(reasons.sentence(each) not in {each["signal"], reasons.short(each["signal"])} for each in told)
    assert all(reasons.short(each["signal"]) != each["signal"] for each in told)
