"""What happens to Redis while a follower keeps the read model. The workers do not care; the model ends up right."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from agents.brokers.ports import lasting_ports
from tests.faults.on_workers import SHARE, Fault
from tests.faults.trial import FaultError, Trial

SLOW_S = 12.0
"""Longer than the follower waits for an answer."""
TIMEOUT_S = 60.0


class Server:
    """A redis-server that is killed, stopped and started again at the same port. It keeps nothing."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = lasting_ports(1)
        self._folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis(host="127.0.0.1", port=self.port, socket_timeout=TIMEOUT_S)
        self.start()

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no"]
        with (self._folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT_S)

    def answers(self) -> bool:
        with suppress(RedisError):
            return bool(self.client.ping())
        return False


@contextmanager
def following(trial: Trial) -> Iterator[Server]:
    """A Redis and a follower of the trial's topics, for the length of the block."""
    server = Server(trial.folder)
    with (trial.folder / "follower.log").open("wb") as log:
        follower = subprocess.Popen(
            [sys.executable, "-m", "agents.cli", "readmodel", "follow"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **trial.pool.environment, "MINDGAP_REDIS": server.url},
        )
    try:
        yield server
        if follower.poll() is not None:
            raise FaultError(f"the follower ended with {follower.returncode}; see {trial.folder}")
    finally:
        follower.kill()
        follower.wait(TIMEOUT_S)
        server.process.send_signal(signal.SIGCONT)
        server.kill()


async def redis_away(trial: Trial, times: int) -> None:
    """Redis is killed, slow, full and wiped in turn while records come in; the model equals one built anew."""
    trial.pool.start()
    await trial.pool.ready()
    with following(trial) as server:
        await trial.until(server.answers, "Redis answers")
        for number in range(times):
            await trial.feed(SHARE)
            happen = (_killed, _slow, _full, _wiped)[number % 4]
            await happen(trial, server)
            await trial.feed(SHARE)
        await trial.feed(len(trial.records) - trial.fed)
        await trial.settle()
        built = await _as_built_anew(trial, server)
        trial.say(f"{len(built)} keys of the model as if built anew")


async def _killed(trial: Trial, server: Server) -> None:
    await trial.moment()
    server.kill()
    await trial.feed(SHARE // 2)
    server.start()
    trial.say("killed")


async def _slow(trial: Trial, server: Server) -> None:
    server.process.send_signal(signal.SIGSTOP)
    await trial.feed(SHARE // 2)
    await trial.moment(2 * SLOW_S)
    server.process.send_signal(signal.SIGCONT)
    trial.say("slow")


async def _full(trial: Trial, server: Server) -> None:
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.config_set("maxmemory", "1")
    await trial.feed(SHARE // 2)
    await trial.moment(5)
    server.client.config_set("maxmemory", "0")
    trial.say("full")


async def _wiped(trial: Trial, server: Server) -> None:
    await trial.moment()
    server.client.flushall()
    trial.say("wiped")


async def _as_built_anew(trial: Trial, server: Server) -> dict[bytes, object]:
    """The model, once it equals one that is built anew: each time again, since timers may still have something to say."""
    limit = time.monotonic() + TIMEOUT_S
    while True:
        built = await asyncio.to_thread(_built_anew, trial, server)
        found = _contents(server)
        if found == built:
            return built
        if time.monotonic() > limit:
            others = sorted(key for key in found.keys() | built.keys() if found.get(key) != built.get(key))
            raise FaultError(f"{len(others)} keys are not as if built anew, {others[:3]} first; see {trial.folder}")
        await asyncio.sleep(1)


def _built_anew(trial: Trial, server: Server) -> dict[bytes, object]:
    """What `mindgap readmodel rebuild` makes of the same topics, in another database."""
    command = [sys.executable, "-m", "agents.cli", "readmodel", "rebuild"]
    environment = {**os.environ, **trial.pool.environment, "MINDGAP_REDIS": f"redis://127.0.0.1:{server.port}/1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise FaultError(f"the model was not built anew: {done.stderr}")
    with Redis(host="127.0.0.1", port=server.port, db=1) as client:
        return _of(client)


def _contents(server: Server) -> dict[bytes, object]:
    return _of(server.client)


def _of(client: "Redis[bytes]") -> dict[bytes, object]:
    """Every key with what it holds; of the feed, which is in the order of reading, the entries."""
    found: dict[bytes, object] = {}
    for key in client.scan_iter():
        kind = client.type(key)
        if kind == b"string":
            found[key] = client.get(key)
        elif kind == b"set":
            found[key] = client.smembers(key)
        elif kind == b"zset":
            found[key] = dict(client.zrange(key, 0, -1, withscores=True))
        elif kind == b"hash":
            found[key] = client.hgetall(key)
        else:
            found[key] = sorted(client.lrange(key, 0, -1))
    return found


REDIS_FAULTS: dict[str, Fault] = {"redis": redis_away}
