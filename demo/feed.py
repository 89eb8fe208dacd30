"""
Feeds a story to the API, in order and in batches, each one handled before the next is sent.

It can be ended at any time: what is recorded is left out the next time.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from demo.acts import Act
from demo.client import Client
from demo.progress import Progress
from events.models import Event

# The API takes 500. With fewer the site stays quick for others, and the progress is seen.
BATCH_MAX: Final = 250


def missing(acts: Sequence[Act]) -> list[Act]:
    """Return those that are not recorded yet in the current tenant."""
    known = Event.objects.filter(source=Event.Source.API, key__in=[act.key for act in acts])
    keys = set(known.values_list("key", flat=True))
    return [act for act in acts if act.key not in keys]


def batches(acts: Sequence[Act]) -> Iterator[list[Act]]:
    """
    Yield acts in portions.

    A new one begins before somebody who was invited by a member of this one, whose code nobody can know before they
    are one; and before what happens as it is reported, which comes last of all.
    """
    batch: list[Act] = []
    names: set[str] = set()
    for act in acts:
        is_live = act.at is None
        if batch and (len(batch) >= BATCH_MAX or act.inviter in names or is_live != (batch[-1].at is None)):
            yield batch
            batch, names = [], set()
        batch.append(act)
        names.add(act.who["external_id"])
    if batch:
        yield batch


def feed(acts: Sequence[Act], *, client: Client, await_handled: Callable[[], None], progress: Progress) -> None:
    """
    Report the acts in order.

    :raises demo.client.Refused: if the API does not take one of them
    """
    codes: dict[str, str] = {}
    await_handled()
    for batch in batches(acts):
        for inviter in sorted({act.inviter for act in batch if act.inviter} - codes.keys()):
            codes[inviter] = client.code_of(inviter)
        client.report([act.body(codes=codes) for act in batch])
        await_handled()
        progress.advance(len(batch))
