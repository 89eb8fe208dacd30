"""How many waiting cases each campaign and each reason has: what the queue's filters show beside their names."""

from core.db import fetch

OF_CAMPAIGNS = """
SELECT c.campaign_id, campaign.name, count(*) AS count
FROM antifraud_case c JOIN campaigns_campaign campaign ON campaign.id = c.campaign_id
WHERE c.status = 'open' GROUP BY c.campaign_id, campaign.name ORDER BY count DESC, campaign.name
"""
OF_SIGNALS = """
SELECT reason ->> 'signal' AS signal, count(DISTINCT c.id) AS count
FROM antifraud_case c
JOIN antifraud_casereward cr ON cr.case_id = c.id
JOIN rewards_reward r ON r.id = cr.reward_id
CROSS JOIN LATERAL jsonb_array_elements(r.reasons) reason
WHERE c.status = 'open' GROUP BY signal ORDER BY count DESC, signal
"""


def of_campaigns() -> list[tuple[int, str, int]]:
    """Return the campaigns that have waiting cases, by id and name, and how many: the most first."""
    return [tuple(row) for row in fetch(OF_CAMPAIGNS)]


def of_signals() -> list[tuple[str, int]]:
    """Return the signals that waiting cases have, and how many: the most first."""
    return [tuple(row) for row in fetch(OF_SIGNALS)]
