"""
Who brings the most: inviters by the friends who joined or qualified, or by the points that these brought them.

What waits for a moderator, was refused or taken back does not count, and neither does whoever is blocked or erased.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core.db import fetch
from core.errors import Invalid
from members.names import is_own_id
from tenants import periods

BY: Final = ("qualified", "joined", "points")
PERIODS: Final = ("week", "month", "quarter", "all")
SHOWN_MAX: Final = 100
# So many stand above and below whoever is asked for.
NEIGHBOURS: Final = 2


class WindowIsEmpty(Invalid):
    """It ends before it begins."""

    message = _("The window must end after it begins.")


class PeriodAndWindow(Invalid):
    """Two windows at once."""

    message = _("Ask for a period, or for since and until, not for both.")


class Window(NamedTuple):
    """From `since` until just before `until`; None is open."""

    since: datetime | None
    until: datetime | None


class Place(NamedTuple):
    """Where an inviter stands. Equals share a place; of them whoever was there first is told first."""

    place: int
    member_id: int
    external_id: str | None
    figure: int


@dataclass(frozen=True, slots=True)
class Board:
    """The first places, of so many inviters in all."""

    total: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one inviter stands, or None for who has brought nobody, with the neighbours, themselves included."""

    total: int
    place: Place | None
    neighbours: tuple[Place, ...]


def window_of(
    *, period: str | None, since: datetime | None, until: datetime | None, zone: tzinfo, at: datetime
) -> Window:
    """
    Return the window of a calendar period of the tenant's, which has begun and goes on, or the one that is given.

    :raises PeriodAndWindow: | WindowIsEmpty
    """
    if since is None and until is None:
        begun = None if period == "all" else periods.start_of(period or "month", zone=zone, at=at)
        return Window(begun, None)
    if period is not None:
        raise PeriodAndWindow
    if since is not None and until is not None and since >= until:
        raise WindowIsEmpty
    return Window(since, until)


def inviters(*, by: str, window: Window, campaign_id: int | None, limit: int) -> Board:
    """Return the first `limit` inviters, in one statement."""
    rows = fetch(FIRST.replace("{counted}", _counted(by, campaign_id)), _params(window, campaign_id, limit=limit))
    return Board(total=rows[0].total if rows else 0, places=tuple(map(_place, rows)))


def standing_of(*, member_id: int, by: str, window: Window, campaign_id: int | None) -> Standing:
    """Return where one member stands, in one statement."""
    params = _params(window, campaign_id, member_id=member_id, neighbours=NEIGHBOURS)
    rows = fetch(AROUND.replace("{counted}", _counted(by, campaign_id)), params)
    places = tuple(_place(row) for row in rows if row.member_id is not None)
    own = next((each for each in places if each.member_id == member_id), None)
    return Standing(total=rows[0].total, place=own, neighbours=places)


def _place(row: Any) -> Place:
    return Place(row.place, row.member_id, row.external_id, row.figure)


def _counted(by: str, campaign_id: int | None) -> str:
    whole, of_campaign = COUNTED[by]
    return whole.replace("{of_campaign}", of_campaign if campaign_id is not None else "")


def _params(window: Window, campaign_id: int | None, **others: int) -> Mapping[str, Any]:
    return {
        "since": window.since or "-infinity",
        "until": window.until or "infinity",
        "campaign_id": campaign_id,
        **others,
    }


# What is counted, and what a campaign narrows it down by: friends by its links, or rewards that it gave.
COUNTED: Final = {
    "joined": (
        """
    SELECT f.inviter_id AS who, f.attributed_at AS at, 1 AS units FROM referrals_referral f {of_campaign}
    WHERE f.attributed_at >= %(since)s::timestamptz AND f.attributed_at < %(until)s::timestamptz
""",
        "JOIN referrals_click c ON c.id = f.click_id AND c.campaign_id = %(campaign_id)s",
    ),
    # A friend qualifies once. Whether that stands, the rewards know.
    "qualified": (
        """
    SELECT f.inviter_id AS who, f.qualified_at AS at, 1 AS units FROM referrals_referral f
    WHERE f.qualified_at >= %(since)s::timestamptz AND f.qualified_at < %(until)s::timestamptz AND f.id IN (
        SELECT r.referral_id FROM rewards_reward r
        WHERE r.side = 'inviter' AND r.status IN ('pending', 'granted') AND r.reversed + r.lost < r.given
            AND r.occurred_at >= %(since)s::timestamptz {of_campaign})
""",
        "AND r.campaign_id = %(campaign_id)s",
    ),
    "points": (
        """
    SELECT r.member_id AS who, r.occurred_at AS at, r.given - r.reversed - r.lost AS units FROM rewards_reward r
    WHERE r.side = 'inviter' AND r.status = 'granted' AND r.occurred_at >= %(since)s::timestamptz
        AND r.occurred_at < %(until)s::timestamptz
        AND r.asset_id = (SELECT id FROM rewards_asset WHERE code = 'points') {of_campaign}
""",
        "AND r.campaign_id = %(campaign_id)s",
    ),
}

# Of whoever was merged into another all is the other's.
PLACED = """
WITH counted AS ({counted}), figure AS (
    SELECT coalesce(m.merged_into_id, m.id) AS member_id, sum(counted.units)::bigint AS figure,
        max(counted.at) AS reached_at
    FROM counted JOIN members_member m ON m.id = counted.who
    GROUP BY 1
), placed AS (
    SELECT f.member_id, f.figure, rank() OVER (ORDER BY f.figure DESC) AS place,
        row_number() OVER (ORDER BY f.figure DESC, f.reached_at, f.member_id) AS nth, count(*) OVER () AS total
    FROM figure f JOIN members_member m ON m.id = f.member_id AND m.status = 'active'
    WHERE f.figure > 0
)
"""
OWN_ID = f"""
LEFT JOIN members_identity i ON i.member_id = p.member_id AND {is_own_id("i")}
"""
FIRST = f"""{PLACED}
SELECT p.place, p.member_id, i.lookup AS external_id, p.figure, p.total FROM placed p {OWN_ID}
WHERE p.nth <= %(limit)s ORDER BY p.nth
"""  # noqa: S608 (constants only)
# One row at least, for how many there are.
AROUND = f"""{PLACED}
SELECT p.place, p.member_id, i.lookup AS external_id, p.figure, board.total
FROM (SELECT count(*) AS total, max(nth) FILTER (WHERE member_id = %(member_id)s) AS nth FROM placed) board
LEFT JOIN placed p ON p.nth BETWEEN board.nth - %(neighbours)s AND board.nth + %(neighbours)s {OWN_ID}
ORDER BY p.nth
"""  # noqa: S608 (constants only)
