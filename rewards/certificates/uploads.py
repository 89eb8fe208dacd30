"""
An upload of codes on its way into the stock: looked through first, then put there in chunks, with its progress.

What was sent is kept sealed in the tenant's files until it is in the stock. How far it is stands in the cache: it may
be forgotten, and then the upload is begun again, which does nothing twice.
"""

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from core import sealing
from core.codes import normalise_code
from core.db import json_text, transaction
from core.errors import NotFound
from members import people
from rewards import entitlements as given
from rewards.certificates import brands, orders, sheets, stock
from rewards.certificates.sheets import Line, Sheet, Terms, Wrong
from rewards.models import Gift
from tenants import context

TASK: Final = "rewards.certificates.tasks.fill_stock"
FOLDER: Final = "uploads"
SEALED_AS: Final = "stock_upload"
CHUNK_SIZE: Final = 5_000
KEPT_SECONDS: Final = 24 * 3600
WRONG_SHOWN_MAX: Final = 500
# A chunk takes a second at most.
STALLED: Final = timedelta(seconds=30)

type_of_progress = dict[str, Any]


class UnknownUpload(NotFound):
    """There is no such upload, or it was forgotten after a day."""

    message = _("There is no such upload, or it is too old.")


def prepare(
    *, schema: str, gift: Gift, content: bytes, value_minor: int | None, expires_on: date | None, at: datetime
) -> str:
    """
    Look a file through and keep it; return the upload's id. Nothing is in the stock yet: `progress` says what would be.

    :raises sheets.SheetUnreadable:
    :raises sheets.SheetTooLarge:
    """
    terms = Terms(
        currency=context.current().currency,
        zone=context.zone(),
        has_value=gift.kind == Gift.Kind.CERTIFICATE,
        offered=frozenset(brands.denominations(gift)),
        value_minor=value_minor,
        expires_on=expires_on,
        lookup=normalise_code if gift.kind == Gift.Kind.DISCOUNT else str.strip,
    )
    sheet = _without_known(sheets.read(content, terms=terms, at=at), gift)
    upload_id = secrets.token_hex(8)
    body = {"gift_id": gift.pk, "lines": sheet.lines, "wrong": sheet.wrong}
    sealed = sealing.seal(schema=schema, kind=SEALED_AS, value=json_text(body))
    _forget_old(at=at)
    default_storage.save(_path(upload_id), ContentFile(sealed.encode()))
    values = Counter(line.value_minor for line in sheet.lines)
    _keep(
        upload_id,
        {
            "state": "ready",
            "gift_id": gift.pk,
            "total": len(sheet.lines) + len(sheet.wrong),
            "good": len(sheet.lines),
            "values": sorted(values.items()),
            "examples": [given.masked(line.code) for line in sheet.lines[:5]],
            **_told_of(sheet.wrong),
        },
        at=at,
    )
    return upload_id


def start(*, schema: str, upload_id: str, at: datetime) -> None:
    """
    Let a worker put an upload into the stock.

    :raises UnknownUpload:
    """
    found = progress(upload_id, at=at)
    if found["state"] != "done":
        _keep(upload_id, {**found, "state": "working", "done": found.get("done", 0)}, at=at)
        orders.send(TASK, schema_name=schema, upload_id=upload_id)


def progress(upload_id: str, *, at: datetime) -> type_of_progress:
    """
    Return how far an upload is: `state` is ready, working, stalled or done.

    :raises UnknownUpload:
    """
    found: type_of_progress | None = cache.get(_name(upload_id))
    if found is None:
        raise UnknownUpload
    if found["state"] == "working" and datetime.fromisoformat(found["at"]) < at - STALLED:
        return {**found, "state": "stalled"}
    return found


