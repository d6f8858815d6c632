"""What feeds refuses."""

from app.core.errors import Refusal, Texts


class NothingToAcknowledge(Refusal):
    """The item asks for no acknowledgement."""

    status = 409
    code = "feeds.nothing_to_acknowledge"
    texts = Texts("这条内容不需要确认", "This item does not ask for an acknowledgement.")


class NotTracked(Refusal):
    """Nobody was asked for a response, so there is no reach to report."""

    status = 409
    code = "feeds.not_tracked"
    texts = Texts("这条内容不统计触达", "The reach of this item is not tracked.")


class ItemExpired(Refusal):
    """The item's time is over."""

    status = 409
    code = "feeds.expired"
    texts = Texts("这条内容已过期", "This item has expired.")


class NudgedRecently(Refusal):
    """One nudge an hour is enough; ``Retry-After`` says when the next one may go out."""

    status = 409
    code = "feeds.nudged_recently"
    texts = Texts("一小时内只能催办一次", "An item can be nudged about once an hour.")


class NotAPicture(Refusal):
    """The file is no picture that can be read: JPEG, PNG, WebP or GIF."""

    status = 415
    code = "feeds.not_a_picture"
    texts = Texts(
        "无法识别的图片，请使用 JPEG、PNG、WebP 或 GIF",
        "This file is not a picture in JPEG, PNG, WebP or GIF.",
    )


class PictureTooLarge(Refusal):
    """The file has too many bytes, or the picture too many pixels."""

    status = 413
    code = "feeds.picture_too_large"
    texts = Texts(
        "图片太大，最多 20 MB、6000 万像素",
        "The picture is too large: at most 20 MB and 60 million pixels.",
    )


class TooManyPicturesWaiting(Refusal):
    """The caller uploads pictures without posting them."""

    status = 429
    code = "feeds.too_many_pictures"
    texts = Texts("上传的图片太多，请先发布", "Too many pictures wait to be posted.")


class NobodyMissing(Refusal):
    """Everybody has responded: nobody to nudge."""

    status = 409
    code = "feeds.nobody_missing"
    texts = Texts("所有人都已回应", "Everybody has responded.")
