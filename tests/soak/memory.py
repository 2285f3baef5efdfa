"""How much memory the workers take, and how much of that the state that they hold explains."""

from dataclasses import dataclass
from pathlib import Path

from agents.read_all import read_all
from agents.settings import Settings
from topics.table import CHANGELOGS


def resident_bytes(pid: int | str) -> int:
    """The resident memory of a process of ours (`self` is this one); 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


@dataclass(frozen=True, slots=True)
class Growth:
    """Of the changelogs: bytes written, and bytes of state that stood at the instants asked for."""

    written: int
    customers: int
    state: list[int]


async def growth(settings: Settings, instants: list[int]) -> Growth:
    """Reads the changelogs to their ends; `instants` (ms), in order."""
    written, keys = 0, 0
    state = [0] * len(instants)
    for name, topic in CHANGELOGS.items():
        sizes: list[dict[bytes, int]] = [{} for _ in instants]
        async for record in read_all(settings, topic):
            key, size = record.key or b"", len(record.key or b"") + len(record.value or b"")
            written += size
            for number, at in enumerate(instants):
                if record.timestamp <= at:
                    sizes[number][key] = 0 if record.value is None else size
        state = [total + sum(at_that_time.values()) for total, at_that_time in zip(state, sizes, strict=True)]
        if name == "customers" and sizes:
            keys = sum(1 for size in sizes[-1].values() if size)
    return Growth(written, keys, state)
