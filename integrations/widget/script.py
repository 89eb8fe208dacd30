"""The script itself: one text, at whose end stands what it has to know of the tenant."""

import json
from functools import cache
from pathlib import Path

from django.utils import translation
from django.utils.translation import gettext

from referrals.touch import Policy

SOURCE = Path(__file__).with_name("widget.js")
# What the source calls the settings that it is given.
SETTINGS = "SARAFAN_SETTINGS"


def text_of(*, api: str, policy: Policy, language: str) -> str:
    """Return the script for one tenant's pages. `api` is where its operations are: `https://…/api/v1/`."""
    with translation.override(language):
        settings = {
            "api": api,
            "days": policy.window_days,
            "touch": policy.touch,
            "page": policy.landing_url,
            "language": language,
            "more": gettext("Learn more"),
        }
    # Whoever names a page must not end the script with it, wherever it is pasted.
    return _source().replace(SETTINGS, json.dumps(settings).replace("<", "\\u003c"))


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")
