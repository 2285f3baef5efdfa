"""Severities in order."""

INFO, WARNING, ERROR, CRITICAL = "info", "warning", "error", "critical"
RANKS: dict[str, int] = {"": 0, INFO: 1, WARNING: 2, ERROR: 3, CRITICAL: 4}
"""Severity -> how severe; the empty one is less than any."""


def highest(severities: "list[str] | set[str]") -> str:
    """The highest of them; the empty one where there are none."""
    return max(severities, key=RANKS.__getitem__, default="")
