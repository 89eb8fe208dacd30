"""What one version of a campaign says, as frozen values, and its JSON. No database: scoring reads nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

# A whole number (of minor units for money), a text, several texts, or yes/no.
type_of_value = int | str | bool | tuple[str, ...]

ACTIVE = "active"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Miss(NamedTuple):
    """Why something did not apply: a code to test for, and what a sentence about it needs. JSON can hold both."""

    code: str
    params: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One row of a rule: this field of the event compares so with that value. Money is in minor units."""

    field: str
    operator: str
    value: type_of_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A step of the ladder: from this qualified referral on, each pays so much."""

    from_count: int
    amount_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """
    How many rewards, points or minor units at most: `per` whom or what, in a `period` of the tenant's zone.

    `days` are those of a rolling period. `when_short` says what to do when less is left than is due: "" as the
    campaign does.
    """

    id: int  # the row of Limit: what is used of it is counted under this
    per: str
    period: str
    max_count: int | None = None
    max_points: int | None = None
    days: int | None = None
    max_cost_minor: int | None = None
    when_short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """Something that a rule gives together with its reward: so many of `what`, of a kind of reward."""

    kind: str
    what: str = ""
    amount: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """When `trigger` happens and the conditions hold, the recipient is due an amount."""

    id: int
    position: int
    trigger: str
    recipient: str
    order_number: str
    match: str
    conditions: tuple[Condition, ...]
    reward_kind: str
    amount_kind: str
    amount_points: int | None
    rate_bps: int | None
    hold_days: int
    reward_what: str = ""  # of points: the programme's own
    extras: tuple[Extra, ...] = ()
    awaits: str = ""
    awaits_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One version of a campaign: in force from `valid_from` until the next one. Only rules in use are in it."""

    campaign_id: int
    name: str
    version_id: int
    number: int
    valid_from: datetime
    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    budget_points: int | None
    when_short: str
    priority: int
    exclusive_group: str
    rules: tuple[RuleLine, ...]
    limits: tuple[LimitLine, ...]
    tiers: tuple[Tier, ...]
    refund_policy: str = "to_zero"
    budget_minor: int | None = None

    def miss_at(self, occurred_at: datetime) -> Miss | None:
        """Return why the campaign as a whole rewards nothing that occurred then, or None. The end is not part of it."""
        # Before its first version a campaign was no offer yet, unless it says that it had started earlier.
        starts_at = self.starts_at or self.valid_from
        if occurred_at < starts_at:
            return Miss("campaign_not_started", {"starts_at": starts_at.isoformat()})
        if self.ends_at and occurred_at >= self.ends_at:
            return Miss("campaign_over", {"ends_at": self.ends_at.isoformat()})
        if self.status != ACTIVE:
            return Miss(f"campaign_{self.status}")
        return None


def as_json(offer: Offer) -> dict[str, Any]:
    """Return what `CampaignVersion.definition` stores: all but what its own columns say."""
    told = asdict(offer)
    for column in ("campaign_id", "version_id", "number", "valid_from"):
        del told[column]
    for instant in ("starts_at", "ends_at"):
        told[instant] = told[instant] and told[instant].isoformat()
    return {key: _listed(value) for key, value in told.items()}


def from_json(
    definition: Mapping[str, Any], *, campaign_id: int, version_id: int, number: int, valid_from: datetime
) -> Offer:
    """Return the offer that `as_json` was given. What an older definition does not have gets its default."""
    return Offer(
        campaign_id=campaign_id,
        name=definition["name"],
        version_id=version_id,
        number=number,
        valid_from=valid_from,
        status=definition["status"],
        starts_at=_instant(definition.get("starts_at")),
        ends_at=_instant(definition.get("ends_at")),
        budget_points=definition.get("budget_points"),
        when_short=definition.get("when_short", "refuse"),
        priority=definition.get("priority", 0),
        exclusive_group=definition.get("exclusive_group", ""),
        rules=tuple(_rule(each) for each in definition.get("rules", ())),
        limits=tuple(LimitLine(**each) for each in definition.get("limits", ())),
        tiers=tuple(Tier(**each) for each in definition.get("tiers", ())),
        refund_policy=definition.get("refund_policy", "to_zero"),
        budget_minor=definition.get("budget_minor"),
    )


def conditions_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Return stored rows, `[{"field", "operator", "value"}]`, as conditions."""
    return tuple(Condition(field=row["field"], operator=row["operator"], value=_frozen(row["value"])) for row in rows)


def _rule(told: Mapping[str, Any]) -> RuleLine:
    extras = tuple(Extra(**each) for each in told.get("extras", ()))
    return RuleLine(**{**told, "conditions": conditions_of(told.get("conditions", ())), "extras": extras})


def _frozen(value: Any) -> type_of_value:
    return tuple(value) if isinstance(value, list) else value


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _listed(value: Any) -> Any:
    # JSON has no tuples: what is stored must equal what is read back, or every save would look like a change.
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, (list, tuple)) else value
