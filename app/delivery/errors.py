"""Refusals of delivery."""

from app.core.errors import Refusal, Texts


class Resync(Refusal):
    """The log cannot continue from there: read ``head`` first, then the state, then what follows the head.

    ``reason``: ``too_old`` (older than the log is kept), ``future`` (beyond its head) or ``epoch`` (another log,
    after a restore).
    """

    status = 410
    code = "delivery.resync"
    texts = Texts(
        "本地数据过旧，请重新加载", "What this device holds is too old; load everything anew."
    )


class TooManyConnections(Refusal):
    """A person holds more open sockets than anybody needs."""

    status = 429
    code = "delivery.too_many_connections"
    texts = Texts("连接过多", "You have too many open connections.")


class ServerMoving(Refusal):
    """The node is going away; another one answers."""

    status = 503
    code = "delivery.server_moving"
    texts = Texts("服务器正在切换，请重新连接", "This server is going away; please connect again.")
