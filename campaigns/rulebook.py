"""Everything a tenant offers and ever offered, compiled once per process and change."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from campaigns import conditions, definitions
from campaigns.definitions import LimitLine, Offer, RuleLine
from core import db
from tenants import context

TENANTS_MAX: Final = 500
EVER: Final = datetime.min.replace(tzinfo=UTC)

# The numbers of database and table tell them from others that took their names: a restored backup, a schema made again.
# A count notices a version whose transaction took a lower id but committed later, which the highest id would not.
REVISION = """
SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database_id,
    'campaigns_campaignversion'::regclass::oid::bigint AS table_id, count(*) AS versions, max(id) AS last_id
FROM campaigns_campaignversion
"""
VERSIONS = """
SELECT id, campaign_id, number, valid_from, definition
FROM campaigns_campaignversion ORDER BY campaign_id, number
"""
# The kinds that rules start from now, for statements in which another question would cost more than the answer.
TRIGGERS = """
SELECT rule.trigger FROM campaigns_rule rule JOIN campaigns_campaign campaign ON campaign.id = rule.campaign_id
WHERE rule.is_active AND campaign.status <> 'draft'
"""

type_of_line = tuple[Offer, "CompiledRule"]


class Revision(NamedTuple):
    """What has changed when a version was published."""

    database_id: int
    table_id: int
    versions: int
    last_id: int | None


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, and the functions that say why an event's fields, or the event alone, do not satisfy it."""

    line: RuleLine
    miss: conditions.type_of_miss
    screen: conditions.type_of_miss


class Rulebook:
    """
    The versions of all campaigns that were ever published, looked up by an event's kind and instant.

    Between two publications nothing changes, so that each such era keeps its answer for each kind.
    """

    def __init__(self, versions: Sequence[Any]) -> None:
        """Take rows of `CampaignVersion`, by campaign and number."""
        self._campaigns: dict[int, list[Any]] = {}
        for version in versions:
            self._campaigns.setdefault(version.campaign_id, []).append(version)
        # A campaign's first version counts from ever: whether it had begun then is for `Offer.miss_at` to say.
        self._eras = sorted({later.valid_from for each in self._campaigns.values() for later in each[1:]})
        self._lines: dict[tuple[int, str], tuple[type_of_line, ...]] = {}
        self._offers: dict[int, Offer] = {}
        self._limits: dict[int, tuple[LimitLine, ...]] = {}

    def offers(self, kind: str, occurred_at: datetime) -> tuple[type_of_line, ...]:
        """
        Return the rules on `kind` that were valid then, with their campaign as it was then.

        Campaigns that were paused, over or not yet begun are among them, so that a trace can say so. In the order
        in which they are tried: the highest priority first, then the oldest campaign, then the rules as they stand.
        """
        era = bisect_right(self._eras, occurred_at)
        found = self._lines.get((era, kind))
        if found is None:
            found = self._lines[era, kind] = self._lines_of(kind, self._eras[era - 1] if era else EVER)
        return found

    def now(self, campaign_id: int) -> Offer | None:
        """Return the last version of a campaign, or None for one that was never published."""
        versions = self._campaigns.get(campaign_id)
        return self._offer(versions[-1]) if versions else None

    def rule_in(self, campaign_id: int, version_id: int, rule_id: int) -> CompiledRule | None:
        """Return a rule as a version of its campaign had it, or None if that had no such rule."""
        found = next((each for each in self._campaigns.get(campaign_id, ()) if each.id == version_id), None)
        lines = self._offer(found).rules if found else ()
        return next((_compiled(line) for line in lines if line.id == rule_id), None)

    def limits(self, campaign_id: int) -> tuple[LimitLine, ...]:
        """Return every limit that any version of a campaign had, once for each period, without their maxima."""
        if campaign_id not in self._limits:
            lines = {
                (line["id"], line["per"], line["period"], line.get("days") or 0)
                for version in self._campaigns.get(campaign_id, ())
                for line in version.definition.get("limits", ())
            }
            self._limits[campaign_id] = tuple(
                LimitLine(id=each[0], per=each[1], period=each[2], days=each[3] or None) for each in sorted(lines)
            )
        return self._limits[campaign_id]

    @property
    def campaign_ids(self) -> tuple[int, ...]:
        """All campaigns that were ever published."""
        return tuple(self._campaigns)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of event that any version ever had a rule for."""
        definitions_ = (version.definition for versions in self._campaigns.values() for version in versions)
        return frozenset(rule["trigger"] for definition in definitions_ for rule in definition["rules"])

    def _lines_of(self, kind: str, at: datetime) -> tuple[type_of_line, ...]:
        valid = [self._offer(_valid_at(versions, at)) for versions in self._campaigns.values()]
        valid.sort(key=lambda offer: (-offer.priority, offer.campaign_id))
        return tuple((offer, _compiled(line)) for offer in valid for line in offer.rules if line.trigger == kind)

    def _offer(self, version: Any) -> Offer:
        if version.id not in self._offers:
            self._offers[version.id] = definitions.from_json(
                version.definition,
                campaign_id=version.campaign_id,
                version_id=version.id,
                number=version.number,
                valid_from=version.valid_from,
            )
        return self._offers[version.id]


def _compiled(line: RuleLine) -> CompiledRule:
    return CompiledRule(line, conditions.compile_rule(line), conditions.compile_screen(line))


_kept: OrderedDict[str, tuple[Revision, Rulebook]] = OrderedDict()


def current() -> Rulebook:
    """Return the current tenant's rulebook: one statement, and a second when a version was published since."""
    schema_name = context.current().schema_name
    revision = Revision(*db.fetch(REVISION)[0])
    kept = _kept.get(schema_name)
    if kept is None or kept[0] != revision:
        kept = (revision, Rulebook(db.fetch(VERSIONS)))
        _kept[schema_name] = kept
        while len(_kept) > TENANTS_MAX:
            _kept.popitem(last=False)
    return kept[1]


def _valid_at(versions: Sequence[Any], at: datetime) -> Any:
    # The last of those published by then; numbers decide between two of the same instant.
    index = bisect_right(versions, at, key=lambda version: version.valid_from)
    return versions[max(index - 1, 0)]
