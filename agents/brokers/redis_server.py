"""A redis-server of our own on the loopback, for developers and tests. It keeps everything in memory."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from agents.brokers.ports import lasting_ports
from agents.brokers.process import BrokerError, stop, wait_until

START_TIMEOUT_S = 20.0


@contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """A running Redis for the length of the block, on `port` where that is free; gives its URL.

    Raises BrokerError where redis-server is missing or does not start.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise BrokerError("the read model needs redis-server, which is not here (Debian: apt-get install redis-server)")
    (chosen,) = lasting_ports(1, () if port is None else (port,))
    with tempfile.TemporaryDirectory(prefix="mindgap-redis-") as scratch:
        log = Path(scratch) / "redis.log"
        command = [program, "--port", str(chosen), "--bind", "127.0.0.1", "--dir", scratch]
        command += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            wait_until(lambda: _answers(chosen), process, log, "redis-server", START_TIMEOUT_S)
            yield f"redis://127.0.0.1:{chosen}/0"
        finally:
            stop(process)


def _answers(port: int) -> bool:
    try:
        with Redis(host="127.0.0.1", port=port, socket_timeout=2) as client:
            return bool(client.ping())
    except RedisConnectionError:
        return False
    except RedisError as problem:
        raise BrokerError(f"what answers on port {port} is not our redis-server: {problem}") from problem
