"""A policy is what was chosen, over the tenant's choice, over what each signal has by itself."""

import pytest

from antifraud.judging import policy
from antifraud.judging.policy import Chosen, Policies, policy_of
from antifraud.signals import SIGNALS

TENANT = Chosen(flag_from=40, signals={"velocity": {"allowed": 5, "weight": 30}})
OWN = Chosen(campaign_id=7, flag_from=60, refuse_from=200, signals={"velocity": {"weight": 90}})


def velocity(found):
    setting = found.settings["velocity"]
    return setting.mode, setting.weight, setting.always, setting.params["allowed"], setting.params["allowed_day"]


def test_by_itself_every_signal_is_live_and_within_its_bounds():
    found = policy_of(Chosen())

    assert (found.flag_from, found.refuse_from) == (50, 150)
    assert [*found.settings] == [each.name for each in SIGNALS]
    assert {each.mode for each in found.settings.values()} == {"live"}
    chosen = {each.name: {key: param.default for key, param in each.params.items()} for each in SIGNALS}
    assert policy.problems(chosen) == []


def test_a_campaigns_own_policy_falls_back_to_the_tenants_setting_by_setting():
    policies = Policies([TENANT, OWN])

    of_others, of_own = policies.of(8), policies.of(7)

    assert (of_others.flag_from, of_others.refuse_from, velocity(of_others)) == (40, 150, ("live", 30, "", 5, 30))
    assert (of_own.flag_from, of_own.refuse_from, velocity(of_own)) == (60, 200, ("live", 90, "", 5, 30))


def test_a_shadow_differs_from_its_policy_by_what_it_says_alone():
    shadow = {"flag_from": 30, "signals": {"velocity": {"allowed": 1}}}
    policies = Policies([Chosen(signals=TENANT.signals, shadow=shadow), OWN])

    tried = policies.find_shadow(8)

    assert tried is not None
    assert (tried.flag_from, tried.refuse_from, velocity(tried)) == (30, 150, ("live", 30, "", 1, 30))
    assert policies.find_shadow(7) is None


@pytest.mark.parametrize(
    ("signals", "problem"),
    [
        ([], "This must be an object: a signal's name, and its settings."),
        ({"horoscope": {}}, "There is no signal “horoscope”."),
        ({"velocity": 5}, "The settings of “velocity” must be an object."),
        ({"velocity": {"mode": "on"}}, "The mode of “velocity” must be live, shadow or off."),
        ({"velocity": {"always": "pay"}}, "What “velocity” always does must be flag, refuse or nothing."),
        ({"velocity": {"colour": 1}}, "“velocity” has no setting “colour”."),
        ({"velocity": {"weight": 1001}}, "“weight” of “velocity” must be a whole number from 0 to 1000."),
        ({"velocity": {"weight": -1}}, "“weight” of “velocity” must be a whole number from 0 to 1000."),
        ({"velocity": {"weight": True}}, "“weight” of “velocity” must be a whole number from 0 to 1000."),
        ({"velocity": {"allowed": 0}}, "“allowed” of “velocity” must be a whole number from 1 to 1000."),
        ({"velocity": {"allowed": "5"}}, "“allowed” of “velocity” must be a whole number from 1 to 1000."),
    ],
)
def test_what_is_wrong_with_a_choice_is_said_with_the_signals_name(signals, problem):
    assert [str(each) for each in policy.problems(signals)] == [problem]


def test_all_that_is_wrong_is_said_at_once():
    assert len(policy.problems({"velocity": {"mode": "on", "weight": -1}, "horoscope": {}})) == 3


@pytest.mark.parametrize(
    ("shadow", "problem"),
    [
        (5, "This must be an object: flag_from, refuse_from, signals."),
        ({"colour": 1}, "A policy has no “colour”."),
        ({"flag_from": 0}, "The thresholds must be whole numbers from 1 to 32767."),
        ({"flag_from": 60, "refuse_from": 60}, "What refuses must be more than what flags."),
        ({"signals": {"horoscope": {}}}, "There is no signal “horoscope”."),
    ],
)
def test_what_is_wrong_with_a_shadow_is_said(shadow, problem):
    assert [str(each) for each in policy.shadow_problems(shadow)] == [problem]


def test_a_shadow_that_says_nothing_is_the_policy_itself():
    assert policy.shadow_problems({}) == []
