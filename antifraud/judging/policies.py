"""
The rows of the antifraud policy: the tenant's, those of campaigns, and what is tried beside each.

A row keeps what differs from what it stands over: the tenant's from each signal's own settings, a campaign's from the
tenant's. So a signal that comes with a release, or a better default of it, holds for everybody who has not chosen.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from antifraud.judging.observed import Setting
from antifraud.judging.policy import Chosen, Policies, Policy, policy_of, problems, shadow_problems
from antifraud.models import FraudPolicy
from campaigns.models import Campaign
from core.db import in_transaction
from core.errors import Conflict, Invalid


class PolicyExists(Conflict):
    """A campaign has one policy of its own at most."""

    message = _("This campaign has a policy of its own already.")


class NothingTried(Conflict):
    """There is no other policy beside this one."""

    message = _("No other policy is tried beside this one.")


class UnsoundPolicy(Invalid):
    """A setting that no signal has, or one out of its bounds. The sentence says which."""


def tenants() -> FraudPolicy:
    """Return the tenant's row, which a migration has made."""
    return FraudPolicy.objects.get(singleton=True)


def live_of(row: FraudPolicy) -> Policy:
    """Return what rewards are judged by."""
    return _policies(row).of(row.campaign_id or 0)


def shadow_of(row: FraudPolicy) -> Policy:
    """
    Return what is tried beside a policy.

    :raises NothingTried:
    """
    found = _policies(row).find_shadow(row.campaign_id or 0)
    if found is None:
        raise NothingTried
    return found


def base_of(row: FraudPolicy) -> Policy:
    """Return what a row stands over: what holds wherever it says nothing."""
    return policy_of(_chosen(tenants())) if row.campaign_id else policy_of(Chosen())


def differing(wanted: Mapping[str, Setting], base: Mapping[str, Setting]) -> dict[str, dict[str, Any]]:
    """Return what has to be kept of the wanted settings over the others."""
    found = {name: dict(_differing(each, base[name])) for name, each in wanted.items()}
    return {name: choices for name, choices in found.items() if choices}


@in_transaction
def write(*, row: FraudPolicy, wanted: Policy) -> None:
    """
    Judge by this from now on. What is tried beside it stays what it is.

    :raises UnsoundPolicy:
    """
    shadow = shadow_of(row) if row.shadow is not None else None
    row.flag_from, row.refuse_from = wanted.flag_from, wanted.refuse_from
    row.signals = differing(wanted.settings, base_of(row).settings)
    if shadow is not None:
        row.shadow = _beside(shadow, wanted)
    _require_sound(row)
    row.save(update_fields=["flag_from", "refuse_from", "signals", "shadow"])


@in_transaction
def add(*, campaign: Campaign) -> FraudPolicy:
    """
    Give a campaign a policy of its own, which says at first what the tenant's says.

    :raises PolicyExists:
    """
    own = tenants()
    given = {"singleton": None, "flag_from": own.flag_from, "refuse_from": own.refuse_from}
    row, is_new = FraudPolicy.objects.get_or_create(campaign=campaign, defaults=given)
    if not is_new:
        raise PolicyExists
    return row


@in_transaction
def try_beside(*, row: FraudPolicy, wanted: Policy, at: datetime) -> None:
    """
    Try another policy beside this one: what it would see is recorded from now on, and not acted on.

    :raises UnsoundPolicy:
    """
    row.shadow, row.shadow_since = _beside(wanted, live_of(row)), at
    _require_sound(row)
    row.save(update_fields=["shadow", "shadow_since"])


@in_transaction
def end_trial(*, row: FraudPolicy) -> None:
    """
    Try nothing more beside this one. What was recorded stays.

    :raises NothingTried:
    """
    shadow_of(row)
    row.shadow, row.shadow_since = None, None
    row.save(update_fields=["shadow", "shadow_since"])


@in_transaction
def make_live(*, row: FraudPolicy, at: datetime) -> None:
    """
    Judge by what was tried, and try what was judged by.

    :raises NothingTried:
    """
    live, wanted = live_of(row), shadow_of(row)
    row.flag_from, row.refuse_from = wanted.flag_from, wanted.refuse_from
    row.signals = differing(wanted.settings, base_of(row).settings)
    row.shadow, row.shadow_since = _beside(live, wanted), at
    row.save(update_fields=["flag_from", "refuse_from", "signals", "shadow", "shadow_since"])


def _require_sound(row: FraudPolicy) -> None:
    # Whoever scores reads what stands here, and could not say any more whose mistake it was.
    found = [*problems(row.signals), *(shadow_problems(row.shadow) if row.shadow is not None else ())]
    if found:
        raise UnsoundPolicy(" ".join(map(str, found)))


def _beside(shadow: Policy, live: Policy) -> dict[str, Any]:
    thresholds = {"flag_from": shadow.flag_from, "refuse_from": shadow.refuse_from}
    return {**thresholds, "signals": differing(shadow.settings, live.settings)}


def _differing(wanted: Setting, base: Setting) -> Mapping[str, Any]:
    told = {"mode": wanted.mode, "weight": wanted.weight, "always": wanted.always, **wanted.params}
    under = {"mode": base.mode, "weight": base.weight, "always": base.always, **base.params}
    return {key: value for key, value in told.items() if value != under[key]}


def _policies(row: FraudPolicy) -> Policies:
    return Policies([_chosen(tenants()), _chosen(row)] if row.campaign_id else [_chosen(row)])


def _chosen(row: FraudPolicy) -> Chosen:
    return Chosen(
        campaign_id=row.campaign_id,
        flag_from=row.flag_from,
        refuse_from=row.refuse_from,
        signals=row.signals,
        shadow=row.shadow,
    )
