"""Ports for servers that are stopped and started again at the same address.

A port that the system chooses lies in the range from which it also takes the near end of outgoing connections. While
such a server is down, a client that keeps trying to reach it can be given that very port as its own near end, is then
connected to itself, and the server cannot come back. So these are taken from below that range.
"""

import random
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 12_000
_EPHEMERAL_DEFAULT = 32_768
_TRIES = 1_000


def lasting_ports(count: int, wanted: tuple[int, ...] = ()) -> list[int]:
    """`count` different ports of the loopback that nothing listens on now, the `wanted` ones where they are free.

    Raises OSError where there are none.
    """
    chance = random.Random()  # noqa: S311 - two runs at once should not try the same ports; nothing is secret
    found = [port for port in wanted if _is_free(port)][:count]
    end = max(_LOWEST + _TRIES, _ephemeral_begin())
    for _ in range(_TRIES):
        if len(found) == count:
            return found
        port = chance.randrange(_LOWEST, end)
        if port not in found and _is_free(port):
            found.append(port)
    raise OSError(f"no {count} free ports on 127.0.0.1 between {_LOWEST} and {end}")


def _ephemeral_begin() -> int:
    try:
        return int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):  # not Linux: others begin at 49152
        return _EPHEMERAL_DEFAULT


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a closed connection may linger
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
