"""
How to get in: `var/demo.json`, with the addresses, the log-ins and the keys of the demo.

The keys live in this file only, as they are shown once: it is its owner's to read. Where it is lost, new ones are made.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from core import codes
from demo.businesses import PLATFORM_PASSWORD, PLATFORM_USERNAME, ROLES, Business
from tenants import hosts, keys
from tenants.models import Tenant

FILE: Final = Path(settings.BASE_DIR) / "var" / "demo.json"

# The environment that a key leads to, by the word that stands in the key.
ENVIRONMENTS: Final = {"live": Tenant.Environment.LIVE, "test": Tenant.Environment.SANDBOX}


def read(path: Path) -> dict[str, Any]:
    """Return what the file says, or nothing where there is none, or it makes no sense."""
    try:
        return within(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def within(told: object) -> dict[str, Any]:
    """Return a part of the file, or nothing where it is not what we would have written."""
    return told if isinstance(told, dict) else {}


def write(path: Path, *, businesses: Sequence[tuple[Business, Mapping[str, str]]]) -> None:
    """Write the file: the first business with its keys, and the second within it. Nobody else may read it."""
    (first, its_keys), (second, other_keys) = businesses
    shown = {
        **_shown(first, its_keys),
        "second_tenant": _shown(second, other_keys),
        "platform": {
            "base_url": _address(settings.BASE_DOMAIN),
            "host": _host(settings.BASE_DOMAIN),
            "username": PLATFORM_USERNAME,
            "password": PLATFORM_PASSWORD,
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(shown, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def keys_in(told: Mapping[str, Any], *, tenant: Tenant, at: datetime) -> dict[str, str]:
    """Return those of the keys told of a business that open the tenant's doors."""
    found = {}
    for word, environment in ENVIRONMENTS.items():
        full = str(within(told.get("keys")).get(word, ""))
        if _opens(full, tenant=tenant, environment=environment, at=at):
            found[word] = full
    return found


def _opens(full: str, *, tenant: Tenant, environment: str, at: datetime) -> bool:
    parts = codes.split_key(full)
    key = keys.find(prefix=parts.prefix) if parts else None
    if parts is None or key is None or not (key.is_what(parts) and key.holds(at=at)):
        return False
    return key.tenant.environment == environment and tenant.pk in {key.tenant.pk, key.tenant.live_id}


def _shown(business: Business, its_keys: Mapping[str, str]) -> dict[str, Any]:
    return {
        "base_url": _address(settings.BASE_DOMAIN),
        "host": _host(hosts.name_for(business.slug)),
        "keys": dict(its_keys),
        "staff": [{"role": role, "username": role, "password": business.password} for role in ROLES],
    }


def _address(name: str) -> str:
    return f"http://{_host(name)}"


def _host(name: str) -> str:
    return f"{name}:{settings.PORT}"
