"""Which partitions a worker opens."""

from typing import Any
from unittest.mock import MagicMock

from aiokafka import TopicPartition

from agents.clock import clock_from
from agents.settings import settings_from
from agents.worker.partitions import Partitions
from tests.shell.counter import CounterKit
from topics.table import CHANGELOGS


async def test_a_recovery_that_a_rebalance_has_overtaken_opens_nothing():
    """Its partitions may be somebody else's by now; the recovery that follows the rebalance opens what is ours."""
    app: Any = MagicMock(rebalancing_count=2, consumer_generation_id=7)
    app.consumer.assigned_in = 1
    app.consumer.assignment.return_value = {TopicPartition("interactions.chat", 0)}
    stores: Any = {name: MagicMock() for name in CHANGELOGS}
    partitions = Partitions(app, settings_from({}), clock_from({}), CounterKit(), lambda: stores)
    await partitions.open()
    assert not partitions.are_open
    assert not any(store.mock_calls for store in stores.values())
