"""The back office of what is owed. Django looks for the pages here: each module registers its own."""

from rewards.admin import (
    adjustments,
    assets,
    catalogue,
    certificates,
    entitlements,
    ledger,
    levels,
    liability,
    policy,
    providers,
    redemptions,
    rewards,
    standings,
)

__all__ = [
    "adjustments",
    "assets",
    "catalogue",
    "certificates",
    "entitlements",
    "ledger",
    "levels",
    "liability",
    "policy",
    "providers",
    "redemptions",
    "rewards",
    "standings",
]
