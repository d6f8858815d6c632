"""TCP addresses on this machine: finding one that is free, and knowing it again."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections, so that none of those
# can sit on a server's port while the server is being restarted.
PORTS = range(15_000, 32_000)
TRIES_MAX = 500
# The system's dice: a seeded generator would lead two processes to the same port.
_dice = random.SystemRandom()


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(remembered: int | None = None, *, taken: frozenset[int] = frozenset()) -> int:
    """The remembered port if it is still free, else another one."""
    if remembered and remembered not in taken and is_free(remembered):
        return remembered
    for _ in range(TRIES_MAX):
        port = _dice.choice(PORTS)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {PORTS.start} and {PORTS.stop}")
