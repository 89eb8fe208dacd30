"""Where facts are sent, and what became of each."""

from integrations.models.webhooks import Delivery, Endpoint

__all__ = ["Delivery", "Endpoint"]
