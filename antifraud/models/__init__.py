"""Whether to pay: policy, lists, counters of limits, what was seen, what was decided, and what stops a campaign."""

from antifraud.models.cases import Case, CaseReward, Decision
from antifraud.models.counters import Counter, Tally
from antifraud.models.listings import Listing
from antifraud.models.policy import FraudPolicy
from antifraud.models.signals import Signal
from antifraud.models.stops import StopRule, Trip

__all__ = [
    "Case",
    "CaseReward",
    "Counter",
    "Decision",
    "FraudPolicy",
    "Listing",
    "Signal",
    "StopRule",
    "Tally",
    "Trip",
]
