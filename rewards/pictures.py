"""
Pictures of gifts and badges of levels, which everybody may see; and files of exclusive content, which their owner may.

Both lie in the tenant's own folder. A picture is asked for by its path, of which only two folders are open; a file
never is: it is opened by a link that is signed for one entitlement and one tenant, and is over after a while.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Final, NamedTuple

from django.core import signing
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from core.db import current_schema, in_transaction
from core.errors import Invalid, NotFound
from rewards import entitlements
from rewards.models import Entitlement
from tenants import context, hosts
from tenants.memory import Memory
from tenants.models import Domain, Tenant

SIZE_BYTES_MAX: Final = 2 * 1024 * 1024
PIXELS_MAX: Final = 4096 * 4096
# By the name that Pillow has for it.
TYPES: Final[Mapping[str, str]] = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
ENDINGS: Final[Mapping[str, str]] = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
# What has a folder of its own that anybody may look into. No name begins with a dot, or holds another folder.
OPEN_PATH: Final = re.compile(r"(?:gifts|levels)/[\w-][\w.-]{0,180}")
LINK_TTL: Final = timedelta(hours=24)
# What an entitlement is that still gives access.
GIVES_ACCESS: Final = (Entitlement.Status.ISSUED, Entitlement.Status.USED, Entitlement.Status.DELIVERED)

_homes: Memory[str] = Memory(ttl_seconds=30, size_max=5_000)


class InvalidPicture(Invalid):
    """Not a picture that browsers show, or too large a one."""

    message = _("Upload a picture: PNG, JPEG or WebP.")


class UnknownPicture(NotFound):
    """There is no picture of this name here."""

    message = _("There is no such picture.")


class LinkOver(NotFound):
    """The link was not made here, has been tampered with, or its time is over."""

    message = _("This link has expired. Ask for a new one.")


class Opened(NamedTuple):
    """A file to be sent: what it is, what it is called, and the entitlement that gives access to it, if one does."""

    file: IO[bytes]
    content_type: str
    name: str
    entitlement: Entitlement | None = None


def check(upload: "UploadedFile[Any]") -> str:
    """
    Return the ending that an uploaded picture should have, by what is in it and not by its name.

    :raises InvalidPicture: with a sentence that says what is wrong.
    """
    if upload.size is None or upload.size > SIZE_BYTES_MAX:
        raise InvalidPicture(_("A picture may have 2 MB at most."))
    upload.seek(0)
    try:
        with Image.open(upload, formats=[*TYPES]) as image:
            kind, pixels = str(image.format), image.width * image.height
            if pixels > PIXELS_MAX:
                raise InvalidPicture(_("A picture may have 4096 × 4096 pixels at most."))
            image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidPicture from error
    finally:
        upload.seek(0)
    return ENDINGS[kind]


def open_picture(*, path: str) -> Opened:
    """
    Return a picture of the current tenant by its path below /media/.

    :raises UnknownPicture: also for whatever is there and is no picture.
    """
    # The storage's own addresses name the tenant's folder.
    path = path.removeprefix(f"{current_schema()}/")
    if not OPEN_PATH.fullmatch(path):
        raise UnknownPicture
    try:
        file: IO[bytes] = default_storage.open(path)
    except OSError as error:
        raise UnknownPicture from error
    kind = _kind_of(file)
    if kind not in TYPES:
        file.close()
        raise UnknownPicture
    return Opened(file, TYPES[kind], path.rpartition("/")[2])


def address_of(picture: Any) -> str | None:
    """Return where a picture is seen from anywhere, or None where there is none."""
    return f"{home()}/media/{picture.name}" if picture else None


def path_of(picture: Any) -> str:
    """Return where a picture is seen from the pages of its own tenant, or "" where there is none."""
    return f"/media/{picture.name}" if picture else ""


def home() -> str:
    """Return where the pages of the current tenant begin."""
    tenant = context.current()
    return hosts.url_of(_homes.recall(tenant.schema_name, lambda: _host_of(tenant)))


def content_link(*, entitlement: Entitlement, at: datetime) -> str | None:
    """Return where exclusive content is read by who has it: its address, or a link to its file for a day."""
    if entitlement.kind != "content" or entitlement.status not in GIVES_ACCESS:
        return None
    if not entitlement.gift.file:
        return entitlement.gift.terms.get("url") or None
    token = _signer().sign_object([entitlement.pk, int((at + LINK_TTL).timestamp())], compress=False)
    return f"{home()}/content/{token}"


def open_content(*, token: str, at: datetime) -> Opened:
    """
    Return the file that a link leads to.

    :raises LinkOver: also if the entitlement has ended since.
    """
    entitlement_id, until = _read(token)
    if at >= datetime.fromtimestamp(until, tz=UTC):
        raise LinkOver
    found = Entitlement.objects.filter(pk=entitlement_id, kind="content", status__in=GIVES_ACCESS)
    entitlement = found.select_related("gift").first()
    if entitlement is None or not entitlement.gift.file:
        raise LinkOver
    try:
        file: IO[bytes] = entitlement.gift.file.open()
    except OSError as error:
        raise LinkOver from error
    return Opened(file, "application/octet-stream", str(entitlement.gift.file.name).rpartition("/")[2], entitlement)


@in_transaction
def note_opened(*, entitlement: Entitlement, at: datetime) -> None:
    """
    Remember when content was opened first: from then on it cannot be taken back.

    :raises LinkOver: if it was taken back meanwhile.
    """
    if entitlement.shown_at is None and not entitlements.note_shown(ids=[entitlement.pk], at=at):
        raise LinkOver


def is_address_told(entitlement: Entitlement) -> bool:
    """Tell whether `content_link` is the content's own address: whoever is told it can see it for ever."""
    has_address = entitlement.kind == "content" and not entitlement.gift.file
    return has_address and entitlement.status in GIVES_ACCESS and bool(entitlement.gift.terms.get("url"))


def _kind_of(file: IO[bytes]) -> str:
    try:
        with Image.open(file, formats=[*TYPES]) as image:
            kind = str(image.format)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return ""
    file.seek(0)
    return kind


def _signer() -> signing.Signer:
    # The tenant is in the salt: a link of one opens nothing of another, whatever their numbers are.
    return signing.Signer(salt=f"content:{current_schema()}")


def _read(token: str) -> tuple[int, int]:
    try:
        entitlement_id, until = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise LinkOver from error
    return int(entitlement_id), int(until)


def _host_of(tenant: Tenant) -> str:
    first = Domain.objects.filter(tenant_id=tenant.pk).order_by("-is_primary", "pk").first()
    return first.domain if first else hosts.name_for(tenant.slug)
