"""The back office of antifraud: the moderation queue, stop rules and what they stopped, the policy."""

from antifraud.admin import cases, limits, listings, policy, stops, trips

__all__ = ["cases", "limits", "listings", "policy", "stops", "trips"]
