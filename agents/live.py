"""Commands on a live deployment: where it is, how many partitions it has, and what is said when it does not answer."""

import asyncio
import logging
import os
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.cli import BadInput
from agents.clock import Clock, clock_from
from agents.connection import client_options
from agents.read_all import ReadError
from agents.settings import Settings, SettingsError, settings_from
from topics.table import TOPICS, physical

START_TIMEOUT_S = 20.0
T = TypeVar("T")


def settings_or_fail(broker: str | None = None) -> Settings:
    """The settings of this process; what is wrong with them ends the command with status 1."""
    try:
        return settings_from(os.environ, broker=broker)
    except SettingsError as problem:
        raise BadInput(str(problem)) from problem


def clock_or_fail() -> Clock:
    """The clock of this process; a wrong setting ends the command with status 1."""
    try:
        return clock_from(os.environ)
    except ValueError as problem:
        raise BadInput(str(problem)) from problem


def run_or_fail(settings: Settings, work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; a broker that is away or refuses ends the command with status 1 and one line."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our own words
    try:
        return asyncio.run(work)
    except ReadError as problem:
        raise BadInput(str(problem)) from problem
    except (KafkaError, TimeoutError) as problem:
        raise BadInput(_unanswered(settings, problem)) from problem
    except OSError as problem:
        if problem.filename is not None:
            raise  # a file, not the network
        raise BadInput(_unanswered(settings, problem)) from problem


async def as_deployed(settings: Settings, topics: Sequence[str]) -> Settings:
    """The settings with the number of partitions that `topics` (logical names) really have.

    A key belongs to a partition by that number: trusting a MINDGAP_PARTITIONS that somebody forgot to set would look
    in the wrong place and send there. Raises BadInput where a topic is missing or the numbers differ.
    """
    names = {physical(settings.topic_prefix, topic): topic for topic in topics}
    client = AIOKafkaAdminClient(**client_options(settings))
    try:
        await asyncio.wait_for(client.start(), START_TIMEOUT_S)
        there = set(await client.list_topics())
        missing = sorted(names.keys() - there)  # asked for before the others: describing a missing one may create it
        if missing:
            raise BadInput(
                f"topic {missing[0]} is missing at {settings.broker}: check MINDGAP_BROKER and MINDGAP_TOPIC_PREFIX, "
                f"or run `mindgap topics create`"
            )
        found = {each["topic"]: len(each["partitions"]) for each in await client.describe_topics(list(names))}
    finally:
        await client.close()
    counts = {found[name] for name, topic in names.items() if not TOPICS[topic].single}
    if len(counts) > 1:
        raise BadInput(f"topics at {settings.broker} differ in their partitions: see `mindgap topics check`")
    return settings.model_copy(update={"partitions": counts.pop()}) if counts else settings


def _unanswered(settings: Settings, problem: BaseException) -> str:
    return f"no answer from the broker at {settings.broker} ({type(problem).__name__}): check MINDGAP_BROKER"
