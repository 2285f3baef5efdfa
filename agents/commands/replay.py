"""`mindgap replay`: the same core on recorded input and virtual time, without Kafka."""

import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from typing import IO, Any, Self, cast

import click

from agents.cli import BadInput
from agents.lines import decoded, read_lines
from agents.policy_input import load_policy_or_fail
from agents.progress import progress
from agents.until import until_option
from schemas.codec import dumps
from schemas.dead_letter import DeadReason
from schemas.times import format_time
from streams.facts import clock_records, customer_record, episode_records
from streams.policy import compile_policy
from streams.replay import Dead, Replay
from topics.dead_letter import Refused, envelope

OUTPUTS = ("escalations", "clocks", "customers", "episodes", "gaps", "notifications", "conflicts", "dead_letters")


@click.command()
@click.option("--policy", "policy_file", required=True, metavar="P", help="The policy in force from the beginning.")
@click.option("--until", metavar="T", help="Run timers up to this time; later lines are not read. [the last arrival]")
@click.option("--escalations", metavar="F", help="Revisions of escalations. [standard output]")
@click.option("--clocks", metavar="F", help="The clocks as they stand at the end.")
@click.option("--customers", metavar="F", help="The customers and their issues at the end.")
@click.option("--episodes", metavar="F", help="What should have been escalated, from when to when.")
@click.option("--gaps", metavar="F", help="The service level per channel and window.")
@click.option("--notifications", metavar="F", help="What pagers would have got.")
@click.option("--conflicts", metavar="F", help="Refused links between identities.")
@click.option("--dead-letters", metavar="F", help="Lines that were set aside, and why.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def replay(policy_file: str, until: str | None, files: tuple[str, ...], **outputs: str | None) -> None:
    """Process recorded interactions on virtual time.

    A line is an interaction, or {"topic": ..., "arrived_at": ..., "value": {...}} with a topic of interactions,
    identities.links, escalations.commands or policies. Gzip files (.gz) and standard input (-) are read too.
    Results are JSON lines in order of detection.
    """
    policy = compile_policy(load_policy_or_fail(policy_file))
    end = until_option(until)
    lines = read_lines(files, policy.max_bytes)
    run = Replay(policy, pages=outputs.get("notifications") is not None, measures=outputs.get("gaps") is not None)
    set_aside: Counter[str] = Counter()
    with ExitStack() as stack:
        sinks = {name: stack.enter_context(Sink(outputs.get(name))) for name in OUTPUTS}
        if outputs.get("escalations") is None:
            sinks["escalations"] = Sink.stdout()
        step = stack.enter_context(progress("replay", len(lines)))
        for outcome in run.run(decoded(step(lines), policy.max_bytes), end):
            sinks["escalations"].write(outcome.escalations)
            sinks["notifications"].write(outcome.notifications)
            sinks["gaps"].write(outcome.gaps)
            sinks["dead_letters"].write(_dead(dead, outcome.at) for dead in outcome.dead)
            set_aside.update(dead.reason for dead in outcome.dead)
        _facts(run, sinks)
    if set_aside:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(set_aside.items()))
        where = outputs.get("dead_letters") or "--dead-letters FILE writes them"
        click.echo(f"lines set aside: {reasons} ({where})", err=True)


def _facts(run: Replay, sinks: dict[str, "Sink"]) -> None:
    population, policies = run.population, run.policies
    if sinks["customers"].wanted:
        for known, customer in population.known():
            sinks["customers"].write([customer_record(customer, known.aliases, known.identities, policies, run.now)])
    if sinks["clocks"].wanted:
        for id_ in sorted(population.customers):
            sinks["clocks"].write(clock_records(population.customers[id_], policies, run.now))
    if sinks["episodes"].wanted:
        for id_ in sorted(population.customers):
            sinks["episodes"].write(episode_records(population.customers[id_], policies, run.now))
    sinks["conflicts"].write(
        {
            "identity": {"type": refused.identity.type, "value": refused.identity.value},
            "refused_by": refused.refused_by,
            "reason": refused.reason,
            "record_id": refused.record_id,
            "seen_at": format_time(refused.seen_at),
        }
        for refused in population.refused
    )


def _dead(dead: Dead, seen_at: int) -> dict[str, Any]:
    line = dead.line
    return envelope(
        Refused(None, line.raw, (), line.topic, None, None, cast("DeadReason", dead.reason), dead.detail, seen_at)
    )


class Sink:
    """A file of JSON lines, or nowhere."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.file: IO[bytes] | None = None

    @classmethod
    def stdout(cls) -> "Sink":
        """Standard output."""
        sink = cls("-")
        sink.file = sys.stdout.buffer
        return sink

    @property
    def wanted(self) -> bool:
        """True where anybody reads it."""
        return self.file is not None

    def __enter__(self) -> Self:
        if self.name == "-":
            self.file = sys.stdout.buffer
        elif self.name is not None:
            try:
                self.file = open(self.name, "wb")  # noqa: PTH123 - closed in __exit__
            except OSError as problem:
                raise BadInput(f"{self.name}: {problem.strerror}") from problem
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None and self.name != "-":
            self.file.close()

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        """Write a line for each record."""
        if self.file is not None:
            for record in records:
                self.file.write(dumps(record) + b"\n")
