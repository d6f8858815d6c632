"""Routes of pictures: uploading one, and looking at one."""

from contextlib import closing
from typing import Any
from uuid import UUID

from flask import Response, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.composition import workspace
from app.core.errors import InvalidFields, NotFound
from app.core.http import (
    Routes,
    answer,
    answer_if_changed,
    answer_if_held,
    caller,
    needs,
    signed_in,
    unit_of_work,
)
from feeds import files
from feeds.errors import NotAPicture, PictureTooLarge
from feeds.file_store import STORE, FileStore
from feeds.models import Picture
from feeds.pictures import FILE_BYTES_MAX, MEDIA_TYPE, prepare
from feeds.schemas import FileOut, FileQuery

#: What multipart adds to a file: its boundaries, its name, the id.
ENVELOPE_BYTES_MAX = 64 * 1024

routes = Routes("files", __name__)
FORM = {
    "file": {"type": "string", "format": "binary"},
    "client_id": {"type": "string", "format": "uuid"},
}


@routes.post("/files")
@needs("feeds.post")
@routes.takes_form(FORM)
@routes.gives(201, FileOut)
def upload_file() -> Response:
    """Upload a picture for a post: multipart with ``file`` (JPEG, PNG, WebP or GIF, at most 20 MB) and ``client_id``.

    Sent again under its ``client_id``, it is there once. It is written anew: upright, bounded, without the camera's notes.
    """
    # The body first: a phone may need a minute for it, and no transaction waits for a phone.
    file, client_id = _sent()
    with unit_of_work() as session:
        uploaded = files.may_upload(session, caller=caller(session), client_id=client_id)
    return _answer(uploaded or _kept(file, client_id))


@routes.get("/files/<uuid:file_id>")
@signed_in
@routes.takes_query(FileQuery)
@routes.gives(200)
def read_file(query: dict[str, Any], file_id: UUID) -> Response:
    """Look at a picture, whole or small; who may not see its post, or no longer, finds none."""
    with unit_of_work() as session:
        picture = files.visible_picture(session, caller=caller(session), file_id=file_id)
    tag = f"{file_id.hex}.{query['size']}"
    held = answer_if_held(tag)
    if held is not None:
        return held
    content = _store().read(picture.tenant_id, file_id, query["size"])
    if content is None:
        raise NotFound
    response = answer_if_changed(content, tag)
    response.mimetype = MEDIA_TYPE
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _sent() -> tuple[FileStorage, UUID]:
    if request.mimetype != "multipart/form-data":
        raise NotAPicture
    request.max_content_length = FILE_BYTES_MAX + ENVELOPE_BYTES_MAX
    try:
        file, client_id = request.files.get("file"), request.form.get("client_id", "")
    except RequestEntityTooLarge as error:
        raise PictureTooLarge from error
    if file is None:
        raise InvalidFields({"file": "required"})
    try:
        return file, UUID(client_id)
    except ValueError as error:
        raise InvalidFields({"client_id": "invalid_id"}) from error


def _kept(file: FileStorage, client_id: UUID) -> Picture:
    """Write the picture anew, which takes a second and no transaction, and keep it."""
    with closing(file):
        prepared = prepare(file.stream)
    with unit_of_work() as session:
        return files.upload(
            session,
            caller=caller(session),
            client_id=client_id,
            picture=prepared,
            store=_store(),
            now=workspace().now(),
        )


def _answer(picture: Picture) -> Response:
    return answer(FileOut, picture, 201)


def _store() -> FileStore:
    store: FileStore = workspace().tools[STORE]
    return store
