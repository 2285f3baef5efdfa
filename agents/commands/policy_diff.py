"""`mindgap policy diff`: a policy is tried before it is trusted."""

import click


@click.command()
@click.option("--old", "old_file", required=True, metavar="A", help="The policy as it is.")
@click.option("--new", "new_file", required=True, metavar="B", help="The policy on trial.")
@click.option("--until", metavar="T", help="Run timers up to this time; later lines are not read. [the last arrival]")
@click.option("--zone", metavar="Z", help="Time zone of what is shown, and of nights. [that of most calendars of B]")
@click.option("--examples", type=click.IntRange(0, 1000), default=2, show_default=True, help="Escalations per change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def diff(
    old_file: str,
    new_file: str,
    until: str | None,
    zone: str | None,
    examples: int,
    *,
    as_json: bool,
    files: tuple[str, ...],
) -> None:
    """Replay history under two policies and say what would change, for whom.

    FILE is what `mindgap replay` reads. Each policy is in force for the whole of it; versions of a policy in FILE are
    left out, and commands act where the escalation that they name is there. A page is an escalation opened or raised
    at notify.min_severity or above, neither backfilled nor silenced.

    Exit status: 0 whether or not anything differs, 1 for a policy or a file that cannot be used, 2 for wrong usage.
    """
    # imported now: `policy check` needs none of it
    from agents.policy_diff import people_zone, read_input, replay_both  # noqa: PLC0415
    from agents.policy_diff_screen import Trial, record, show  # noqa: PLC0415
    from agents.policy_input import load_policy_or_fail  # noqa: PLC0415
    from schemas.times import parse_time  # noqa: PLC0415
    from streams.policy import compile_policy  # noqa: PLC0415
    from streams.policy_diff import compare  # noqa: PLC0415

    if [old_file, new_file, *files].count("-") > 1:
        raise click.UsageError("standard input (-) can be read once")
    try:
        end = None if until is None else parse_time(until)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--until") from problem
    old, new = load_policy_or_fail(old_file), load_policy_or_fail(new_file)
    try:
        there = people_zone(zone, new)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--zone") from problem
    limit = max(compile_policy(old).max_bytes, compile_policy(new).max_bytes)
    given = read_input(files, limit)
    trial = Trial(
        old_file,
        new_file,
        files,
        len(given.lines),
        given.policies,
        given.lines[0].arrived_at,
        given.lines[-1].arrived_at if end is None else end,
    )
    found = compare(*replay_both(old, new, given.lines, end), there, examples=examples)
    if as_json:
        click.echo(record(trial, found))
    else:
        show(trial, found)
