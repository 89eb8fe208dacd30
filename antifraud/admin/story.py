"""All that the page of a case tells: who, how much, why, what ties them, and what was decided before."""

from collections.abc import Mapping
from typing import Any, Final

from django.urls import reverse

from antifraud.admin.amounts import cost, said
from antifraud.models import Case, Decision
from antifraud.moderation import deciding, dossiers, escalation, graph, nodes, notes, reach, timelines, webs
from antifraud.moderation.queue import ORDER, Shown
from core.backoffice import page_of
from members.models import Member
from rewards import portraits
from rewards.portraits import Portrait
from tenants.staff.models import Staff

TIMELINE_LINES: Final = 12
# Of a ring the others are in the drawing.
PEOPLE_MAX: Final = 4
# The case before and the one after are looked for among so many of the queue.
QUEUE_LOOKED_AT: Final = 500


def story_of(*, case: Case, shown: Shown, viewer: Staff, may_decide: bool) -> dict[str, Any]:
    """Return what the template shows, in a fixed number of statements."""
    parties = {person.member_id for person in shown.people}
    web = webs.web_of(parties=parties, rewards=shown.rewards)
    drawn = nodes.bounded(web=web)
    is_open = case.status == Case.Status.OPEN
    return {
        "case": case,
        "shown": shown,
        "stake": said(points=shown.points, amounts=shown.amounts),
        "cost": cost(shown.cost_minor),
        "basis": dossiers.basis_of(rewards=shown.rewards),
        "people": _people(shown, may_decide=may_decide),
        "named": shown.people[:PEOPLE_MAX],
        "unnamed": len(shown.people[PEOPLE_MAX:]),
        "drawing": graph.draw(web=drawn) if web.is_tied else None,
        "web": drawn,
        "record": dossiers.record_of(case=case, member_ids=parties),
        "decisions": Decision.objects.filter(case=case).select_related("by").order_by("-pk"),
        "irreversible": reach.irreversible(case=case),
        "neighbours": _neighbours(case),
        **(_choices(case, shown, viewer) if is_open and may_decide and not shown.is_own else {}),
    }


def _people(shown: Shown, *, may_decide: bool) -> list[dict[str, Any]]:
    told = shown.people[:PEOPLE_MAX]
    pictures = portraits.portraits_of(person.member_id for person in told)
    return [
        {
            "person": person,
            "portrait": pictures[person.member_id],
            "timeline": timelines.timeline_of(member_id=person.member_id, size=TIMELINE_LINES),
            **_standing(pictures[person.member_id], may_decide=may_decide),
        }
        for person in told
    ]


def _standing(portrait: Portrait, *, may_decide: bool) -> dict[str, str]:
    """Return what is said of a member who is not as members are, and where one who is can be banned."""
    if portrait.status != Member.Status.ACTIVE:
        return {"status": str(Member.Status(portrait.status).label)}
    return {"ban_url": reverse("admin:antifraud_listing_ban", args=[portrait.id])} if may_decide else {}


def _choices(case: Case, shown: Shown, viewer: Staff) -> Mapping[str, Any]:
    """Return what there is to choose for whoever decides: reasons, sides, and who looks after the case."""
    approving, rejecting = (notes.suggested(action=each) for each in (Decision.Action.APPROVE, Decision.Action.REJECT))
    own = [each for each in approving if each in rejecting]
    waiting = {reward.side for reward in shown.rewards if reward.status == reward.Status.FLAGGED}
    return {
        "reasons": {
            "own": own,
            "approving": [each for each in approving if each not in own],
            "rejecting": [each for each in rejecting if each not in own],
        },
        "sides": Decision._meta.get_field("sides").choices if len(waiting) > 1 else (),
        "usual_sides": deciding.sides_of(case=case),
        "moderators": escalation.list_moderators(),
        "is_mine": case.assigned_to_id == viewer.pk,
    }


def _neighbours(case: Case) -> dict[str, str]:
    """Return where the cases before and after this one in the queue are; after a decision the first one is next."""
    waiting = Case.objects.filter(status=Case.Status.OPEN).order_by(*ORDER)[:QUEUE_LOOKED_AT]
    ids = [each.pk for each in waiting]
    place = ids.index(case.pk) if case.pk in ids else -1
    pages = {"next": place + 1, "previous": place - 1}
    return {name: page_of(waiting[at]) for name, at in pages.items() if 0 <= at < len(ids)}
