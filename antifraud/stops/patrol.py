"""
The stop rules that no batch has just looked at, and what goes on by itself.

Too little of something, an anomaly that falls due as the hour goes by, a rest that is over: no event brings these. It
reads the sums of minutes, never events: the number of statements does not depend on how much has happened.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from antifraud.stops import firing, lookout, resuming, tallies, windows
from antifraud.stops.minutes import TENANT, Subject
from antifraud.stops.watch import Watch
from antifraud.stops.windows import STOPPABLE, PastTrip, StopLine
from core import db
from core.db import in_transaction, transaction
from events import facts
from members import people
from tenants import context

# Of more channels and inviters than these the ones that nothing has happened to for longest are left to their batches.
SUBJECTS_MAX: Final = 2_000
# Who has fallen silent is still looked at for so long after the window.
SILENCE: Final = timedelta(days=1)

# Nothing moves where nothing has happened, nothing is to go on, and no rule waits for something to happen.
DUE = """
SELECT 1 WHERE EXISTS (SELECT FROM antifraud_trip WHERE resumed_at IS NULL AND resume_at <= %(at)s)
    OR EXISTS (SELECT FROM antifraud_stoprule WHERE is_active AND comparison = 'below')
    OR EXISTS (SELECT FROM antifraud_tally WHERE minute >= %(at)s::timestamptz - make_interval(
        mins => (SELECT max(window_minutes)::int FROM antifraud_stoprule WHERE is_active)))
"""
# Since when each campaign has been active without a break: the first version after the last that was not.
CAMPAIGNS = """
SELECT c.id, c.status, CASE WHEN c.status = 'active' AND (c.ends_at IS NULL OR c.ends_at > %(at)s) THEN (
    SELECT GREATEST(c.starts_at, min(v.valid_from)) FROM campaigns_campaignversion v
    WHERE v.campaign_id = c.id AND v.number > COALESCE((
        SELECT max(o.number) FROM campaigns_campaignversion o
        WHERE o.campaign_id = c.id AND o.definition ->> 'status' <> 'active'), 0)) END AS active_since
FROM campaigns_campaign c WHERE NOT c.is_builtin AND c.status <> 'draft'
"""


def is_due(*, at: datetime) -> bool:
    """Tell whether there is anything to look at, in one statement and without the tenant's lock."""
    return bool(db.fetch(DUE, {"at": at}))


@transaction
def walk(*, at: datetime) -> int:
    """Look at every stop rule in use, do what follows, let go on what is to; return how many have fired."""
    people.lock(context.current().schema_name)
    resuming.resume_due(at=at)
    rules, trips = lookout.read(at=at)
    return _look(rules, trips, at=at) if rules else 0


@in_transaction
def _look(rules: Sequence[StopLine], trips: Sequence[PastTrip], *, at: datetime) -> int:
    campaigns = {row.id: row for row in db.fetch(CAMPAIGNS, {"at": at})}
    since = {Subject("campaign", str(row.id)): row.active_since for row in campaigns.values()}
    subjects = _heard_of(rules, at=at) | since
    zone = context.zone()
    asked = windows.windows_of(stop_rules=rules, trips=trips, subjects=subjects, zone=zone, at=at)
    watch = Watch(
        stop_rules=rules,
        trips=trips,
        sums=tallies.read(asked),
        zone=zone,
        may_stop=lambda campaign_id: campaign_id in campaigns and campaigns[campaign_id].status in STOPPABLE,
        at=at,
    )
    for subject, known_since in subjects.items():
        watch.look(subject, known_since=known_since)
    opened = firing.record(tripped=watch.tripped, at=at)
    facts.record(facts=firing.act(trips=opened, at=at), at=at)
    return len(opened)


def _heard_of(rules: Sequence[StopLine], *, at: datetime) -> dict[Subject, datetime | None]:
    """Return channels, inviters and the tenant, each with the first minute in which anything happened to it."""
    scopes = sorted({each.scope for each in rules} - {"campaign"})
    minutes = max(each.window_minutes for each in rules)
    found = tallies.firsts(scopes=scopes, limit=SUBJECTS_MAX, since=at - timedelta(minutes=minutes) - SILENCE)
    return {**({TENANT: None} if "tenant" in scopes else {}), **found}
