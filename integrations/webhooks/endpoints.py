"""Webhooks themselves: added, changed, paused, resumed, given another secret, deleted. Each is in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core.db import after_commit, current_schema, execute, in_transaction
from core.errors import Conflict, NotFound
from integrations.models import Delivery, Endpoint
from integrations.webhooks import addresses, kinds, outbox, secrets
from rewards.actors import Actor

ENDPOINTS_MAX: Final = 20
# So long each secret signs beside those that came after it.
OVERLAP: Final = timedelta(hours=24)

Status = Endpoint.Status


class UnknownWebhook(NotFound):
    """The tenant has no such webhook."""

    message = _("There is no such webhook.")


class TooManyWebhooks(Conflict):
    """A tenant has so many and no more."""

    message = _("There are 20 webhooks already: delete one that is not needed any more.")


class WebhookNotActive(Conflict):
    """It is paused, or was disabled: nothing is sent there."""

    message = _("This webhook is not active: resume it first.")


class WebhookActive(Conflict):
    """There is nothing to resume."""

    message = _("This webhook is active already.")


class TooManySecrets(Conflict):
    """Three sign already. `extra` has `until`, when the next one of them ends."""

    message = _("Three secrets sign already: wait until the oldest ends, or end the overlap.")


class NoOverlap(Conflict):
    """Only one secret signs, so there is nothing to end."""

    message = _("Only the newest secret signs already.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a webhook is to be. Without kinds it is told of all that are confirmed."""

    url: str
    kinds: Sequence[str] | None = None
    description: str = ""


def get(endpoint_id: int) -> Endpoint:
    """
    Return a webhook by its number.

    :raises UnknownWebhook:
    """
    found = Endpoint.objects.filter(pk=endpoint_id).first()
    if found is None:
        raise UnknownWebhook
    return found


@in_transaction
def add(*, wanted: Wanted, by: Actor, at: datetime) -> tuple[Endpoint, str]:
    """
    Add a webhook, and return it with its secret, which cannot be had again.

    :raises addresses.InvalidWebhookUrl:
    :raises kinds.UnknownFactKind:
    :raises TooManyWebhooks:
    """
    url, chosen = addresses.checked(wanted.url), kinds.chosen(wanted.kinds)
    # Two at once would each count without the other.
    execute("LOCK TABLE integrations_endpoint IN SHARE ROW EXCLUSIVE MODE")
    if Endpoint.objects.count() >= ENDPOINTS_MAX:
        raise TooManyWebhooks
    secret, sealed = secrets.new()
    made = Endpoint.objects.create(
        url=url, kinds=chosen, description=wanted.description.strip(), secret=sealed, created_at=at
    )
    _note(made, "added", {"url": url, "kinds": chosen}, by=by, at=at)
    return made, secret


@in_transaction
def change(*, endpoint: Endpoint, wanted: Wanted, by: Actor, at: datetime) -> Endpoint:
    """
    Let a webhook be what is wanted. What waits is sent to the new address.

    :raises addresses.InvalidWebhookUrl:
    :raises kinds.UnknownFactKind:
    """
    fresh = _locked(endpoint)
    values = {
        "url": addresses.checked(wanted.url),
        "kinds": kinds.chosen(wanted.kinds),
        "description": wanted.description.strip(),
    }
    changes = {name: [getattr(fresh, name), value] for name, value in values.items() if getattr(fresh, name) != value}
    if changes:
        Endpoint.objects.filter(pk=fresh.pk).update(**{name: new for name, (_old, new) in changes.items()})
        _note(fresh, "changed", changes, by=by, at=at)
    return get(fresh.pk)


@in_transaction
def pause(*, endpoint: Endpoint, by: Actor, at: datetime) -> Endpoint:
    """
    Send nothing for now. What happens meanwhile waits, as long as deliveries are kept.

    :raises WebhookNotActive:
    """
    if not Endpoint.objects.filter(pk=endpoint.pk, status=Status.ACTIVE).update(status=Status.PAUSED):
        raise WebhookNotActive
    _note(endpoint, "paused", {}, by=by, at=at)
    return get(endpoint.pk)


