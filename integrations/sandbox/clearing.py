"""
The sandbox as new: its schema is made anew from the template, in one transaction.

Its people, whoever is logged in, its API keys and its webhooks with their secrets stay; all else goes, the audit log
and the advance of the clock too. Whoever asks meanwhile waits for a moment, and finds either the old or the new one.
"""

import logging
import random
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.core.files.storage import default_storage
from django.db import OperationalError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.db import after_commit, execute, fetch, in_transaction, transaction
from core.errors import Invalid
from integrations.sandbox import turns
from integrations.sandbox.turns import SandboxBusy
from members import people
from rewards.actors import Actor
from tenants import context, sandboxes, spaces, upgrades
from tenants.clock import REAL
from tenants.models import Tenant

# Who waits for the tables of the sandbox waits for each of those that use them. So nobody waits for long, and for
# less than PostgreSQL takes to look for deadlocks (deadlock_timeout: a second).
LOCK_MS: Final = 300
TRIES: Final = 40
PAUSE_SECONDS: Final = 0.1
# PostgreSQL's: what took longer than it may.
CANCELED: Final = "57014"

KEPT: Final = ("integrations_endpoint",)

logger = logging.getLogger(__name__)


class NotConfirmed(Invalid):
    """Clearing wants the sandbox's name, so that nobody does it by mistake."""

    message = _("Confirm with the sandbox's own name.")


def clear(*, confirm: str, by: Actor, at: datetime) -> Tenant:
    """
    Clear the current sandbox, and return it as it is then.

    :raises sandboxes.SandboxOnly: in a live tenant.
    :raises NotConfirmed: when `confirm` is not the sandbox's slug.
    :raises SandboxBusy: when somebody else clears or advances it, or what goes on in it does not end.
    """
    sandbox = sandboxes.get_current()
    if confirm != sandbox.slug:
        raise NotConfirmed(
            _("Confirm with the sandbox's own name: %(slug)s.") % {"slug": sandbox.slug}, pointer="/confirm"
        )
    for _try in range(TRIES):
        try:
            _clear(sandbox, by, at)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != CANCELED:
                raise
            # Those at work go on meanwhile, and are not waited for with anything held.
            time.sleep(PAUSE_SECONDS * random.random())  # noqa: S311 (only to be out of step)
        else:
            return sandboxes.get_current()
    raise SandboxBusy


@transaction
def _clear(sandbox: Tenant, by: Actor, at: datetime) -> None:
    schema = sandbox.schema_name
    turns.alone_until_commit(schema=schema)
    # What the schema is made from must not be changing.
    if not upgrades.is_at_rest():
        raise SandboxBusy
    execute(f"SET LOCAL statement_timeout = {LOCK_MS}")
    spaces.wait_for_readers(sandbox=sandbox)
    people.lock(schema)
    spaces.lock(sandbox=sandbox)
    # From here on nobody is waited for; and what a request may take is not told from a wait that was too long.
    execute("SET LOCAL statement_timeout = 0")
    (before,) = fetch(BEFORE)
    files = list(_files())
    spaces.remake(sandbox=sandbox, kept=KEPT)
    really_at = at - sandbox.clock_ahead
    execute(AFTER, {"ahead": sandbox.clock_ahead, "version": before.lists_version + 1, "at": really_at})
    sandboxes.set_clock(sandbox=sandbox, ahead=REAL)
    _note(sandbox, {"members": before.members, "events": before.events}, by, really_at)
    after_commit(lambda: _delete(files))


@in_transaction
def _note(sandbox: Tenant, what: dict[str, int], by: Actor, at: datetime) -> None:
    # The sandbox's own log begins anew, so that whoever wonders finds it at home.
    for tenant in Tenant.objects.filter(Q(pk=sandbox.pk) | Q(pk=sandbox.live_id)):
        with context.in_tenant(tenant.schema_name):
            by.note(action="sandbox.cleared", target=f"sandbox:{sandbox.slug}", changes=what, at=at)


def _files(folder: str = "") -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in names)
    for each in folders:
        yield from _files(f"{folder}{each}/")


def _delete(files: list[str]) -> None:
    for each in files:
        try:
            default_storage.delete(each)
        except OSError:
            logger.exception("A file of a sandbox that was cleared could not be deleted.", extra={"file": each})


BEFORE: Final = """
SELECT (SELECT count(*)::int FROM members_member) AS members, (SELECT count(*)::int FROM events_event) AS events,
    (SELECT lists_version FROM antifraud_fraudpolicy WHERE singleton) AS lists_version
"""

# Processes remember lists by their version. What stays of a webhook was written by a clock that goes back now.
AFTER: Final = """
UPDATE antifraud_fraudpolicy SET lists_version = %(version)s WHERE singleton;
UPDATE integrations_endpoint SET failing_since = NULL, resending = NULL,
    secret_old_until = secret_old_until - %(ahead)s::interval,
    secret_older_until = secret_older_until - %(ahead)s::interval, created_at = LEAST(created_at, %(at)s)
"""
