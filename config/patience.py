"""
How long the database works for one request: a process that answers requests has few threads, and each waits for it.

It is a session's default, so that whoever knows better sets it anew for a transaction. Only `config.wsgi` asks for it:
migrations, nights and whatever else a worker does take the time that they take.
"""

from typing import Any

from django.conf import settings


def limit(database: dict[str, Any]) -> None:
    """Let every new connection of a database (an entry of DATABASES) end what takes longer than the settings say."""
    limits = {
        "statement_timeout": settings.WEB_STATEMENT_SECONDS,
        "lock_timeout": settings.WEB_LOCK_SECONDS,
        "idle_in_transaction_session_timeout": settings.WEB_IDLE_SECONDS,
    }
    said = " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())
    options = database.setdefault("OPTIONS", {})
    # What the address of the database says wins: it comes last.
    options["options"] = f"{said} {options.get('options', '')}".rstrip()