def fill(*, schema: str, upload_id: str, at: datetime) -> None:
    """Put an upload into the stock, chunk by chunk, and serve who waits. Done twice it is done once."""
    path = _path(upload_id)
    if not default_storage.exists(path):
        return
    with default_storage.open(path) as file:
        body = json.loads(sealing.unseal(schema=schema, kind=SEALED_AS, value=file.read().decode()))
    gift = Gift.objects.get(pk=body["gift_id"])
    lines = [
        Line(row, code, value, expires and datetime.fromisoformat(expires))
        for row, code, value, expires in body["lines"]
    ]
    wrong = [Wrong(*each) for each in body["wrong"]]
    told: type_of_progress = {"gift_id": gift.pk, "total": len(lines) + len(wrong), "good": len(lines), "served": 0}
    told = {**told, **(cache.get(_name(upload_id)) or {}), "state": "working"}
    for first in range(0, len(lines), CHUNK_SIZE):
        chunk = lines[first : first + CHUNK_SIZE]
        refused, served = _put(schema, gift, chunk, upload_id, at)
        wrong += refused
        told |= {"done": first + len(chunk), "served": told.get("served", 0) + served, **_told_of(wrong)}
        _keep(upload_id, told, at=at)
    _keep(upload_id, {**told, "done": len(lines), "state": "done"}, at=at)
    default_storage.delete(path)


@transaction
def _put(schema: str, gift: Gift, chunk: Sequence[Line], upload_id: str, at: datetime) -> tuple[list[Wrong], int]:
    """Put a chunk into the stock and serve who waits, at once: nobody later is served before them."""
    people.lock(schema)
    indexes = _indexes(gift, chunk)
    rows = [
        (line.value_minor, given.seal(line.code), index, line.expires_at)
        for line, index in zip(chunk, indexes, strict=True)
    ]
    new = stock.put(gift=gift, rows=rows, batch=upload_id, at=at)
    served = stock.hand_out(gift_ids=[gift.pk], at=at)
    left_out = [(line, index) for line, index in zip(chunk, indexes, strict=True) if index not in new]
    known = stock.known(gift=gift, indexes=[index for _line, index in left_out])
    return [Wrong(line.row, "known" if index in known else "taken") for line, index in left_out], len(served)


def _without_known(sheet: Sheet, gift: Gift) -> Sheet:
    indexes = _indexes(gift, sheet.lines)
    known = stock.known(gift=gift, indexes=indexes)
    taken = stock.taken(gift=gift, indexes=indexes)
    if not known and not taken:
        return sheet
    pairs = list(zip(sheet.lines, indexes, strict=True))
    refused = [
        Wrong(line.row, "known" if index in known else "taken") for line, index in pairs if index in known | taken
    ]
    lines = [line for line, index in pairs if index not in known | taken]
    return Sheet(lines=lines, wrong=sorted([*sheet.wrong, *refused]))


def _indexes(gift: Gift, lines: Sequence[Line]) -> list[str]:
    return [given.index_of(kind=gift.kind, gift_id=gift.pk, code=line.code) for line in lines]


def _told_of(wrong: Sequence[Wrong]) -> Mapping[str, Any]:
    known = sum(each.why == "known" for each in wrong)
    return {"bad": len(wrong), "known": known, "wrong": [list(each) for each in sorted(wrong)[:WRONG_SHOWN_MAX]]}


def _keep(upload_id: str, told: type_of_progress, *, at: datetime) -> None:
    cache.set(_name(upload_id), {**told, "at": at.isoformat()}, timeout=KEPT_SECONDS)


def _forget_old(*, at: datetime) -> None:
    """Delete what was looked through and never put into the stock."""
    if not default_storage.exists(FOLDER):
        return
    for name in default_storage.listdir(FOLDER)[1]:
        path = f"{FOLDER}/{name}"
        if default_storage.get_modified_time(path) < at - timedelta(seconds=KEPT_SECONDS):
            default_storage.delete(path)


def _path(upload_id: str) -> str:
    return f"{FOLDER}/{upload_id}"


def _name(upload_id: str) -> str:
    return f"upload:{upload_id}"
