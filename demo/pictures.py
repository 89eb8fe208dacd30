"""Pictures of the demo's gifts and badges, drawn: a colour that follows from the name, and its first letters. Pure."""

import io
from random import Random
from typing import Final

from PIL import Image, ImageDraw, ImageFont

SIZE: Final = (480, 320)
BADGE: Final = (160, 160)


def gift(name: str) -> bytes:
    """Return a picture of a gift, as PNG."""
    return _drawn(name, SIZE, letters=2)


def badge(name: str) -> bytes:
    """Return the badge of a level, as PNG."""
    return _drawn(name, BADGE, letters=1)


def _drawn(name: str, size: tuple[int, int], *, letters: int) -> bytes:
    rng = Random(name)
    hue = rng.randrange(256)
    image = Image.new("HSV", size)
    draw = ImageDraw.Draw(image)
    for line in range(size[1]):
        draw.line([(0, line), (size[0], line)], fill=(hue, 110 + 60 * line // size[1], 215 - 70 * line // size[1]))
    font = ImageFont.load_default(size=size[1] * 9 // 20)
    text = "".join(word[0] for word in name.split())[:letters].upper()
    draw.text((size[0] / 2, size[1] / 2), text, fill=(0, 0, 255), font=font, anchor="mm")
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "PNG", optimize=True)
    return stream.getvalue()
