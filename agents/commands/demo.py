"""`mindgap demo`: everything on one machine, nothing else installed."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import agents
from agents.brokers import BrokerError
from agents.cli import BadInput
from agents.demo.feed import FeedError
from agents.demo.processes import WorkerError
from agents.demo.run import ENDING_S, Demo, Plan
from agents.demo.screen import Screen
from agents.demo.source import Feedable, Recording, read_recording
from agents.policy_input import load_policy_or_fail
from agents.settings import SettingsError
from agents.topic_admin import TopicError
from schemas.times import DAY, HOUR, SECOND, parse_time
from streams.policy import compile_policy
from streams.simulate import simulate

START = "2026-06-01T10:00:00Z"
"""A Monday morning, six o'clock in New York."""
DEFAULT_POLICY = Path(agents.__path__[0]).parent / "deploy" / "policy" / "default.yaml"
DEFAULT_SPEED = 4 * HOUR / SECOND
DEFAULT_SECONDS = 45.0
SPEED_MAX = 14 * DAY / SECOND
RECORDS_PER_SECOND = 2_000
"""What `--speed max` aims at."""
_SIMULATED_PER_HOUR = 25
_START_S = 8.0
_CUSTOMERS = 400
INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell has it."""


class Speed(click.ParamType):
    """Virtual seconds per second, or `max`."""

    name = "speed"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; 0 stands for `max`."""
        if value == "max":
            return 0.0
        try:
            speed = float(str(value))
        except ValueError:
            speed = -1
        if not 0 < speed <= SPEED_MAX:
            self.fail(f"{value!r} is not a number above 0 (at most {SPEED_MAX:.0f}), nor max", param, ctx)
        return speed


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=86_400),
    help=f"About how long it takes; default {DEFAULT_SECONDS:.0f}.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated customers.")
@click.option("--speed", type=Speed(), metavar="X|max", help="Virtual seconds per second; default 14400, 4 h.")
@click.option("--input", "source", metavar="FILE", help="Feed recorded interactions (.jsonl, .gz, or - for stdin).")
@click.option(
    "--policy",
    "policy_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=DEFAULT_POLICY,
    help="Policy document; default deploy/policy/default.yaml.",
)
@click.pass_context
def demo(
    ctx: click.Context, *, seconds: float | None, seed: int, speed: float | None, source: str | None, policy_path: Path
) -> None:
    """Watch a simulated company for some days, at hours a second: its customers, queues and escalations.

    Starts a broker and a worker on this machine, feeds them, prints the escalations as they come, and ends with the
    gap between the channels. With --input, recorded interactions are fed instead, their dates moved by one constant.
    """
    status = play(Demo(make_plan(seconds, seed=seed, speed=speed, source=source, policy=policy_path), Screen()))
    ctx.exit(status)


def play(run: Demo) -> int:
    """Play to the end and print the summary: 0, or 130 where the user ended it. Raises BadInput where it cannot run."""
    try:
        run.run()
    except (KeyboardInterrupt, asyncio.CancelledError):
        run.summary()
        return INTERRUPTED
    except (BrokerError, TopicError, WorkerError, FeedError, SettingsError) as problem:
        raise BadInput(str(problem)) from problem
    except TimeoutError as problem:
        msg = f"the embedded broker did not answer in time; its log is in {run.folder}"
        raise BadInput(msg) from problem
    run.summary()
    return 0


def make_plan(seconds: float | None, *, seed: int, speed: float | None, source: str | None, policy: Path) -> Plan:
    """What to play, from the options (a speed of 0 is `max`). Raises BadInput."""
    rules = compile_policy(load_policy_or_fail(str(policy)))
    start = parse_time(START)
    length = seconds  # None, with a recording: to its end
    if source is None:
        pace = speed or (DEFAULT_SPEED if speed is None else RECORDS_PER_SECOND / _SIMULATED_PER_HOUR * HOUR / SECOND)
        length = seconds or DEFAULT_SECONDS
        lines = _simulated(seed, start, int(length * pace * SECOND))
        about = f"a simulated company with {_CUSTOMERS} customers"
    else:
        recording = read_recording(source)
        pace = speed or _fitting(recording, None if speed == 0 else seconds or DEFAULT_SECONDS)
        lines = _recorded(recording, start)
        about = f"{len(recording.lines):,} recorded lines of {recording.name}"
    return Plan(lines, start, min(pace, SPEED_MAX), length, policy, rules.is_public, about)


def _simulated(seed: int, start: int, duration: int) -> Callable[[], Iterator[Feedable]]:
    return lambda: simulate(seed, start, max(duration, HOUR), _CUSTOMERS)


def _recorded(recording: Recording, start: int) -> Callable[[], Iterator[Feedable]]:
    return lambda: recording.shifted(start)


def _fitting(recording: Recording, seconds: float | None) -> float:
    """The speed at which the recording takes `seconds` in all; None: as fast as the records go."""
    limit = len(recording.lines) / RECORDS_PER_SECOND
    wanted = limit if seconds is None else max(limit, seconds - _START_S - ENDING_S)
    return max(1.0, recording.span / SECOND / max(wanted, 1.0))