@in_transaction
def resume(*, endpoint: Endpoint, by: Actor, at: datetime) -> Endpoint:
    """
    Send again, what waits first.

    :raises WebhookActive:
    """
    halted = Endpoint.objects.filter(pk=endpoint.pk).exclude(status=Status.ACTIVE)
    if not halted.update(status=Status.ACTIVE, status_note="", failing_since=None):
        raise WebhookActive
    _note(endpoint, "resumed", {}, by=by, at=at)
    wake()
    return get(endpoint.pk)


@in_transaction
def rotate(*, endpoint: Endpoint, by: Actor, at: datetime) -> tuple[Endpoint, str]:
    """
    Give a webhook another secret, and return it. Each one before signs too, until its own OVERLAP is over.

    :raises TooManySecrets: while two before the present one still sign.
    """
    fresh = _locked(endpoint)
    if fresh.secret_older_until is not None and fresh.secret_older_until > at:
        raise TooManySecrets(extra={"until": fresh.secret_older_until})
    secret, sealed = secrets.new()
    until = at + OVERLAP
    Endpoint.objects.filter(pk=fresh.pk).update(
        secret=sealed,
        secret_old=fresh.secret,
        secret_old_until=until,
        secret_older=fresh.secret_old,
        secret_older_until=fresh.secret_old_until,
    )
    _note(fresh, "rotated", {"old_until": until.isoformat()}, by=by, at=at)
    return get(fresh.pk), secret


@in_transaction
def end_overlap(*, endpoint: Endpoint, by: Actor, at: datetime) -> Endpoint:
    """
    Let only the newest secret sign from now on: somebody has one of those before it who should not.

    :raises NoOverlap:
    """
    fresh = _locked(endpoint)
    # What was rotated last ends last.
    if fresh.secret_old_until is None or fresh.secret_old_until <= at:
        raise NoOverlap
    Endpoint.objects.filter(pk=fresh.pk).update(
        secret_old="", secret_old_until=None, secret_older="", secret_older_until=None
    )
    _note(fresh, "overlap_ended", {"old_until": [fresh.secret_old_until, None]}, by=by, at=at)
    return get(fresh.pk)


@in_transaction
def delete(*, endpoint: Endpoint, by: Actor, at: datetime) -> None:
    """Delete a webhook, with all that was sent there and that waits."""
    # Whoever records a fact for it has finished by then, and whoever comes later does not find it (outbox.OUTBOX).
    execute("SELECT FROM integrations_endpoint WHERE id = %(id)s FOR UPDATE", {"id": endpoint.pk})
    Delivery.objects.filter(endpoint=endpoint.pk)._raw_delete("default")
    Endpoint.objects.filter(pk=endpoint.pk)._raw_delete("default")
    _note(endpoint, "deleted", {"url": endpoint.url}, by=by, at=at)


@in_transaction
def wake() -> None:
    """Wake whoever delivers once this is committed."""
    schema = current_schema()
    after_commit(lambda: outbox.ring(schema))


@in_transaction
def require_active(endpoint: Endpoint) -> Endpoint:
    """
    Return a webhook as it stands, locked until the end of the transaction.

    :raises WebhookNotActive:
    """
    fresh = _locked(endpoint)
    if fresh.status != Status.ACTIVE:
        raise WebhookNotActive
    return fresh


def _locked(endpoint: Endpoint) -> Endpoint:
    found = Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    if found is None:
        raise UnknownWebhook
    return found


def _note(endpoint: Endpoint, what: str, changes: dict[str, Any], *, by: Actor, at: datetime) -> None:
    by.note(action=f"webhook.{what}", target=f"webhook:{endpoint.pk} {endpoint.url}"[:200], changes=changes, at=at)
