"""Wire shapes of feeds."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Body, Line, Moment, Whole, WireSchema, at_most, one_of
from app.core.http import PageQuery
from app.people.schemas import AudienceIn, AudienceScopeOut
from feeds.file_store import SIZES
from feeds.items import ORDERS
from feeds.rules import (
    ANSWER_LENGTH_MAX,
    BODY_LENGTH_MAX,
    COMMENT_LENGTH_MAX,
    PICTURE_COUNT_MAX,
    RESPONSES,
    SEEN_COUNT_MAX,
    WRITTEN_TYPES,
)

VERSION_MAX = 2**31 - 1
WORDS_LENGTH_MAX = 100


class PostIn(WireSchema):
    """What I want to say: Markdown, for whom, and what I ask of readers; ``client_id`` makes a retry harmless."""

    client_id = fields.UUID(required=True)
    type = fields.String(required=True, validate=one_of(WRITTEN_TYPES))
    body = Body(BODY_LENGTH_MAX, required=True, blank=True)
    audience = fields.Nested(AudienceIn, required=True)
    attachments = fields.List(fields.UUID(), load_default=list, validate=at_most(PICTURE_COUNT_MAX))
    response = fields.String(load_default=None, validate=one_of(RESPONSES))
    on_behalf_of = fields.UUID(load_default=None)
    expires_at = Moment(load_default=None)

    @validates_schema
    def _says_or_shows_something(self, data: dict[str, Any], **_: object) -> None:
        if not data["body"].strip() and not data["attachments"]:
            raise ValidationError("blank", "body")


class PostPatch(WireSchema):
    """What I change, and the version that I knew."""

    version = Whole(1, VERSION_MAX, required=True)
    body = Body(BODY_LENGTH_MAX)
    expires_at = Moment(allow_none=True)

    @validates_schema
    def _something_changes(self, data: dict[str, object], **_: object) -> None:
        if not {"body", "expires_at"} & data.keys():
            raise ValidationError("required", "body")


class AuthorOut(WireSchema):
    """Who wrote it."""

    id = fields.UUID()
    name = fields.String()
    title = fields.String()


class NamedUnitOut(WireSchema):
    """A unit by name."""

    id = fields.UUID()
    name = fields.String()


class SubjectOut(WireSchema):
    """What an item is about, such as a packet or a figure, with what is seen of it at once."""

    kind = fields.String()
    id = fields.UUID()
    data = fields.Dict()


class MineOut(WireSchema):
    """What I did with an item."""

    seen_at = Moment(allow_none=True)
    acknowledged_at = Moment(allow_none=True)
    answer = fields.String(allow_none=True)
    reactions = fields.List(fields.String())


class AttachmentOut(WireSchema):
    """A picture of an item, read at ``/files/{id}``; its size in pixels lets its place be kept free."""

    id = fields.UUID()
    width = fields.Integer()
    height = fields.Integer()


class FileOut(AttachmentOut):
    """A picture as it is kept."""

    bytes = fields.Integer()


class FileQuery(WireSchema):
    """Which size of a picture: the whole (2048 pixels at most) or a small one (480)."""

    size = fields.String(load_default="full", validate=one_of(SIZES))


class ReadersQuery(WireSchema):
    """Words of a name or login."""

    q = Line(WORDS_LENGTH_MAX, load_default="", blank=True)


class PostOut(WireSchema):
    """An item of the feed; other than ``none``, ``response`` tells readers that it is tracked."""

    id = fields.UUID()
    type = fields.String()
    version = fields.Integer()
    author = fields.Nested(AuthorOut)
    on_behalf_of = fields.Nested(NamedUnitOut, allow_none=True)
    subject = fields.Nested(SubjectOut, allow_none=True)
    body = fields.String()
    body_html = fields.String()
    response = fields.String()
    published_at = Moment()
    expires_at = Moment(allow_none=True)
    edited_at = Moment(allow_none=True)
    publish_seq = fields.Integer()
    activity_seq = fields.Integer()
    comment_count = fields.Integer()
    reactions = fields.Dict(keys=fields.String(), values=fields.Integer())
    attachments = fields.List(fields.Nested(AttachmentOut))
    mine = fields.Nested(MineOut)


class WholePostOut(PostOut):
    """An item opened: also whom it is for."""

    audience = fields.List(fields.Nested(AudienceScopeOut))


class FeedQuery(PageQuery):
    """A page of my feed, by publishing or by latest activity."""

    order = fields.String(load_default="published", validate=one_of(ORDERS))


class SearchQuery(PageQuery):
    """A page of what has these words."""

    q = Line(WORDS_LENGTH_MAX, required=True)


class CommentIn(WireSchema):
    """What I say about an item."""

    client_id = fields.UUID(required=True)
    body = Body(COMMENT_LENGTH_MAX, required=True)
    reply_to = fields.UUID(load_default=None)


class CommentOut(WireSchema):
    """A comment; ``seq`` orders the talk."""

    id = fields.UUID()
    post_id = fields.UUID()
    client_id = fields.UUID()
    seq = fields.Integer()
    author = fields.Nested(AuthorOut)
    reply_to = fields.UUID(allow_none=True)
    body = fields.String()
    body_html = fields.String()
    created_at = Moment()


class AcknowledgementIn(WireSchema):
    """My acknowledgement, with an answer where the item asks for one."""

    answer = Body(ANSWER_LENGTH_MAX, load_default=None, allow_none=True)


class AcknowledgementOut(WireSchema):
    """My response as it stands."""

    post_id = fields.UUID()
    seen_at = Moment()
    acknowledged_at = Moment()
    answer = fields.String(allow_none=True)


class SeenIn(WireSchema):
    """Items that were on my screen."""

    post_ids = fields.List(fields.UUID(), required=True, validate=at_most(SEEN_COUNT_MAX))


class ReachQuery(WireSchema):
    """Which part of the organisation; without it, all that I may see."""

    unit = fields.UUID(load_default=None)


class MissingQuery(PageQuery):
    """A page of who has not responded."""

    unit = fields.UUID(load_default=None)


class FiguresOut(WireSchema):
    """The steps of reach, each part of the one before; ``left``: gone without a response."""

    targeted = fields.Integer()
    reachable = fields.Integer()
    delivered = fields.Integer()
    seen = fields.Integer()
    acknowledged = fields.Integer()
    answered = fields.Integer()
    left = fields.Integer()


class BranchOut(FiguresOut):
    """The figures of one unit and all below it; ``own``: of the people of the unit itself only."""

    id = fields.UUID()
    name = fields.String()
    own = fields.Boolean()


class NewcomersOut(WireSchema):
    """Those who came into the audience after publishing, apart from those targeted."""

    people = fields.Integer()
    seen = fields.Integer()
    acknowledged = fields.Integer()
    answered = fields.Integer()


class ReachOut(WireSchema):
    """How far an item got, at ``as_of``; the times are seconds from publishing until so many had responded."""

    post_id = fields.UUID()
    response = fields.String()
    as_of = Moment()
    unit = fields.Nested(NamedUnitOut, allow_none=True)
    total = fields.Nested(FiguresOut)
    units = fields.List(fields.Nested(BranchOut))
    joined_later = fields.Nested(NewcomersOut)
    seconds_to_half = fields.Integer(allow_none=True)
    seconds_to_ninety = fields.Integer(allow_none=True)


class MissingOut(WireSchema):
    """Somebody who has not responded, and where."""

    person = fields.Nested(AuthorOut)
    unit = fields.Nested(NamedUnitOut)
    seen_at = Moment(allow_none=True)


class NudgeOut(WireSchema):
    """A nudge that went out: when, and to how many."""

    id = fields.UUID()
    post_id = fields.UUID()
    nudged_at = Moment()
    count = fields.Integer()
