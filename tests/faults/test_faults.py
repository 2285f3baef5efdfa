"""Faults on a running stream, a few times each. Many times by command: `python -m tests.faults` (docs/reliability.md)."""

import random

import pytest

from agents.brokers import Cluster
from tests.faults.catalogue import FAULTS, run

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]
TIMES = {
    "kill": 5,
    "crash-between": 3,
    "rolling": 1,
    "oversleep": 1,
    "poison": 1,
    "topic-made-anew": 1,
    "damaged-state": 1,
}


@pytest.mark.parametrize(("name", "times"), TIMES.items())
def test_nothing_is_lost(name, times, kafka: Cluster, tmp_path):
    """The stream goes on, and what it says in the end is what replay says of the same input."""
    run(FAULTS[name], times, random.Random(f"{name} in tests"), tmp_path, kafka)


@pytest.mark.redis
def test_redis_may_be_killed_slow_full_and_wiped(kafka: Cluster, tmp_path):
    """The workers do not notice, and the read model ends up as if it had been built anew."""
    run(FAULTS["redis"], 4, random.Random("redis in tests"), tmp_path, kafka)


def test_one_of_three_brokers_may_be_killed(tmp_path):
    """Others lead, and nothing is missing."""
    run(FAULTS["broker-kill"], 1, random.Random("three brokers in tests"), tmp_path)
