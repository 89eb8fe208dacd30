"""
Where a link leads and what it takes along. Pure.

Everything that a visitor sends is bounded, and nothing of it is believed: a code says who invites, all the rest is for
reports.
"""

import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

UTM = ("source", "medium", "campaign", "term", "content")
UTM_LENGTH_MAX = 200
CHANNEL_LENGTH_MAX = 50

# What messengers and search engines call themselves when they look at a link that somebody shared.
BOTS = (
    "bot",
    "crawl",
    "spider",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "whatsapp",
    "vkshare",
    "embedly",
    "slurp",
    "headlesschrome",
)


def utm_of(query: Mapping[str, str]) -> dict[str, str]:
    """Return what a query says of UTM, without the prefix, trimmed; what is empty is left out."""
    found = {name: trimmed(query.get(f"utm_{name}", ""), length_max=UTM_LENGTH_MAX) for name in UTM}
    return {name: value for name, value in found.items() if value}


def channel_of(query: Mapping[str, str]) -> str:
    """Return where a link was shared, as its `ch` says, or `""`."""
    return trimmed(query.get("ch", ""), length_max=CHANNEL_LENGTH_MAX)


def trimmed(text: str, *, length_max: int) -> str:
    """Return a text without control characters and spaces around it, cut to `length_max` characters."""
    shown = "".join(c for c in text[: 4 * length_max] if unicodedata.category(c) not in {"Cc", "Cs", "Cf"})
    return shown.strip()[:length_max].strip()


def is_web(address: str) -> bool:
    """Tell whether a visitor may be sent there: a page of the web, not a script or a file."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def is_robot(*, user_agent: str, purpose: str) -> bool:
    """Tell whether a program looks at the link for somebody, or a browser fetches it in case somebody will."""
    agent = user_agent.lower()
    return "prefetch" in purpose.lower() or any(name in agent for name in BOTS)


def address(*, landing_url: str, code: str, click_key: str | None, utm: Mapping[str, str]) -> str:
    """
    Return the landing page's address with the code as `ref`, the click as `click_id` and the UTM of the link.

    The page's own query and fragment stay; of a name that both have the link's value counts.
    """
    parts = urlsplit(landing_url)
    ours = {"ref": code, **({"click_id": click_key} if click_key else {})}
    ours |= {f"utm_{name}": value for name, value in utm.items()}
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ours]
    return urlunsplit(parts._replace(query=urlencode([*kept, *ours.items()])))
