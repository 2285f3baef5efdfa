"""What the workers' logs say that somebody should look at."""

from collections import Counter
from pathlib import Path

from schemas.codec import JSONDecodeError, loads

_LOUD = frozenset({"warning", "error", "critical"})


def loud(folder: Path) -> Counter[str]:
    """How often each event was logged as a warning or worse, and how often something that is no event was printed."""
    found: Counter[str] = Counter()
    for path in folder.glob("worker-*.log"):
        for line in path.read_bytes().splitlines():
            try:
                record = loads(line)
            except JSONDecodeError:
                found["not a log line"] += 1
                continue
            if record.get("level") in _LOUD:
                found[f"{record['level']} {record['event']}"] += 1
    return found
