"""What all tests share: what a marker needs of the machine, and how Hypothesis runs on a busy one.

A test marked `redis`, `kafka` or `browser` is skipped, with the reason, where the machine lacks the thing. Under
`make test-all` (`MINDGAP_TEST_ALL=1`) it fails instead: there, a test that was not run is not a test that passed.
"""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from agents.brokers import Cluster

NEEDS = {
    "redis": (("redis-server",), "redis-server (Debian: apt-get install redis-server)"),
    "kafka": (("java", "mvn"), "Java 17 or later and Maven, which bring Apache Kafka (Debian: apt-get install maven)"),
    "browser": (
        ("chromium", "chromium-browser", "google-chrome"),
        "a headless Chromium (Debian: apt-get install chromium)",
    ),
}
"""By marker: the programs (all of them; for `browser` any), and what to install."""

ALL = os.environ.get("MINDGAP_TEST_ALL") == "1"

# Two shared cores make one example now and then a hundred times slower than the others: no deadline for one example,
# pytest-timeout watches the whole. A failing example prints what reproduces it.
hypothesis.settings.register_profile("mindgap", deadline=None, print_blob=True)
hypothesis.settings.load_profile("mindgap")


def _missing(marker: str) -> str | None:
    programs, advice = NEEDS[marker]
    found = [shutil.which(program) is not None for program in programs]
    there = any(found) if marker == "browser" else all(found)
    return None if there else f"this machine lacks {advice}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or under `make test-all` fail, a test whose needs are not met."""
    for marker in NEEDS:
        if item.get_closest_marker(marker) is None:
            continue
        missing = _missing(marker)
        if missing and ALL:
            pytest.fail(missing, pytrace=False)
        elif missing:
            pytest.skip(missing)


@pytest.fixture(scope="session")
def kafka() -> "Iterator[Cluster]":
    """Apache Kafka, one broker for the whole run. A test that uses it is marked `kafka`, and names its own topics."""
    from agents.brokers import apache_kafka

    with apache_kafka() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def kafka_cluster() -> "Iterator[Cluster]":
    """Apache Kafka, three brokers with three copies of everything, for one module: its tests may stop and kill them."""
    from agents.brokers import apache_kafka

    with apache_kafka(3) as cluster:
        yield cluster
