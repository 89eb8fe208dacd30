"""Why an event was or was not rewarded, in words that a marketer understands, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.judging import reasons
from campaigns import giving, versions, wording
from campaigns.definitions import Condition, Offer
from campaigns.models import CampaignVersion, Limit
from core.errors import type_of_text
from events.kinds import ALL
from rewards.models import Reward

POINTS = "points"

type_of_entry = Mapping[str, Any]
type_of_stored = type_of_entry | Sequence[Any]

# Code → sentence over the entry's params. Each code that deciding can give stands here once; a test holds it to that.
SENTENCES: dict[str, type_of_text] = {
    # Who brought whom
    "referred": _("The referral was credited to the inviter."),
    "not_invited": _("They came without a referral code or link."),
    "unknown_code": _("There is no such referral code."),
    "unknown_click": _("There is no such click on a referral link."),
    "outside_window": _("The link was followed too long ago, or after they joined."),
    "self_referral": _("Nobody can invite themselves."),
    "already_referred": _("They were invited before, and by whom never changes."),
    "existing_member": _("They were a customer before: only new ones can be invited."),
    "already_joined": _("They had joined before: nobody joins twice."),
    "loop": _("The inviter was invited by this very person."),
    # The campaign
    "chain_too_long": _("Nothing starts from it: %(max)s events have led to it, one after another."),
    "no_rule": _("No campaign has a rule for “%(kind)s”."),
    "campaign_not_started": _("It starts on %(starts_at)s: the campaign had not begun yet."),
    "campaign_over": _("It ended on %(ends_at)s: the campaign was over."),
    "campaign_paused": _("The campaign was paused."),
    "campaign_ended": _("The campaign had been ended."),
    "campaign_draft": _("The campaign was a draft."),
    "exclusive_group": _("Another campaign of the group “%(group)s” has rewarded this already."),
    # The rule
    "not_referred": _("Nobody invited this member, and the rule rewards a referral."),
    "not_first_order": _("It was not their first order: %(earlier)s came before."),
    "not_repeat_order": _("It was their first order, and the rule is for later ones."),
    "field_missing": _("The event does not say what the rule asks for: %(field)s."),
    "condition": _("The rule asks that %(condition)s; here it is %(found)s."),
    "no_condition": _("None of the conditions holds: %(misses)s"),
    "amount_zero": _("By the rule's amount this comes to nothing."),
    "already_rewarded": _("This rule has already rewarded them for it."),
    # Limits
    "member_blocked": _("The member is blocked."),
    "limit_count": _("The limit is reached: %(max)s rewards %(period)s, %(per)s."),
    "limit_points": _("The limit is reached: %(max)s points %(period)s, %(per)s."),
    "limit_cost": _("The limit is reached: %(max_minor)s %(period)s, %(per)s."),
    "budget": _("The campaign's budget of %(budget)s points has only %(left)s left."),
    "budget_cost": _("The campaign's budget of %(budget_minor)s has only %(left_minor)s left."),
    "balance_max": _("A member may have %(max)s at most, with all that is on its way."),
    "not_available": _("What the rule gives is not available: %(what)s."),
    "incomplete": _("The rule gives several things or none of them, and one could not be given: %(what)s. %(why)s"),
    # What came of it
    "granted": _("Granted: %(points)s."),
    "promised": _("Promised: %(points)s. It waits for “%(awaits)s”."),
    "promise_kept": _("What was promised is due: %(points)s."),
    "pending": _("On hold until %(matures_at)s: %(points)s."),
    "flagged": _("%(points)s, waiting for a moderator: %(signals)s."),
    "refused": _("Refused: %(signals)s."),
    "refunded": _("%(points)s taken back after a refund."),
    "below_threshold": _("%(points)s taken back: what is left of the order is not enough for the rule."),
    "not_taken_back": _("%(lost)s could not be taken back: %(lost_why)s."),
    "nothing_to_take_back": _("Order %(order)s had earned nothing that could be taken back."),
}
SIDES: dict[str, type_of_text] = {
    "actor": _("whoever did it"),
    "inviter": _("the inviter"),
    "invitee": _("the invited friend"),
}


def rendered(trace: Sequence[type_of_stored]) -> list[dict[str, Any]]:
    """
    Return a trace with all that its entries leave out because the campaign's version says it, and a `sentence` each.

    One statement reads the versions. An entry's `campaign` is the name that it had then.
    """
    (found,) = spelled_out([trace])
    return [{**entry, "sentence": sentence(entry)} for entry in found]


def spelled_out(traces: Sequence[Sequence[type_of_stored]]) -> list[list[dict[str, Any]]]:
    """Return the entries of traces as `rendered` does, without a sentence. One statement reads all versions."""
    stored = [[_as_mapping(entry) for entry in trace] for trace in traces]
    version_ids = {entry["version_id"] for entries in stored for entry in entries if "version_id" in entry}
    offers = {version.pk: versions.offer_in(version) for version in CampaignVersion.objects.filter(pk__in=version_ids)}
    return [[_whole(entry, offers.get(entry.get("version_id", 0))) for entry in entries] for entries in stored]


def sentence(entry: type_of_entry) -> str:
    """Return one rendered entry in words. A code that is not known (an older trace) is shown as it is."""
    code = str(entry.get("code", ""))
    known = SENTENCES.get(code)
    if known is None:
        return code
    told = str(known) % params_of(entry)
    is_exempt = ((entry.get("params") or {}).get("because") or {}).get("exempt")
    return f"{told} {gettext('What was seen does not count: they are exempt.')}" if is_exempt else told


def points_of(trace: Sequence[type_of_stored], *, outcome: str) -> int:
    """Return how many points of an outcome a stored trace tells of."""
    entries = (entry for entry in trace if isinstance(entry, Mapping) and entry.get("outcome") == outcome)
    return sum(int(entry.get("points") or 0) for entry in entries)


def others_of(trace: Sequence[type_of_stored]) -> int:
    """Return how many rewards of anything but points a stored trace tells of, be they given or flagged."""
    entries = (
        entry for entry in trace if isinstance(entry, Mapping) and entry.get("outcome") in {"rewarded", "flagged"}
    )
    return sum(bool(entry.get("given")) and "points" not in entry for entry in entries)


def _as_mapping(stored: type_of_stored) -> dict[str, Any]:
    """Return an entry as a mapping: a rule that was missed is stored as an array (scoring.earning)."""
    if isinstance(stored, Mapping):
        return dict(stored)
    version_id, rule_id, code, params = stored
    if code == "condition":
        index, found = params
        params = {"index": index, "found": found}
    return {"version_id": version_id, "rule_id": rule_id, "outcome": "missed", "code": code, "params": params}


def _whole(entry: type_of_entry, offer: Offer | None) -> dict[str, Any]:
    whole = {name: value for name, value in entry.items() if name != "version_id"}
    if offer:
        whole |= {"campaign_id": offer.campaign_id, "campaign": offer.name, "version": offer.number}
        whole["params"] = _asked(entry, offer) | dict(entry.get("params") or {})
        whole["recipient"] = next((line.recipient for line in offer.rules if line.id == entry.get("rule_id")), "")
    return whole


def _asked(entry: type_of_entry, offer: Offer) -> dict[str, Any]:
    """Return the condition that an entry of the code `condition` only counts."""
    index = (entry.get("params") or {}).get("index")
    lines = [line for line in offer.rules if line.id == entry.get("rule_id")]
    if index is None or not lines:
        return {}
    asked = lines[0].conditions[index]
    shown = list(asked.value) if isinstance(asked.value, tuple) else asked.value
    return {"field": asked.field, "operator": asked.operator, "value": shown}


class _Shown(dict[str, str]):
    """What a sentence does not find, it leaves out: an entry of an older shape must not break a page."""

    def __missing__(self, name: str) -> str:
        return "…"


def params_of(entry: type_of_entry) -> Mapping[str, str]:
    """Return what the sentence of an entry is made from, each in words."""
    params: Mapping[str, Any] = entry.get("params") or {}
    shown = _Shown({name: _plain(name, value) for name, value in params.items()})
    given, due = int(entry.get("given", entry.get("points")) or 0), int(entry.get("due") or 0)
    shown["points"] = _words(entry, given)
    if given < due and entry.get("status"):
        shown["points"] = gettext("%(points)s of %(due)s due") % {"points": shown["points"], "due": wording.whole(due)}
    if params.get("lost"):
        shown["lost"] = _words(entry, int(params["lost"]))
    if "why" in params:
        shown["why"] = sentence({"code": params["why"], "params": params.get("told", {})})
    shown |= _explained(params)
    if "days" in params:
        shown["period"] = gettext("in %(days)s days") % {"days": params["days"]}
    if params.get("everywhere"):
        shown["per"] = gettext("%(per)s, over all campaigns") % {"per": shown["per"]}
    if "misses" in params:
        shown["misses"] = " ".join(sentence({"code": miss["code"], "params": miss}) for miss in params["misses"])
    return shown


def _words(entry: type_of_entry, amount: int) -> str:
    kind, what = str(entry.get("kind", POINTS)), str(entry.get("what", ""))
    if (kind, what) == (POINTS, ""):
        return wording.points(amount)
    return giving.words(kind=kind, what=what, amount=amount)


def _explained(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition that a param only names, and what the signals came to."""
    found = _of_condition(params) if "field" in params else {}
    if params.get("because") and "signals" in params:
        found["signals"] = f"{_plain('signals', params['signals'])} ({reasons.because(params['because'])})"
    return found


