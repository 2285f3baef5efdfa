"""`mindgap worker`."""

import os
from pathlib import Path

import click

import agents
from agents.cli import BadInput
from agents.clock import clock_from
from agents.policy_input import load_policy_or_fail
from agents.settings import SettingsError, settings_from
from agents.topic_admin import TopicError
from streams.kit import CoreKit
from streams.policy import compile_policy

DEFAULT_POLICY = Path(agents.__path__[0]).parent / "deploy" / "policy" / "default.yaml"


@click.command()
@click.option("--broker", help="host:port; default MINDGAP_BROKER")
@click.option("--policy", help="Policy in force from the beginning; default MINDGAP_POLICY, else the one delivered.")
@click.option(
    "--web-port", type=int, help="Port of /healthz, /readyz and /metrics; default MINDGAP_WEB_PORT, else 8480"
)
def worker(broker: str | None, policy: str | None, web_port: int | None) -> None:
    """Read interactions, write escalations, until told to end (SIGTERM or Ctrl-C).

    The topics must be there: run `mindgap topics create` first. Several workers share the partitions.
    """
    try:
        settings = settings_from(os.environ, broker=broker, policy=policy, web_port=web_port)
    except SettingsError as problem:
        raise BadInput(str(problem)) from problem
    document = load_policy_or_fail(str(settings.policy or DEFAULT_POLICY))
    try:
        clock = clock_from(os.environ)
    except ValueError as problem:
        raise BadInput(str(problem)) from problem

    from agents.worker.run import TopicsNotReadyError, run_worker  # noqa: PLC0415 - Faust takes a second to import

    try:
        run_worker(settings, clock, CoreKit(compile_policy(document)))
    except TopicsNotReadyError as problem:
        for sentence in problem.problems:
            click.echo(sentence, err=True)
        raise BadInput("the topics are not as they should be: see `mindgap topics create`") from problem
    except TopicError as problem:
        raise BadInput(str(problem)) from problem
