"""Holds every fact that a test records to the catalogue by which webhooks tell of it (integrations.webhooks.kinds)."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema

from integrations.webhooks import kinds

# What Sarafan's own parts tell each other, and nobody outside.
INTERNAL = {
    "reward.issued": {"fingerprint"},
    "entitlement.shown": {"seen_from", "agent"},
    "entitlement.used": {"key", "fingerprint"},
    "entitlement.released": {"released"},
}


def check(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001 (Django's)
    """Let a statement pass, unless it records a fact that the catalogue lacks or describes in another way."""
    if isinstance(params, dict) and "fact_kinds" in params:
        names = [name.strip('"') for name in params["fact_kinds"].strip("{}").split(",") if name]
        for name, data in zip(names, json.loads(params["fact_data"]), strict=True):
            hold(name, data)
    return execute(sql, params, many, context)


def hold(name: str, data: dict[str, Any]) -> None:
    """Fail unless a fact is as the catalogue says."""
    assert name in kinds.ALL, f"{name} is told of: give it an entry in integrations/webhooks/catalogue/."
    unknown = set(data) - set(kinds.ALL[name].schema["properties"]) - INTERNAL.get(name, set())
    assert not unknown, f"{name} tells {sorted(unknown)}: the catalogue does not say what that is."
    _validator_of(name).validate(data)


@cache
def _validator_of(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(kinds.ALL[name].schema)
