"""`mindgap up`: both servers while it runs, and neither afterwards."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from agents.brokers.process import answers
from tests.house.command import ROOT, run

pytestmark = [pytest.mark.timeout(120)]


@pytest.mark.kafka
@pytest.mark.redis
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_how_to_reach_what_it_runs_and_ends_it(tmp_path, number):
    """The variables that it prints lead to a broker with topics and to a Redis; after the signal both are gone."""
    with (tmp_path / "said").open("wb") as said:
        up = subprocess.Popen(
            [sys.executable, "-m", "agents.cli", "up", "--partitions", "2"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    watchdog = threading.Timer(90, up.kill)
    watchdog.start()
    try:
        assert up.stdout is not None
        lines = [up.stdout.readline().strip() for _ in range(4)]
        assert all(line.startswith("export MINDGAP_") for line in lines), (tmp_path / "said").read_text()
        given = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli", "topics", "check"],
            cwd=ROOT,
            env=os.environ | given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with Redis.from_url(given["MINDGAP_REDIS"]) as redis:
            assert redis.ping()
        up.send_signal(number)
        assert up.wait(30) == 0
    finally:
        watchdog.cancel()
        up.kill()
        up.wait(10)
    assert not answers(int(given["MINDGAP_BROKER"].rpartition(":")[2]))
    with pytest.raises(RedisConnectionError), Redis.from_url(given["MINDGAP_REDIS"]) as redis:
        redis.ping()


def test_it_is_not_for_production(monkeypatch):
    """Where the environment says production it starts nothing, and says why."""
    monkeypatch.setenv("MINDGAP_ENV", "production")
    done = run("up")
    assert done.returncode == 1
    assert "production" in done.stderr
