"""What a soak must show: the same facts as replay, a backlog that goes away, memory that only the state explains."""

from agents.commands.compare import told
from tests.soak.run import Soaked

BACKLOG_MAX_S = 20.0
"""What may be left of one kill when the next one comes, in seconds of the feed."""
MEMORY_FACTOR_MAX = 1.25
"""How much more memory a byte of state may take at the end than half way."""
_MIB = 2**20


def problems(seen: Soaked) -> list[str]:
    """What is not as it must be, one sentence each."""
    found = []
    if seen.comparison is None or not seen.comparison.agree:
        found.append("the facts differ from those of replay")
    if seen.set_aside:
        found.append(f"{seen.set_aside} records were set aside")
    worst = max(seen.before_kill, default=0)
    if worst > BACKLOG_MAX_S * seen.rate:
        found.append(f"{worst} records were left when the next kill came")
    factor = memory_factor(seen)
    if factor is not None and factor > MEMORY_FACTOR_MAX:
        found.append(f"a byte of state took {factor:.2f} times the memory in the end")
    return found


def memory_factor(seen: Soaked) -> float | None:
    """Memory of the survivor per byte of state, at the end by half way; the highest of the last looks counts."""
    if seen.mid is None or len(seen.samples) < 6:
        return None
    around = [each.survivor for each in seen.samples if abs(each.second - seen.mid.second) <= 60]
    last = seen.samples[-1].second
    late = [each.survivor for each in seen.samples if each.second >= last - 60]
    then, now = seen.mid.state, seen.samples[-1].state
    return (max(late) / max(around)) / (now / then) if then and max(around) else None


def _of(seen: Soaked) -> str:
    tops = (("in the beginning", seen.top), ("at the end", seen.top_at_end))
    found = [f"{seen.rate / top:.2f} of the top rate {when}, {top:.0f}/s" for when, top in tops if top]
    return ", ".join([*found, f"a burst: {seen.burst:.0f}/s"])


def story(seen: Soaked) -> list[str]:
    """The figures, a line each."""
    worst, left = max((each.backlog for each in seen.samples), default=0), max(seen.before_kill, default=0)
    lines = [
        f"fed {len(seen.records)} records at {seen.rate:.0f}/s ({_of(seen)}), {seen.kills} kills",
        f"backlog: at most {worst} records ({worst / seen.rate:.0f} s of feed), before the next kill at most {left}",
    ]
    if seen.samples and seen.mid is not None:
        survivor = [round(each.survivor / _MIB) for each in seen.samples]
        half, then, now = round(seen.mid.survivor / _MIB), seen.mid.state / _MIB, seen.samples[-1].state / _MIB
        lines += [
            f"memory of the worker that was never killed, MiB: {survivor[0]}, half way {half}, {survivor[-1]} at the end",
            f"state: {then:.1f} MiB half way, {now:.1f} at the end; {seen.keys} customers after it",
            f"changelogs: {seen.written / _MIB:.0f} MiB, {seen.written / len(seen.records):.0f} B per record",
        ]
        factor = memory_factor(seen)
        lines += [] if factor is None else [f"memory per byte of state, end by half way: {factor:.2f}"]
    lines += [f"logged: {times} x {what}" for what, times in seen.logged.most_common()]
    return [*lines, *(told(seen.comparison) if seen.comparison is not None else ())]
