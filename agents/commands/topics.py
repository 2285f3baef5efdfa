"""`mindgap topics create|check`."""

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from agents.cli import BadInput
from agents.settings import Settings, SettingsError, settings_from
from agents.topic_admin import TopicError, check_topics, create_topics

_Found = TypeVar("_Found")


@click.group()
def topics() -> None:
    """Create the Kafka topics, or check those that exist.

    The broker is MINDGAP_BROKER (host:port), the names begin with MINDGAP_TOPIC_PREFIX.
    """


@topics.command()
@click.option("--broker", help="host:port; default MINDGAP_BROKER")
@click.option("--partitions", type=int, help="default MINDGAP_PARTITIONS, else 12")
def create(broker: str | None, partitions: int | None) -> None:
    """Create every topic that is missing, then check all of them."""
    settings = _settings(broker, partitions)
    created = _run(create_topics(settings))
    for name in created:
        click.echo(f"created {name}")
    _report(settings)


@topics.command()
@click.option("--broker", help="host:port; default MINDGAP_BROKER")
@click.option("--partitions", type=int, help="default MINDGAP_PARTITIONS, else 12")
def check(broker: str | None, partitions: int | None) -> None:
    """Check that every topic exists with the right partitions and cleanup; exit status 1 where one does not.

    What only costs something, such as segments too large to be compacted soon, is a warning.
    """
    _report(_settings(broker, partitions))


def _report(settings: Settings) -> None:
    problems, remarks = _run(check_topics(settings))
    for remark in remarks:
        click.echo(f"warning: {remark}", err=True)
    if problems:
        for problem in problems:
            click.echo(problem, err=True)
        msg = f"{len(problems)} topics are not as they should be"
        raise BadInput(msg)
    click.echo("workers can start on these topics" if remarks else "all topics are as they should be")


def _settings(broker: str | None, partitions: int | None) -> Settings:
    try:
        return settings_from(os.environ, broker=broker, partitions=partitions)
    except SettingsError as problem:
        raise BadInput(str(problem)) from problem


def _run(work: Coroutine[Any, Any, _Found]) -> _Found:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our own words
    try:
        return asyncio.run(work)
    except TopicError as problem:
        raise BadInput(str(problem)) from problem
