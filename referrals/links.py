"""The links that carry codes: their addresses, where they lead now, and each click on them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.showing import UnknownCampaign
from core.codes import may_be_code, normalise_shared
from core.db import execute, fetch, json_text
from core.errors import NotFound
from referrals import landing
from tenants import hosts
from tenants.memory import Memory
from tenants.models import Domain, Tenant

NO_UTM: Final[Mapping[str, str]] = {}

_hosts: Memory[str] = Memory(ttl_seconds=30, size_max=5_000)


class UnknownCode(NotFound):
    """Nobody here has this code."""

    message = _("There is no such invitation.")


class Link(NamedTuple):
    """A code, and where its visitors go now: `landing_url` is empty where the tenant has named no page."""

    code_id: int
    code: str
    campaign_id: int | None
    landing_url: str


def address(*, tenant: Tenant, code: str) -> str:
    """Return the link that a member shares, at the tenant's first domain."""
    host = _hosts.recall(tenant.schema_name, lambda: _host_of(tenant))
    return f"{hosts.url_of(host)}/r/{code}"


def shared(
    *,
    tenant: Tenant,
    code: str,
    channel: str = "",
    campaign_id: int | None = None,
    utm: Mapping[str, str] = NO_UTM,
) -> str:
    """
    Return the link for one place where it is shared. What it says of that is told to the page that it leads to.

    :raises UnknownCampaign:
    """
    if campaign_id is not None and not Campaign.objects.filter(pk=campaign_id, is_builtin=False).exists():
        raise UnknownCampaign
    told = {"ch": channel, "c": campaign_id or "", **{f"utm_{name}": value for name, value in utm.items()}}
    query = urlencode({name: value for name, value in told.items() if value})
    return address(tenant=tenant, code=code) + (f"?{query}" if query else "")


def get(*, code: str, campaign_id: int | None, at: datetime) -> Link:
    """
    Return where a code leads, in one statement, or none for what cannot be a code.

    That is the page of the campaign asked for if it is running and has one, else of the running campaign that began
    last, else the tenant's own.

    :raises UnknownCode: when nobody here has the code.
    """
    if not may_be_code(code):
        raise UnknownCode
    rows = fetch(GET, {"code": normalise_shared(code), "campaign_id": campaign_id, "at": at})
    if not rows:
        raise UnknownCode
    row = rows[0]
    pages = [(row.campaign_id, row.campaign_url or ""), (None, row.policy_url or "")]
    of_campaign, page = next(((each, page) for each, page in pages if landing.is_web(page)), (None, ""))
    return Link(row.id, row.text, row.asked_id or of_campaign, page)


def record_click(*, link: Link, key: str, visitor: str, channel: str, utm: Mapping[str, str], at: datetime) -> None:
    """Write down that a browser followed a link, in one statement. `key` and `visitor` are random."""
    execute(
        RECORD_CLICK,
        {
            "key": key,
            "code_id": link.code_id,
            "visitor": visitor,
            "campaign_id": link.campaign_id,
            "channel": channel,
            "utm": json_text(dict(utm)),
            "at": at,
        },
    )


def _host_of(tenant: Tenant) -> str:
    first = Domain.objects.filter(tenant_id=tenant.pk).order_by("-is_primary", "pk").first()
    return first.domain if first else hosts.name_for(tenant.slug)


GET = """
SELECT code.id, code.text, page.id AS campaign_id, page.landing_url AS campaign_url,
    (SELECT landing_url FROM referrals_attributionpolicy) AS policy_url,
    (SELECT id FROM campaigns_campaign WHERE id = %(campaign_id)s::bigint) AS asked_id
FROM referrals_code code
JOIN members_member sharer ON sharer.id = code.member_id
JOIN members_member whose ON whose.id = coalesce(sharer.merged_into_id, sharer.id) AND whose.status <> 'erased'
LEFT JOIN LATERAL (
    SELECT id, landing_url
    FROM campaigns_campaign
    WHERE status = 'active' AND landing_url LIKE 'http%%'
        AND (starts_at IS NULL OR starts_at <= %(at)s) AND (ends_at IS NULL OR ends_at > %(at)s)
    ORDER BY id = %(campaign_id)s::bigint DESC NULLS LAST, starts_at DESC NULLS LAST, id DESC
    LIMIT 1
) page ON true
WHERE code.text = %(code)s
"""

RECORD_CLICK = """
INSERT INTO referrals_click (key, code_id, visitor, campaign_id, channel, utm, at)
VALUES (%(key)s, %(code_id)s, %(visitor)s, %(campaign_id)s, %(channel)s, %(utm)s::jsonb, %(at)s)
"""
