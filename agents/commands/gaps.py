"""`mindgap gaps`: how long people wait, by channel, and what complaining in public is worth."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import click
from aiokafka.errors import KafkaError

from agents.cli import BadInput
from agents.gaps_report import Report, from_facts, from_records
from agents.gaps_source import histories_of, records_at, records_of
from agents.gaps_table import headline, show
from agents.policy_input import load_policy_or_fail
from agents.read_all import ReadError
from agents.settings import SettingsError, settings_from
from agents.until import until_option
from schemas.codec import dumps
from streams.gap_estimate import PUBLIC_CHANNELS
from streams.gaps import DIMENSIONS, Suggestion, suggest
from streams.policy import compile_policy


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--broker", is_flag=True, help="Read the topic channel-gaps at MINDGAP_BROKER instead of files.")
@click.option("--policy", "policy_file", metavar="P", help="FILES are interactions: compute the gaps by this policy.")
@click.option("--by", type=click.Choice(DIMENSIONS), help="By topic or team as well as by channel.")
@click.option("--suggest", "wanted", is_flag=True, help="Name the channel in which each topic is solved fastest.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it over time: .svg or .png.")
@click.option("--until", metavar="T", help="With --policy: up to this time. [the last arrival]")
@click.option("--json", "as_json", is_flag=True, help="The rows of the table as JSON lines, then the suggestions.")
def gaps(
    files: tuple[str, ...],
    policy_file: str | None,
    by: str | None,
    plot: Path | None,
    until: str | None,
    *,
    broker: bool,
    wanted: bool,
    as_json: bool,
) -> None:
    """How long people wait on each channel, and what complaining in public is worth.

    FILES hold gap records, as `mindgap replay --gaps F` writes them (.gz and - are read too), or, with --policy,
    interactions as `mindgap replay` reads them: then percentiles are those of all answers, and --by and --suggest work.
    Of gap records, --by shows those that are by topic or team, and social and community count as public.
    """
    if broker == bool(files) or (broker and policy_file):
        raise click.UsageError("name FILES, or --broker to read gap records from the topic")
    if wanted and policy_file is None:
        raise click.UsageError("--suggest needs --policy and interactions: medians of windows cannot be added up")
    if until is not None and policy_file is None:
        raise click.UsageError("--until needs --policy: gap records are read as they are")
    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise click.BadParameter(f"{plot}: end the name with .svg or .png", param_hint="--plot")
    suggestions: Sequence[Suggestion] | None = None
    if policy_file is None:
        report = _recorded(files, by, broker=broker)
    else:
        policy = compile_policy(load_policy_or_fail(policy_file))
        histories = histories_of(policy, files, until_option(until))
        report = from_facts(histories.facts, histories.until, policy.public_channels, by)
        if wanted:
            suggestions = suggest(histories.facts, policy.public_channels, until=histories.until)
        if histories.set_aside:
            click.echo(f"{histories.set_aside} lines set aside; mindgap replay --dead-letters F says why", err=True)
    if as_json:
        _print(report, suggestions)
    else:
        show(report, suggestions)
    if plot is not None:
        _draw(report, plot)


def _recorded(files: tuple[str, ...], by: str | None, *, broker: bool) -> Report:
    records = _from_broker() if broker else list(records_of(files))
    report = from_records(records, PUBLIC_CHANNELS, by)
    if by and records and not report.rows:
        raise BadInput(f"none of {len(records):,} gap records is by {by}: with --policy, interactions are told by {by}")
    return report


def _from_broker() -> list[dict[str, object]]:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our own words
    try:
        settings = settings_from(os.environ)
        return asyncio.run(records_at(settings))
    except (SettingsError, ReadError) as problem:
        raise BadInput(str(problem)) from problem
    except KafkaError as problem:
        raise BadInput(f"MINDGAP_BROKER: {problem}") from problem


def _print(report: Report, suggestions: Sequence[Suggestion] | None) -> None:
    for row in report.rows:
        click.echo(dumps(row))
    for each in suggestions or ():
        channels = [
            {"channel": s.channel, "public": s.public, "solved": s.solved, "median_resolution_s": s.median_s}
            for s in each.channels
        ]
        fastest = each.private.channel if each.private else None
        click.echo(dumps({"suggest": fastest, "topic": each.topic, "contacts": each.contacts, "channels": channels}))


def _draw(report: Report, path: Path) -> None:
    try:
        from agents.gaps_plot import draw  # noqa: PLC0415 - a second to import, and optional
    except ModuleNotFoundError as problem:
        if problem.name != "matplotlib":
            raise
        raise BadInput("--plot needs matplotlib: pip install matplotlib (the extra `plot` of this project)") from None
    try:
        draw(report, headline(report), path)
    except OSError as problem:
        raise BadInput(f"{path}: {problem.strerror or problem}") from problem
    click.echo(f"{path}: drawn", err=True)
