"""
A link as a QR code (ISO/IEC 18004), to be shown on a screen or printed.

Error correction level M restores 15 percent, and a quiet zone of four modules is around it, as the standard asks for.
"""

import io
from typing import Any, Final

import segno
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid

SIZE_MIN, SIZE_DEFAULT, SIZE_MAX = 64, 512, 2048
ERROR_LEVEL: Final = "m"
QUIET_ZONE_MODULES: Final = 4
# White too, so that it is read on a dark page.
COLOURS: Final[dict[str, Any]] = {"dark": "#000", "light": "#fff"}


class PictureTooSmall(Invalid):
    """There would be less than one pixel for each module."""

    message = _("A link of this length needs a larger picture.")


class LinkTooLong(Invalid):
    """No QR code holds so much (ISO/IEC 18004, table 7: 2331 bytes at level M)."""

    message = _("A link of this length does not fit into a QR code: say less of where it is shared.")


def svg(*, address: str, size_px: int) -> bytes:
    """
    Return a picture of an address that is `size_px` wide and high, and sharp at every other size.

    :raises LinkTooLong:
    """
    # One module is one unit of its own space, so that edges fall between pixels wherever they can.
    drawn = _saved(_made(address), kind="svg", xmldecl=False, nl=False, omitsize=True)
    return drawn.replace(b"viewBox", b'width="%d" height="%d" viewBox' % (size_px, size_px), 1)


def png(*, address: str, size_px: int) -> bytes:
    """
    Return a picture of an address, at most `size_px` wide and high: each module has a whole number of pixels.

    :raises LinkTooLong:
    :raises PictureTooSmall:
    """
    code = _made(address)
    scale = size_px // _modules(code)
    if scale < 1:
        raise PictureTooSmall
    return _saved(code, kind="png", scale=scale)


def _made(address: str) -> segno.QRCode:
    try:
        return segno.make_qr(address, error=ERROR_LEVEL, boost_error=False)
    except segno.DataOverflowError as error:
        raise LinkTooLong from error


def _modules(code: segno.QRCode) -> int:
    return int(code.symbol_size(scale=1, border=QUIET_ZONE_MODULES)[0])


def _saved(code: segno.QRCode, **how: Any) -> bytes:
    out = io.BytesIO()
    code.save(out, border=QUIET_ZONE_MODULES, **COLOURS, **how)
    return out.getvalue()
