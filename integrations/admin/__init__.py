"""Webhooks in the back office: where facts are sent, and what became of each."""

from integrations.admin import deliveries, webhooks

__all__ = ["deliveries", "webhooks"]
