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
from tenants.keys import KnownKey
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


def write(path: Path, *, businesses: Sequence[tuple[Business, Mapping[str, str]]], shop: Mapping[str, str]) -> None:
    """
    Write the file: the first business with its keys and what its site needs, and the second within it.

    Nobody else may read it.
    """
    (first, its_keys), (second, other_keys) = businesses
    shown = {
        **_shown(first, its_keys),
        "shop": dict(shop),
        "second_tenant": _shown(second, other_keys),
        "platform": {
            "base_url": address_of(settings.BASE_DOMAIN),
            "host": _host(settings.BASE_DOMAIN),
            "username": PLATFORM_USERNAME,
            "password": PLATFORM_PASSWORD,
        },
    }
    _save(path, shown)


def note_webhook_secret(path: Path, *, secret: str) -> None:
    """Write down what the webhook of the first business is signed with from now on."""
    known = read(path)
    _save(path, {**known, "shop": {**within(known.get("shop")), "webhook_secret": secret}})


def _save(path: Path, shown: Mapping[str, Any]) -> None:
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


def find_key(full: str, *, at: datetime) -> KnownKey | None:
    """Return the key whose full text this is, if it is in force."""
    parts = codes.split_key(full)
    key = keys.find(prefix=parts.prefix) if parts else None
    return key if parts and key and key.is_what(parts) and key.holds(at=at) else None


def address_of(name: str) -> str:
    """Return where a host of this machine is found."""
    return f"http://{_host(name)}"


def _opens(full: str, *, tenant: Tenant, environment: str, at: datetime) -> bool:
    key = find_key(full, at=at)
    if key is None:
        return False
    return key.tenant.environment == environment and tenant.pk in {key.tenant.pk, key.tenant.live_id}


def _shown(business: Business, its_keys: Mapping[str, str]) -> dict[str, Any]:
    return {
        "base_url": address_of(settings.BASE_DOMAIN),
        "host": _host(hosts.name_for(business.slug)),
        "keys": dict(its_keys),
        "staff": [{"role": role, "username": role, "password": business.password} for role in ROLES],
    }


def _host(name: str) -> str:
    return f"{name}:{settings.PORT}"
