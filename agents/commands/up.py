"""`mindgap up`: Apache Kafka and Redis on this machine, for development."""

import asyncio
import logging
import os
import signal
import time

import click

from agents.brokers import BrokerError, Cluster, apache_kafka
from agents.brokers.redis_server import redis_server
from agents.cli import BadInput
from agents.settings import Settings, SettingsError, settings_from
from agents.topic_admin import TopicError, create_topics

KAFKA_PORT = 9092
REDIS_PORT = 6379
_LOOK_S = 0.5


@click.command()
@click.option("--brokers", type=click.IntRange(1, 5), default=1, show_default=True, help="Three keep three copies.")
@click.option("--partitions", type=click.IntRange(1, 1024), help="Of the topics. [MINDGAP_PARTITIONS, else 12]")
def up(brokers: int, partitions: int | None) -> None:
    """Run Apache Kafka, with the topics, and Redis on 127.0.0.1 until Ctrl-C. Needs Java, Maven and redis-server.

    Prints the variables by which the other commands find them. The usual ports are taken where they are free. What is
    stored is thrown away at the end: this is not for production.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our own words
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # however it is told to end, it ends what it started
    try:
        _run(brokers, partitions)
    except KeyboardInterrupt:
        click.echo("ended", err=True)
    except (BrokerError, TopicError, SettingsError) as problem:
        raise BadInput(str(problem)) from problem


def _run(brokers: int, partitions: int | None) -> None:
    if settings_from(os.environ).env == "production":
        raise BrokerError("what is stored here is thrown away: it is not for MINDGAP_ENV=production")
    with redis_server(REDIS_PORT) as redis, apache_kafka(brokers, ports=(KAFKA_PORT,)) as kafka:
        settings = settings_from({**os.environ, **kafka.environment()}, partitions=partitions)
        created = asyncio.run(create_topics(settings))
        _tell(settings, redis)
        click.echo(f"{len(created)} topics created; Ctrl-C ends both servers, and what they hold is gone", err=True)
        _watch(kafka)


def _tell(settings: Settings, redis: str) -> None:
    click.echo(f"export MINDGAP_BROKER={settings.broker}")
    click.echo(f"export MINDGAP_REDIS={redis}")
    click.echo(f"export MINDGAP_PARTITIONS={settings.partitions}")
    click.echo(f"export MINDGAP_REPLICATION={settings.replication}")


def _watch(kafka: Cluster) -> None:
    """Stay until somebody interrupts. Raises BrokerError where a broker has ended by itself."""
    while True:
        for broker in kafka.brokers:
            if not broker.is_running:
                raise BrokerError(f"Kafka broker {broker.number} has ended: {broker.last_words()}")
        time.sleep(_LOOK_S)
