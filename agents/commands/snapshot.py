"""`mindgap snapshot`: the facts of a live deployment, as files."""

import asyncio
import logging
import os
from pathlib import Path

import click
from aiokafka.errors import KafkaError

from agents.cli import BadInput
from agents.clock import clock_from
from agents.policy_input import load_policy_or_fail
from agents.read_all import ReadError
from agents.settings import SettingsError, settings_from
from agents.snapshot import snapshot as take_snapshot
from schemas.times import parse_time


@click.command()
@click.option("--policy", "policy_file", required=True, metavar="P", help="The policy that the workers started with.")
@click.option("--until", metavar="T", help="As of this time. [now]")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def snapshot(policy_file: str, until: str | None, folder: Path) -> None:
    """Write the facts of the deployment at MINDGAP_BROKER into DIR, to be compared with those of a replay.

    DIR gets customers.jsonl, clocks.jsonl, episodes.jsonl, escalations.jsonl, notifications.jsonl and gaps.jsonl.
    Identities are not masked in them.
    """
    document = load_policy_or_fail(policy_file)
    try:
        settings = settings_from(os.environ)
        at = clock_from(os.environ).now() if until is None else parse_time(until)
    except (SettingsError, ValueError) as problem:
        raise BadInput(str(problem)) from problem
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our own words
    try:
        counted = asyncio.run(take_snapshot(settings, document, at, folder))
    except ReadError as problem:
        raise BadInput(str(problem)) from problem
    except (KafkaError, ValueError) as problem:
        raise BadInput(f"{settings.broker}: {problem}") from problem
    click.echo(f"{counted.customers} customers, {counted.revisions} revisions", err=True)
