"""Allow, flag or refuse: thresholds, what is always so, shadow, exemptions."""

import pytest

from antifraud.judging import verdict
from antifraud.judging.observed import Seen
from antifraud.judging.policy import Chosen, policy_of

POLICY = policy_of(Chosen(flag_from=50, refuse_from=150))


def seen(*weights, always="", is_shadow=False):
    return [Seen(f"signal-{place}", weight, {}, always, is_shadow) for place, weight in enumerate(weights)]


@pytest.mark.parametrize(
    ("weights", "answer"),
    [((), "allow"), ((49,), "allow"), ((50,), "flag"), ((25, 25), "flag"), ((149,), "flag"), ((100, 50), "refuse")],
)
def test_weights_add_up_and_each_threshold_belongs_to_its_answer(weights, answer):
    assert verdict.decide(seen=seen(*weights), policy=POLICY).answer == answer


def test_a_verdict_says_what_it_rests_on():
    assert verdict.decide(seen=seen(60, 50), policy=POLICY).because == {"weights": [60, 50], "sum": 110, "from": 50}
    assert verdict.decide(seen=seen(100, 60), policy=POLICY).because == {"weights": [100, 60], "sum": 160, "from": 150}
    assert verdict.decide(seen=seen(10), policy=POLICY).because == {}


def test_what_always_flags_or_refuses_does_so_whatever_it_weighs():
    flagged = verdict.decide(seen=seen(0, always="flag"), policy=POLICY)
    refused = verdict.decide(seen=[*seen(0, always="flag"), Seen("block_list", 0, {}, "refuse")], policy=POLICY)

    assert (flagged.answer, flagged.because) == ("flag", {"always": ["signal-0"]})
    assert (refused.answer, refused.because) == ("refuse", {"always": ["block_list"]})


def test_enough_weight_refuses_what_would_always_be_flagged():
    assert verdict.decide(seen=seen(150, always="flag"), policy=POLICY).answer == "refuse"


def test_what_is_in_shadow_is_kept_and_does_not_count():
    judged = verdict.decide(seen=[*seen(49), *seen(500, always="refuse", is_shadow=True)], policy=POLICY)

    assert (judged.answer, len(judged.seen), len(judged.shadow)) == ("allow", 1, 1)


def test_of_whoever_is_exempt_nothing_counts_but_a_stop_list():
    lifted = verdict.decide(seen=seen(500), policy=POLICY, is_exempt=True)
    listed = verdict.decide(seen=[*seen(500), Seen("block_list", 50, {}, "flag")], policy=POLICY, is_exempt=True)

    assert (lifted.answer, lifted.because, len(lifted.seen)) == ("allow", {"exempt": True}, 1)
    assert (listed.answer, listed.because) == ("flag", {"always": ["block_list"]})


def test_an_exemption_of_whom_nothing_was_seen_says_nothing():
    assert verdict.decide(seen=[], policy=POLICY, is_exempt=True).because == {}


PLANTED = [Seen(name, 50, {}) for name in ("velocity", "refund_rate", "friends_suspected", "ring")]


def test_what_others_can_bring_about_flags_and_never_refuses_by_its_weight():
    judged = verdict.decide(seen=PLANTED, policy=POLICY)

    assert (judged.answer, judged.because) == ("flag", {"weights": [50, 50, 50, 50], "sum": 200, "from": 50})


def test_beside_it_only_what_the_two_show_themselves_refuses():
    email, device = Seen("self_referral_email", 100, {}), Seen("self_referral_device", 50, {})

    assert verdict.decide(seen=[email, *PLANTED], policy=POLICY).answer == "flag"
    refused = verdict.decide(seen=[email, *PLANTED, device], policy=POLICY)
    assert (refused.answer, refused.because) == ("refuse", {"weights": [100, 50], "sum": 150, "from": 150})


def test_a_tenant_may_choose_that_it_always_refuses():
    judged = verdict.decide(seen=[Seen("ring", 60, {}, "refuse")], policy=POLICY)

    assert (judged.answer, judged.because) == ("refuse", {"always": ["ring"]})
