"""How careful to be: what the tenant and its campaigns chose, over what each signal has by itself. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from antifraud.judging.observed import Setting
from antifraud.signals import SIGNALS
from antifraud.signals.signal import WEIGHT_MAX, Signal
from core.errors import translated as _
from core.errors import type_of_text

MODES: Final = ("live", "shadow", "off")
ALWAYS: Final = ("", "flag", "refuse")
FLAG_FROM, REFUSE_FROM = 50, 150
THRESHOLD_MAX: Final = 32_767

type_of_choices = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Policy:
    """From which weight on a reward is flagged or refused, and how each signal is used, by its name."""

    flag_from: int
    refuse_from: int
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A row of antifraud.models.FraudPolicy: the tenant's (`campaign_id` None) or a campaign's."""

    campaign_id: int | None = None
    flag_from: int = FLAG_FROM
    refuse_from: int = REFUSE_FROM
    signals: type_of_choices | None = None
    shadow: Mapping[str, Any] | None = None


class Policies:
    """The policy of each campaign: its own, over the tenant's, over what each signal has by itself."""

    def __init__(self, rows: Sequence[Chosen] = ()) -> None:
        self._rows = {each.campaign_id: each for each in rows}
        self._tenant = self._rows.get(None) or Chosen()

    def of(self, campaign_id: int) -> Policy:
        """Return the policy that a campaign's rewards are judged by."""
        own = self._rows.get(campaign_id)
        if own is None:
            return policy_of(self._tenant)
        return _policy(own.flag_from, own.refuse_from, _text(self._tenant.signals), _text(own.signals))

    def find_shadow(self, campaign_id: int) -> Policy | None:
        """Return the policy that is tried on a campaign's rewards without being acted on, if there is one."""
        own = self._rows.get(campaign_id) or self._tenant
        if own.shadow is None:
            return None
        told = own.shadow
        thresholds = int(told.get("flag_from", own.flag_from)), int(told.get("refuse_from", own.refuse_from))
        below = () if own is self._tenant else (_text(self._tenant.signals),)
        return _policy(*thresholds, *below, _text(own.signals), _text(told.get("signals")))


def policy_of(row: Chosen) -> Policy:
    """Return the policy that one row says."""
    return _policy(row.flag_from, row.refuse_from, _text(row.signals))


def problems(signals: object) -> list[type_of_text]:
    """Return what is wrong with `FraudPolicy.signals`, each as a sentence that names the signal."""
    if not isinstance(signals, Mapping):
        return [_("This must be an object: a signal's name, and its settings.")]
    known = {each.name: each for each in SIGNALS}
    found: list[type_of_text] = []
    for name, choices in signals.items():
        signal = known.get(name)
        if signal is None:
            found.append(_("There is no signal “%(name)s”.") % {"name": name})
        elif not isinstance(choices, Mapping):
            found.append(_("The settings of “%(name)s” must be an object.") % {"name": name})
        else:
            found += _problems_of(signal, choices)
    return found


def shadow_problems(shadow: object) -> list[type_of_text]:
    """Return what is wrong with `FraudPolicy.shadow`."""
    if not isinstance(shadow, Mapping):
        return [_("This must be an object: flag_from, refuse_from, signals.")]
    found: list[type_of_text] = [
        _("A policy has no “%(name)s”.") % {"name": name}
        for name in shadow
        if name not in {"flag_from", "refuse_from", "signals"}
    ]
    flag_from, refuse_from = shadow.get("flag_from", FLAG_FROM), shadow.get("refuse_from", REFUSE_FROM)
    if not (_is_within(flag_from, 1, THRESHOLD_MAX) and _is_within(refuse_from, 1, THRESHOLD_MAX)):
        found.append(_("The thresholds must be whole numbers from 1 to %(max)s.") % {"max": THRESHOLD_MAX})
    elif refuse_from <= flag_from:
        found.append(_("What refuses must be more than what flags."))
    return found + problems(shadow.get("signals", {}))


def _problems_of(signal: Signal, choices: Mapping[str, Any]) -> Iterator[type_of_text]:
    named = {"name": signal.name}
    if choices.get("mode", "live") not in MODES:
        yield _("The mode of “%(name)s” must be live, shadow or off.") % named
    if choices.get("always", "") not in ALWAYS:
        yield _("What “%(name)s” always does must be flag, refuse or nothing.") % named
    bounds = {"weight": (0, WEIGHT_MAX)} | {key: (each.minimum, each.maximum) for key, each in signal.params.items()}
    for key, value in choices.items():
        if key in {"mode", "always"}:
            continue
        if key not in bounds:
            yield _("“%(name)s” has no setting “%(key)s”.") % {**named, "key": key}
        elif not _is_within(value, *bounds[key]):
            told = {**named, "key": key, "min": bounds[key][0], "max": bounds[key][1]}
            yield _("“%(key)s” of “%(name)s” must be a whole number from %(min)s to %(max)s.") % told


def _is_within(value: object, minimum: int, maximum: int) -> bool:
    return type(value) is int and minimum <= value <= maximum


# Choices as sorted text: equal ones of all tenants and batches are read once.
type_of_text_of_choices = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]


def _text(choices: type_of_choices | None) -> type_of_text_of_choices:
    return tuple(sorted((name, tuple(sorted(each.items()))) for name, each in (choices or {}).items()))


@lru_cache(maxsize=2000)
def _policy(flag_from: int, refuse_from: int, *layers: type_of_text_of_choices) -> Policy:
    chosen: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for name, choices in layer:
            chosen.setdefault(name, {}).update(choices)
    return Policy(flag_from, refuse_from, {each.name: _setting(each, chosen.get(each.name, {})) for each in SIGNALS})


def _setting(signal: Signal, chosen: Mapping[str, Any]) -> Setting:
    return Setting(
        mode=chosen.get("mode", signal.mode),
        weight=chosen.get("weight", signal.weight),
        always=chosen.get("always", signal.always),
        params={name: chosen.get(name, each.default) for name, each in signal.params.items()},
    )
