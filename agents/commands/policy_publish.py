"""`mindgap policy publish`: a sound policy to every worker."""

import asyncio
import logging
import os

import click


@click.command()
@click.option("--broker", help="host:port; default MINDGAP_BROKER")
@click.argument("file", metavar="FILE")
def publish(broker: str | None, file: str) -> None:
    """Check FILE and send it to the `policies` topic: every worker takes it over at its `effective_at`, or at once.

    A policy with `notify: {paging: off}` stops every page; the next with paging on tells what is still open.

    A version that the workers know is ignored by them. Exit status: 0 when the broker has confirmed it.
    """
    # imported now: `policy check` needs none of it
    from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError  # noqa: PLC0415

    from agents.cli import BadInput  # noqa: PLC0415
    from agents.policy_input import load_policy_or_fail  # noqa: PLC0415
    from agents.produce import Record, produce  # noqa: PLC0415
    from agents.settings import SettingsError, settings_from  # noqa: PLC0415
    from schemas.codec import dumps  # noqa: PLC0415
    from streams.policy_remarks import warnings  # noqa: PLC0415
    from topics.table import POLICIES  # noqa: PLC0415

    document = load_policy_or_fail(file, routable=True)
    try:
        settings = settings_from(os.environ, broker=broker)
    except SettingsError as problem:
        raise BadInput(str(problem)) from problem
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our own words
    record = Record(POLICIES, document.version.encode(), dumps(document.to_json()))
    try:
        asyncio.run(produce(settings, [record]))
    except UnknownTopicOrPartitionError as problem:
        raise BadInput(f"topic {POLICIES} is missing at {settings.broker}: run `mindgap topics create`") from problem
    except (KafkaError, TimeoutError, OSError) as problem:
        what = f"no broker answers at {settings.broker} ({type(problem).__name__}): check MINDGAP_BROKER"
        raise BadInput(what) from problem
    click.echo(f"version {document.version} is published; workers that know this version ignore it")
    for warning in warnings(document):
        click.echo(f"warning: {warning}", err=True)
