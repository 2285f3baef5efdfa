"""`mindgap explain`: the story of one customer."""

import sys
import textwrap
from collections.abc import Iterator

import click

from agents.cli import BadInput
from agents.lines import decoded, read_lines
from agents.policy_input import load_policy_or_fail
from agents.until import until_option
from schemas.codec import dumps
from streams.explain import StoryLine, story
from streams.explain.inquiry import Answer, SeveralCustomersError, UnknownCustomerError, inquire
from streams.explain.line import when
from streams.policy import compile_policy

WIDTH = 100
SHOWN = 10
"""How many customers a message lists."""
COLOURS = {
    "input": None,
    "identity": "cyan",
    "policy": "magenta",
    "clock": "blue",
    "pattern": "yellow",
    "escalation": "red",
    "now": "green",
}


@click.command()
@click.option("--policy", "policy_file", required=True, metavar="P", help="The policy in force from the beginning.")
@click.option("--customer", "name", required=True, metavar="ID", help="Customer id, alias, type:value, or thread.")
@click.option("--until", metavar="T", help="The story up to this time. [the last arrival]")
@click.option("--texts", is_flag=True, help="Show excerpts of what was written.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def explain(
    policy_file: str, name: str, until: str | None, files: tuple[str, ...], *, texts: bool, as_json: bool
) -> None:
    """Tell the story of one customer: what came in, what each clock did, why it escalated, and how things stand.

    FILEs are those of `mindgap replay`. The customer may be named by an id or a former one, by an identity such as
    email:kim@example.com, or by a thread. Times are UTC; at each line's end, in brackets, stand the ids of events.
    """
    policy = compile_policy(load_policy_or_fail(policy_file))
    end = until_option(until)
    lines = read_lines(files, policy.max_bytes)
    try:
        answer = inquire(name, policy, lambda: decoded(lines, policy.max_bytes), end)
    except UnknownCustomerError as problem:
        hint = f"; close to it: {', '.join(problem.close)}" if problem.close else ""
        raise BadInput(f"{problem}{hint}") from problem
    except SeveralCustomersError as problem:
        more = len(problem.customers) - SHOWN
        others = f" and {more} more" if more > 0 else ""
        raise BadInput(f"{problem}: {', '.join(problem.customers[:SHOWN])}{others}; name one of them") from problem
    told = story(answer.customer, answer.policies, answer.records, answer.now, changes=answer.changes, texts=texts)
    if as_json:
        for line in told:
            click.echo(dumps(line.as_record()))
        return
    colour = sys.stdout.isatty()
    for text in text_of(answer, told, colour=colour):
        click.echo(text)


def text_of(answer: Answer, told: list[StoryLine], *, colour: bool = False) -> Iterator[str]:
    """The story as lines of at most 100 columns: a heading for each day, then time, kind and what happened."""
    formerly = f", formerly {', '.join(answer.aliases)}" if answer.aliases else ""
    yield from textwrap.wrap(f"Customer {answer.customer.id}{formerly}", WIDTH)
    day = ""
    for line in told:
        date, time = when(line.at).split(" ")
        if line.kind == "now" and day != "now":
            day = "now"
            yield from ("", f"As things stand at {date} {time}")
        elif line.kind != "now" and date != day:
            day = date
            yield from ("", day)
        yield from _paragraph(line, time, colour=colour)


def _paragraph(line: StoryLine, time: str, *, colour: bool) -> Iterator[str]:
    head = "  " if line.kind == "now" else f"  {time:<12}  {line.kind:<10}  "
    margin = max(len(head), 4)
    wrapped = textwrap.wrap(line.text, WIDTH - margin, break_on_hyphens=False) or [""]
    for place, text in enumerate(wrapped):
        start = head if place == 0 else " " * margin
        shade = COLOURS[line.kind] if colour else None
        yield start + (click.style(text, fg=shade) if shade else text)
