"""`mindgap verify`: the same input through a broker and workers, and through replay; do the facts agree?"""

import tempfile
from pathlib import Path

import click

from agents.brokers import BrokerError
from agents.cli import BadInput
from agents.topic_admin import TopicError


@click.command()
@click.option("--policy", required=True, type=click.Path(path_type=Path), metavar="P", help="In force on both sides.")
@click.option("--lines", type=click.IntRange(1), help="Only so many lines of the input. [all]")
@click.option("--partitions", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option("--kills", type=click.IntRange(0, 100), default=0, show_default=True, help="kill -9, at even shares.")
@click.option(
    "--broker",
    default="embedded",
    show_default=True,
    metavar="embedded|kafka|HOST:PORT",
    help="An embedded one, an Apache Kafka of our own (needs Java and Maven), or one that is there.",
)
@click.option("--folder", type=click.Path(path_type=Path), help="Where both sides' files and logs go. [temporary]")
@click.argument("file", metavar="FILE")
@click.pass_context
def verify(ctx: click.Context, /, policy: Path, folder: Path | None, file: str, **options: object) -> None:
    """Send FILE through the live pipeline and through replay, and compare the facts.

    The times are moved by one constant so that the input ends now. Exit status 0 where both agree, 1 where they
    do not; what differs is said as by `mindgap compare`.
    """
    from agents.commands.compare import told  # noqa: PLC0415 - quick help
    from agents.verify.live import VerifyError  # noqa: PLC0415
    from agents.verify.run import Plan  # noqa: PLC0415
    from agents.verify.run import verify as run  # noqa: PLC0415

    where = folder or Path(tempfile.mkdtemp(prefix="mindgap-verify-"))
    plan = Plan(source=file, policy=policy, folder=where, **options)  # type: ignore[arg-type]
    try:
        verdict = run(plan, lambda text: click.echo(text, err=True))
    except (VerifyError, BrokerError, TopicError) as problem:
        raise BadInput(str(problem)) from problem
    for line in told(verdict.comparison):
        click.echo(line)
    if not verdict.comparison.agree:
        click.echo("What only replay can tell is listed in docs/semantics.md, Live and replay.", err=True)
    ctx.exit(0 if verdict.comparison.agree else 1)
