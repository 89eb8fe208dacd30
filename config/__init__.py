"""The root: settings, environment, addresses, Celery, servers. It composes; it decides nothing."""
