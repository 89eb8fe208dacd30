"""How much of a limit is used, in words and figures for a page, in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from antifraud.limits import filling, heaviest
from antifraud.limits.filling import Share, Use
from antifraud.limits.heaviest import Top
from antifraud.limits.places import THINGS
from campaigns import summary, wording
from campaigns.models import Campaign
from core.backoffice import path_to
from core.db import current_schema
from members import identities
from members.names import names_of


@dataclass(frozen=True, slots=True)
class Line:
    """One maximum: "900 of 1,000 points", with how much of it is used in percent."""

    text: str
    percent: int
    used: int
    maximum: int

    @property
    def tone(self) -> str:
        """How the mark beside it looks."""
        return "mark-bad" if self.percent >= 100 else "mark-warn" if self.percent >= filling.ALARM_PERCENT else ""


@dataclass(frozen=True, slots=True)
class Whose:
    """Somebody, or a device or card, and what they have used."""

    name: str
    url: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A limit with its use. `until` says when its period ends, by the reader's clock."""

    sentence: str
    until: str
    lines: tuple[Line, ...]
    top: tuple[Whose, ...]
    is_each: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """A budget or limit that is nearly used up: whose, of what, and where to look."""

    title: str
    sentence: str
    line: Line
    url: str


def alarms_of(uses: Sequence[Use]) -> list[Alarm]:
    """Return what the first page says of budgets and limits that are nearly used up, the fullest first."""
    names = dict(Campaign.objects.filter(pk__in=[use.campaign_id for use in uses]).values_list("pk", "name"))
    return [
        Alarm(
            title=names.get(use.campaign_id) or gettext("All campaigns"),
            sentence=gettext("%(limit)s, %(until)s") % {"limit": _sentence(use), "until": _until(use)},
            line=max(_lines(use.shares), key=lambda line: line.percent),
            url=reverse("admin:campaigns_limit_use", args=[use.campaign_id])
            if use.campaign_id
            else reverse("admin:campaigns_limit_use_everywhere"),
        )
        for use in sorted(uses, key=lambda use: -use.percent)
    ]


def of_use(use: Use, *, zone: tzinfo, at: datetime) -> Told:
    """Return what a page says of a limit or budget, with the twenty who have used most of one for each by itself."""
    is_each = use.limit is not None and use.limit.per != "campaign" and not use.shares
    top = heaviest.top_of(use, zone=zone, at=at) if is_each else []
    return Told(_sentence(use), _until(use), _lines(use.shares), _whose(use, top), is_each)


def of_share(share: Share) -> str:
    """Return how much of a maximum is used: "900 of 1,000 points"."""
    if share.measure == "cost_minor":
        told = {"used": wording.money(share.used), "max": wording.money(share.maximum)}
        return gettext("%(used)s of %(max)s") % told
    told = {"used": wording.whole(share.used), "max": wording.whole(share.maximum)}
    if share.measure == "points":
        return ngettext("%(used)s of %(max)s point", "%(used)s of %(max)s points", share.maximum) % told
    return ngettext("%(used)s of %(max)s reward", "%(used)s of %(max)s rewards", share.maximum) % told


def _lines(shares: Sequence[Share]) -> tuple[Line, ...]:
    return tuple(
        Line(of_share(share), share.percent, min(share.used, share.maximum), share.maximum) for share in shares
    )


def _sentence(use: Use) -> str:
    if use.limit is None:
        return gettext("Budget")
    if not use.campaign_id:
        return summary.sentence_of_limit(use.limit)
    return summary.sentence_of_own_limit(use.limit)


def _until(use: Use) -> str:
    if use.limit and use.limit.days:
        days = ngettext(
            "the last %(days)s day, today included", "the last %(days)s days, today included", use.limit.days
        )
        return days % {"days": use.limit.days}
    return gettext("until %(end)s") % {"end": wording.instant(use.ends_at)} if use.ends_at else gettext("for ever")


def _whose(use: Use, top: Sequence[Top]) -> tuple[Whose, ...]:
    if use.limit is None or not top:
        return ()
    if use.limit.per in THINGS:
        names = _names_of_things(use.limit.per, top)
        return tuple(Whose(names[each.subject_id], "", _lines(each.shares)) for each in top)
    named = names_of(each.subject_id for each in top)
    return tuple(
        Whose(named[each.subject_id], path_to("members.member", each.subject_id), _lines(each.shares)) for each in top
    )


def _names_of_things(kind: str, top: Sequence[Top]) -> dict[int, str]:
    found = heaviest.things_of(kind=kind, subject_ids=[each.subject_id for each in top])
    names = {}
    for each in top:
        row = found[each.subject_id]
        masked = identities.masked(schema=current_schema(), kind=row.kind, value=row.value) if row.value else kind
        members = ngettext("%(count)s member", "%(count)s members", row.members) % {"count": wording.whole(row.members)}
        names[each.subject_id] = gettext("%(thing)s, %(members)s") % {"thing": masked, "members": members}
    return names
