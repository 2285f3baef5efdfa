"""Faults on a running stream, a few times each. Many times by command: `python -m tests.faults` (docs/reliability.md)."""

import random

import pytest

from agents.brokers import Cluster
from tests.faults.catalogue import FAULTS, run

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]
OFTEN = {"kill": 5, "crash-between": 4, "kill-two": 1, "come-and-go": 1, "rolling": 1, "oversleep": 1}
ONCE = ("poison", "clock-steps", "topic-made-anew", "damaged-state")


@pytest.mark.parametrize(("name", "times"), [*OFTEN.items(), *((name, 1) for name in ONCE)])
def test_nothing_is_lost(name, times, kafka: Cluster, tmp_path):
    """The stream goes on, and what it says in the end is what replay says of the same input."""
    run(FAULTS[name], times, random.Random(f"{name} in tests"), tmp_path, kafka)


@pytest.mark.redis
def test_redis_may_be_killed_slow_full_and_wiped(kafka: Cluster, tmp_path):
    """The workers do not notice, and the read model ends up as if it had been built anew."""
    run(FAULTS["redis"], 4, random.Random("redis in tests"), tmp_path, kafka)


def test_the_only_broker_may_be_killed(tmp_path):
    """Sends are repeated until it is back, and nothing is missing or said in two ways."""
    run(FAULTS["broker-restart"], 1, random.Random("broker in tests"), tmp_path)


def test_one_of_three_brokers_may_be_killed(tmp_path):
    """Others lead, and nothing is missing."""
    run(FAULTS["broker-kill"], 1, random.Random("three brokers in tests"), tmp_path)
