"""Apache Kafka from the jars: settings with a topic prefix of their own for each test."""

import itertools

import pytest

from agents.brokers import Cluster
from agents.settings import Settings, settings_from
from tests.shell.conftest import start_worker  # noqa: F401 - a fixture, used with the settings from here

PARTITIONS = 2
_numbers = itertools.count(1)


def settings_on(cluster: Cluster, user: str = "admin") -> Settings:
    """Settings on this cluster, with a prefix that no other test uses."""
    prefix = f"k{next(_numbers)}."
    return settings_from(cluster.environment(user), topic_prefix=prefix, partitions=PARTITIONS, session_s=3.0)


@pytest.fixture
def settings(kafka: Cluster) -> Settings:
    """Settings on the one broker of the run."""
    return settings_on(kafka)