# What a param says in words, where its value alone would not do.
PLAIN: Mapping[str, Callable[[Any], str]] = {
    "lost_why": lambda why: str(Reward.LostWhy(why).label).lower(),
    "what": lambda what: str(what) or gettext("points"),
    "period": lambda period: str(Limit.Period(period).label),
    "per": lambda per: str(Limit.Per(per).label),
    "kind": wording.kind,
    "awaits": wording.kind,
    "signals": lambda signals: gettext(", ").join(reasons.short(signal) for signal in signals),
}


def _plain(name: str, value: Any) -> str:
    if name in PLAIN:
        return PLAIN[name](value)
    if name.endswith("_at"):
        return date_format(localtime(datetime.fromisoformat(value)), "DATETIME_FORMAT")
    if name.endswith("_minor"):
        return wording.money(value)
    return wording.whole(value) if isinstance(value, int) else str(value)


def _of_condition(params: Mapping[str, Any]) -> dict[str, str]:
    trigger = _kind_with(str(params["field"]))
    field = wording.find_field(trigger, str(params["field"]))
    shown = {"field": str(field.label) if field else str(params["field"])}
    if "operator" in params:
        asked = Condition(field=params["field"], operator=params["operator"], value=params["value"])
        shown["condition"] = wording.condition(asked, trigger=trigger)
        shown["found"] = wording.value(params["found"], field)
    return shown


@cache
def _kind_with(field: str) -> str:
    # A field has one name and one label in every kind that has it.
    return next((kind.name for kind in ALL.values() if any(each.name == field for each in kind.fields)), "")
