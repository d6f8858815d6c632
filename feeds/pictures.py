"""Pictures: from whatever a camera made to something small, upright and without its notes.

A picture is always written anew from its pixels, so that nothing rides along: no place, no time, no camera, no
program behind the last pixel.
"""

import io
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from feeds.errors import NotAPicture, PictureTooLarge

FILE_BYTES_MAX = 20 * 1024 * 1024
PIXELS_MAX = 60_000_000
SIDE_MAX = 2_048
SMALL_SIDE_MAX = 480
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MEDIA_TYPE = "image/jpeg"
# The library only warns of a bomb, and later than we do: we ask for the size ourselves before anything is unpacked.
Image.MAX_IMAGE_PIXELS = None
#: By size: how it is told apart from the other in the store, and how well it is written.
QUALITY = {"full": 85, "small": 75}


@dataclass(frozen=True)
class Prepared:
    """A picture as it is kept: whole and small."""

    width: int
    height: int
    sizes: dict[str, bytes]


def prepare(file: IO[bytes]) -> Prepared:
    """Read a picture by what it is, not by what it is called, and write it as it is kept."""
    try:
        with Image.open(file, formats=FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise PictureTooLarge
            opened.draft("RGB", (SIDE_MAX, SIDE_MAX))
            upright = ImageOps.exif_transpose(opened)
            flat = _on_white(upright)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise NotAPicture from error
    flat.thumbnail((SIDE_MAX, SIDE_MAX))
    small = flat.copy()
    small.thumbnail((SMALL_SIDE_MAX, SMALL_SIDE_MAX))
    sizes = {"full": _written(flat, QUALITY["full"]), "small": _written(small, QUALITY["small"])}
    return Prepared(flat.width, flat.height, sizes)


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    coloured = picture.convert("RGBA")
    ground = Image.new("RGB", coloured.size, "white")
    ground.paste(coloured, mask=coloured.getchannel("A"))
    return ground


def _written(picture: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    # Only what is given here is written: no EXIF, no colour profile, no comment.
    picture.save(stream, "JPEG", quality=quality, progressive=True)
    return stream.getvalue()
