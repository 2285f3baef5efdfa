"""One read model, on Redis' fake and on the real server: every test of the contract runs on both."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

START_TIMEOUT_S = 20


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real redis-server of our own, on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("redis")
    program = shutil.which("redis-server")
    assert program is not None
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=START_TIMEOUT_S)


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with SyncRedis(host="127.0.0.1", port=port) as client:
                client.ping()
                return
        except RedisConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.redis)])
def redis(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """An empty Redis."""
    if request.param == "fake":
        yield fakeredis.FakeAsyncRedis()
        return
    client = Redis.from_url(request.getfixturevalue("redis_url"))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.flushdb())
    loop.run_until_complete(client.connection_pool.disconnect())
    yield client
    loop.close()
