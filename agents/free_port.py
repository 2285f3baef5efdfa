"""A port that nothing listens on, chosen by the system."""

import socket


def free_port() -> int:
    """A TCP port of the loopback that is free at this moment; somebody else may take it in the next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
