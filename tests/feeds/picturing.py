"""Pictures to post with, as cameras and mischief make them."""

import io
import uuid
from typing import Any

from PIL import Image

from tests.builders.company import Phone

#: Where a camera says that it was: tag numbers of EXIF's GPS block.
GPS_BLOCK = 0x8825
LATITUDE = {1: "N", 2: (31.0, 13.0, 48.0)}


def picture(
    width: int = 60,
    height: int = 40,
    *,
    kind: str = "JPEG",
    mode: str = "RGB",
    orientation: int | None = None,
    colour: Any = "orange",
) -> bytes:
    """Take a picture; with an orientation it is told as a camera held another way."""
    stream = io.BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
        exif[0x010F] = "Camera of Lin"
        exif.get_ifd(GPS_BLOCK).update(LATITUDE)
    Image.new(mode, (width, height), colour).save(stream, kind, exif=exif)
    return stream.getvalue()


def upload(phone: Phone, content: bytes | None = None, **fields: Any) -> Any:
    form = {
        "client_id": str(uuid.uuid4()),
        "file": (io.BytesIO(picture() if content is None else content), "photo.jpg"),
    }
    form |= fields
    sent = {name: value for name, value in form.items() if value is not None}
    return phone.call("POST", "/files", data=sent, content_type="multipart/form-data")


def upload_bytes(phone: Phone, content: bytes) -> Any:
    """Upload as a phone writes it, without anything between that would keep large files for us."""
    head = (
        f'--edge\r\nContent-Disposition: form-data; name="client_id"\r\n\r\n{uuid.uuid4()}\r\n'
        '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    )
    body = head.encode() + content + b"\r\n--edge--\r\n"
    return phone.call(
        "POST", "/files", data=body, content_type="multipart/form-data; boundary=edge"
    )


def opened(phone: Phone, file_id: str, size: str = "full") -> Image.Image:
    reply = phone.get(f"/files/{file_id}?size={size}")
    assert (reply.status_code, reply.mimetype) == (200, "image/jpeg"), reply.data
    return Image.open(io.BytesIO(reply.data))
