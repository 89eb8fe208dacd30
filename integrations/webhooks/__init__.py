"""Webhooks in the format of standardwebhooks.com: facts, sent to addresses of the tenant, at least once each."""
